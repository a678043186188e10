// Signatures with the host's key.

package wharf

import (
	"os"
	"path/filepath"

	"wharf.invalid/wharf/wire"
)

// What is larger is staged and not sent along: the contract's limit of inline bytes.
const maxInline = 64 << 10

// SignForm says how something is signed.
type SignForm string

// The forms of signatures.
const (
	// SignClear is the text, at most 2 MiB of it, and its signature in one readable file.
	SignClear SignForm = "clearsign"
	// SignDetachedArmored is the signature alone, as text.
	SignDetachedArmored SignForm = "detached-armored"
	// SignDetachedBinary is the signature alone.
	SignDetachedBinary SignForm = "detached-binary"
)

// Signed is a signature, and what clients check it with.
type Signed struct {
	// Bytes is the signature; of a text that is signed readably, the whole.
	Bytes []byte
	// Fingerprint is the key's: hex digits in upper case.
	Fingerprint string
	// PublicKey is the public key, armored.
	PublicKey string
}

// Sign has the host sign something with the key that the attachment names, of which the request tells in Signing.
func (c *Ask) Sign(form SignForm, bytes []byte) (*Signed, error) {
	host, err := c.call.host.client()
	if err != nil {
		return nil, err
	}
	request := &wire.SignRequest{Format: string(form), From: &wire.SignRequest_Inline{Inline: bytes}}
	if len(bytes) > maxInline {
		staged, err := c.stage(bytes)
		if err != nil {
			return nil, Operation("storage.staged", "what is to be signed cannot be written to the job's folder").
				CausedBy(err).Retryable()
		}
		request.From = &wire.SignRequest_Staged{Staged: staged}
	}
	answer, err := host.Sign(c, request)
	if err != nil {
		return nil, c.failed("Sign", err)
	}
	return &Signed{
		Bytes: answer.Signature, Fingerprint: answer.Fingerprint, PublicKey: string(answer.PublicKey),
	}, nil
}

// stage writes bytes to a new file of the work folder, and gives its name.
func (c *Ask) stage(bytes []byte) (string, error) {
	file, err := os.CreateTemp(c.WorkDir(), ".sign-")
	if err != nil {
		return "", err
	}
	if _, err := file.Write(bytes); err != nil {
		_ = file.Close()
		return "", err
	}
	return filepath.Base(file.Name()), file.Close()
}
