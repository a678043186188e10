// Entries of a publication.

package wharf

import (
	"errors"

	"wharf.invalid/wharf/wire"
)

// PublishedFile is one file of a publication. Its methods change it and give it back.
type PublishedFile struct {
	wire *wire.PublishedFile
	err  error
}

func published(path string) *PublishedFile {
	return &PublishedFile{wire: &wire.PublishedFile{Path: path}, err: checkText("a published path", path)}
}

// FileOfUnit is a file of a unit of the published version, under the path that it has in its unit.
func FileOfUnit(path string, unit uint64, file string) *PublishedFile {
	made := published(path)
	made.wire.From = &wire.PublishedFile_Unit{Unit: &wire.UnitFile{Unit: unit, Path: file}}
	return made
}

// FileOfDigest is bytes in the store that belong to the published version, by sha256:HEX.
func FileOfDigest(path, digest string) *PublishedFile {
	made := published(path)
	made.wire.From = &wire.PublishedFile_Digest{Digest: digest}
	return made
}

// StagedFile is a file below [Context.WorkDir], named relative to it. The host takes it over.
func StagedFile(path, staged string) *PublishedFile {
	made := published(path)
	made.wire.From = &wire.PublishedFile_Staged{Staged: staged}
	made.err = errors.Join(made.err, checkText("a staged path", staged))
	return made
}

// InlineFile is the bytes themselves, at most 64 KiB.
func InlineFile(path string, bytes []byte) *PublishedFile {
	made := published(path)
	made.wire.From = &wire.PublishedFile_Inline{Inline: bytes}
	return made
}

// MediaType is the media type that clients are told.
func (f *PublishedFile) MediaType(mediaType string) *PublishedFile {
	f.wire.MediaType = mediaType
	return f
}

// ModifiedMs is when it was last changed, in milliseconds since 1970; without it, the time of going live.
func (f *PublishedFile) ModifiedMs(modified int64) *PublishedFile {
	f.wire.ModifiedMs = modified
	return f
}

// EntryPoint is a file that clients read first; the host asks for a fresh one on rollback.
func (f *PublishedFile) EntryPoint() *PublishedFile {
	f.wire.EntryPoint = true
	return f
}

// Header is a response header.
func (f *PublishedFile) Header(name, value string) *PublishedFile {
	if f.wire.Headers == nil {
		f.wire.Headers = map[string]string{}
	}
	f.wire.Headers[name] = value
	return f
}
