// What a call can ask of the host.

package wharf

import "wharf.invalid/wharf/wire"

// Host is the whole service Host, for its rarer calls: each carries the job's token. Not every host offers every call;
// what it does not offer ends with the gRPC status Unimplemented.
func (c *Context) Host() (wire.HostClient, error) {
	return c.call.host.client()
}

// Download has the host download one file into the work folder. The error is what the host says about it.
func (c *Context) Download(download *Download) (*Downloaded, error) {
	for done, err := range c.DownloadAll(download) {
		if err != nil {
			return nil, err
		}
		return done, done.Err
	}
	return nil, Fault("internal.host", "the host left a download unanswered")
}

// failed is what a call to the host ended with.
func (c *Context) failed(call string, err error) error {
	if c.Err() != nil {
		return c.ended()
	}
	return errorFromStatus(call, err)
}
