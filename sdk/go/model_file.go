// Files of units.

package wharf

import (
	"errors"
	"strings"

	"wharf.invalid/wharf/wire"
)

// File is one file of a unit: where it lies, what its bytes must be, and how the host comes by them.
//
// The bytes come from one place only: [File.URL], [File.Staged] or [File.Inline]; or from none of them, when the importer
// offers fetch or the host has the bytes already.
type File struct {
	wire *wire.File
	err  error
}

// FileAt is a file at a relative path inside its unit, which is also its place in a published tree by default.
func FileAt(path string) *File {
	return &File{wire: &wire.File{Path: path}, err: checkText("a file's path", path)}
}

// Size is the size in bytes, if it is known.
func (f *File) Size(bytes uint64) *File {
	f.wire.Size = &bytes
	return f
}

// SHA256 is the SHA-256 in 64 hex digits, lower case.
func (f *File) SHA256(hex string) *File {
	return f.Digest("sha256:" + hex)
}

// Digest is a digest as ALGORITHM:HEX; several are allowed, the strongest one is checked.
func (f *File) Digest(digest string) *File {
	f.wire.Digests = append(f.wire.Digests, digest)
	return f
}

// URL is an address where the host gets the bytes: https, http or file. Several are tried in order.
func (f *File) URL(url string) *File {
	return f.URLWith(url, nil)
}

// URLWith is an address that wants request headers.
func (f *File) URLWith(url string, headers map[string]string) *File {
	f.wire.Sources = append(f.wire.Sources, &wire.Source{Url: url, Headers: headers})
	f.err = errors.Join(f.err, checkText("an address", url))
	return f
}

// Staged is a file below [Context.WorkDir], named relative to it. The host takes it over.
func (f *File) Staged(path string) *File {
	f.wire.Staged = &path
	f.err = errors.Join(f.err, checkText("a staged path", path))
	return f
}

// Inline is the bytes themselves, at most 64 KiB.
func (f *File) Inline(bytes []byte) *File {
	if bytes == nil {
		bytes = []byte{}
	}
	f.wire.Inline = bytes
	return f
}

// Eager has the file fetched in this job even when the policy is on demand.
func (f *File) Eager() *File {
	f.wire.Eager = true
	return f
}

// MediaType is the media type, such as text/plain.
func (f *File) MediaType(mediaType string) *File {
	f.wire.MediaType = mediaType
	return f
}

// Path is the relative path.
func (f *File) Path() string { return f.wire.Path }

// Bytes is the size in bytes, if it is known.
func (f *File) Bytes() (size uint64, known bool) {
	return f.wire.GetSize(), f.wire.Size != nil
}

// Hex is the hex digits of a digest of this algorithm, or empty.
func (f *File) Hex(algorithm string) string {
	for _, digest := range f.wire.Digests {
		if name, hex, _ := strings.Cut(digest, ":"); name == algorithm {
			return hex
		}
	}
	return ""
}

// URLs are the addresses, in the order they are tried.
func (f *File) URLs() []string {
	var urls []string
	for _, source := range f.wire.Sources {
		urls = append(urls, source.Url)
	}
	return urls
}

// StagedPath is where it was staged, relative to the work folder; set for uploaded files.
func (f *File) StagedPath() string { return f.wire.GetStaged() }

// Wire is the message that the file is, for tests.
func (f *File) Wire() *wire.File { return f.wire }

func filesFromWire(sent []*wire.File) []*File {
	files := make([]*File, len(sent))
	for i, file := range sent {
		files[i] = &File{wire: file}
	}
	return files
}
