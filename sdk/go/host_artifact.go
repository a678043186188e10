// Bytes in the host's store.

package wharf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"

	"wharf.invalid/wharf/wire"
)

// HasArtifacts says which of these digests, each sha256:HEX, the host has bytes for; in the order asked.
func (c *Ask) HasArtifacts(digests ...string) ([]bool, error) {
	host, err := c.call.host.client()
	if err != nil {
		return nil, err
	}
	present := make([]bool, 0, len(digests))
	for asked := range slices.Chunk(digests, maxEntries) {
		answer, err := host.HasArtifacts(c, &wire.HasArtifactsRequest{Digests: asked})
		if err != nil {
			return nil, c.failed("HasArtifacts", err)
		}
		present = append(present, answer.Present...)
	}
	if len(present) != len(digests) {
		message := fmt.Sprintf("the host answered %d of %d digests", len(present), len(digests))
		return nil, Fault("protocol.has_artifacts", message)
	}
	return present, nil
}

// OpenArtifact reads the bytes of a file that the job may read, by sha256:HEX, from an offset. Close it when it is not
// read to its end.
func (c *Ask) OpenArtifact(digest string, offset uint64) (io.ReadCloser, error) {
	host, err := c.call.host.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(c)
	stream, err := host.OpenArtifact(ctx, &wire.OpenArtifactRequest{Digest: digest, Offset: offset})
	if err != nil {
		cancel()
		return nil, c.failed("OpenArtifact", err)
	}
	return &artifact{call: c, stream: stream, cancel: cancel}, nil
}

// artifact is an open file of the store.
type artifact struct {
	call   *Ask
	stream grpc.ServerStreamingClient[wire.ArtifactChunk]
	cancel context.CancelFunc
	rest   []byte
}

// Read is that of io.Reader.
func (a *artifact) Read(into []byte) (int, error) {
	for len(a.rest) == 0 {
		next, err := a.stream.Recv()
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, a.call.failed("OpenArtifact", err)
		}
		a.rest = next.Data
	}
	read := copy(into, a.rest)
	a.rest = a.rest[read:]
	return read, nil
}

// Close ends the reading.
func (a *artifact) Close() error {
	a.cancel()
	return nil
}

// PutArtifact stores bytes, and gives their digest, sha256:HEX, and their size.
func (c *Ask) PutArtifact(from io.Reader) (digest string, size uint64, err error) {
	host, err := c.call.host.client()
	if err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithCancel(c)
	defer cancel()
	stream, err := host.PutArtifact(ctx)
	if err != nil {
		return "", 0, c.failed("PutArtifact", err)
	}
	buffer := make([]byte, chunk)
	for {
		read, failed := io.ReadFull(from, buffer)
		if read > 0 {
			// Why the host takes no more is told by the answer.
			if err := stream.Send(&wire.ArtifactChunk{Data: buffer[:read]}); err != nil {
				break
			}
		}
		if failed == io.EOF || failed == io.ErrUnexpectedEOF {
			break
		}
		if failed != nil {
			return "", 0, Operation("storage.read", "what is to be stored cannot be read").CausedBy(failed)
		}
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return "", 0, c.failed("PutArtifact", err)
	}
	return answer.Digest, answer.Size, nil
}
