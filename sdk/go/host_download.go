// Files that the plugin itself must read, downloaded by the host.

package wharf

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"

	"wharf.invalid/wharf/wire"
)

// Download is one file to download. Its methods change it and give it back.
type Download struct {
	wire *wire.Download
	err  error
}

// DownloadFrom is a download from this address.
func DownloadFrom(url string) *Download {
	return (&Download{wire: &wire.Download{}}).OrFrom(url, nil)
}

// OrFrom is another address to try when those before fail, with request headers.
func (d *Download) OrFrom(url string, headers map[string]string) *Download {
	d.wire.Sources = append(d.wire.Sources, &wire.Source{Url: url, Headers: headers})
	d.err = errors.Join(d.err, checkText("an address", url))
	return d
}

// Size is the size that the file must have.
func (d *Download) Size(bytes uint64) *Download {
	d.wire.Size = &bytes
	return d
}

// Digest is a digest that the file must have, as ALGORITHM:HEX.
func (d *Download) Digest(digest string) *Download {
	d.wire.Digests = append(d.wire.Digests, digest)
	return d
}

// MaxBytes is how many bytes the host takes before it gives up.
func (d *Download) MaxBytes(bytes uint64) *Download {
	d.wire.MaxBytes = bytes
	return d
}

// UnlessUnchanged gives the validators of an earlier download; empty ones are left out. Unchanged files are not sent
// again.
func (d *Download) UnlessUnchanged(etag, lastModified string) *Download {
	d.wire.IfNoneMatch, d.wire.IfModifiedSince = etag, lastModified
	return d
}

// Downloaded is a finished download.
type Downloaded struct {
	// Index is the place in the list of downloads.
	Index int
	// Err is what became of a download that failed; nothing else but Index is set then.
	Err error
	// Staged is the file, relative to [Context.WorkDir]; empty when nothing changed.
	Staged string
	// Size is in bytes.
	Size uint64
	// Digest is sha256:HEX.
	Digest string
	// NotModified says that nothing changed since the validators were given out.
	NotModified bool
	// ETag and LastModified are the validators to give back next time, as the server wrote them; may be empty.
	ETag, LastModified string
	// FinalURL is where it came from in the end, after redirects.
	FinalURL string
	// MediaType is what the server called it.
	MediaType string
}

func downloadedFromWire(sent *wire.Downloaded, first int) *Downloaded {
	read := &Downloaded{
		Index: first + int(sent.Index), Staged: sent.Staged, Size: sent.Size, Digest: sent.Digest,
		NotModified: sent.NotModified, ETag: sent.Etag, LastModified: sent.LastModified, FinalURL: sent.FinalUrl,
		MediaType: sent.MediaType,
	}
	if sent.Error != nil {
		read = &Downloaded{Index: read.Index, Err: errorFromWire(sent.Error)}
	}
	return read
}

// DownloadAll has the host download many files into the work folder; each is given as it is done. The error of the
// sequence is that of the call; what became of one download is in its own Err.
func (c *Ask) DownloadAll(downloads ...*Download) iter.Seq2[*Downloaded, error] {
	return func(yield func(*Downloaded, error) bool) {
		for first := 0; first < len(downloads); first += maxEntries {
			request := &wire.DownloadRequest{}
			for _, download := range downloads[first:min(first+maxEntries, len(downloads))] {
				if download.err != nil {
					yield(nil, download.err)
					return
				}
				request.Items = append(request.Items, download.wire)
			}
			ask := func(ctx context.Context, host wire.HostClient) (grpc.ServerStreamingClient[wire.Downloaded], error) {
				return host.Download(ctx, request)
			}
			for answer, err := range answers(c, "Download", ask) {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(downloadedFromWire(answer, first), nil) {
					return
				}
			}
		}
	}
}

// answers are those of a call to the host, one by one. Who takes no more ends the call.
func answers[T any](
	c *Ask, call string,
	ask func(context.Context, wire.HostClient) (grpc.ServerStreamingClient[T], error),
) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		host, err := c.call.host.client()
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(c)
		defer cancel()
		stream, err := ask(ctx, host)
		if err != nil {
			yield(nil, c.failed(call, err))
			return
		}
		for {
			answer, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, c.failed(call, err))
				return
			}
			if !yield(answer, nil) {
				return
			}
		}
	}
}
