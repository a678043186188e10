// What every context knows of its job, and can ask of the host.

package wharf

import (
	"context"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	"wharf.invalid/wharf/wire"
)

// Ask is the part of a context that asks. What it asks ends with [Cancelled] once the call is cancelled or over.
type Ask struct {
	context.Context
	call *call
}

// JobNumber is the job's number, for logs.
func (c *Ask) JobNumber() uint64 { return c.call.job.GetJob() }

// Attempt is 1 for the first try, 2 for the retry after a fault.
func (c *Ask) Attempt() uint32 { return c.call.job.GetAttempt() }

// WorkDir is the job's private folder, absolute. Files for the host are staged in it and named relative to it.
func (c *Ask) WorkDir() string { return c.call.job.GetWorkDir() }

// InWorkDir is the absolute path of a file in the work folder.
func (c *Ask) InWorkDir(name string) string { return filepath.Join(c.WorkDir(), name) }

// Traceparent is the W3C trace context of the call, or empty.
func (c *Ask) Traceparent() string { return c.call.job.GetTraceparent() }

// TimeLeft is how much time is left; it says false when no limit is set.
func (c *Ask) TimeLeft() (left time.Duration, limited bool) {
	limit := time.Duration(c.call.job.GetDeadlineMs()) * time.Millisecond
	return max(limit-time.Since(c.call.started), 0), limit > 0
}

// IsCancelled says whether a stop is wanted. Done says so as soon as it is.
func (c *Ask) IsCancelled() bool { return c.call.context.Err() != nil }

// ended is what a call of the context ends with once the context is over.
func (c *Ask) ended() error {
	if c.Err() == nil || c.IsCancelled() {
		return Cancelled()
	}
	return context.Cause(c)
}

// Host is the whole service Host, as gRPC has it: each call carries the job's token. Not every host offers every call;
// what it does not offer ends with the gRPC status Unimplemented.
func (c *Ask) Host() (wire.HostClient, error) {
	return c.call.host.client()
}

// Download has the host download one file into the work folder. The error is what the host says about it.
func (c *Ask) Download(download *Download) (*Downloaded, error) {
	for done, err := range c.DownloadAll(download) {
		if err != nil {
			return nil, err
		}
		return done, done.Err
	}
	return nil, Fault("internal.host", "the host left a download unanswered")
}

// failed is what a call to the host ended with.
func (c *Ask) failed(call string, err error) error {
	if c.Err() != nil {
		return c.ended()
	}
	return errorFromStatus(call, err)
}

// ask makes a call to the host that is answered once: the method of the client that is named.
func ask[Request, Answer any](
	c *Ask, call string, request *Request,
	method func(wire.HostClient, context.Context, *Request, ...grpc.CallOption) (*Answer, error),
) (*Answer, error) {
	host, err := c.call.host.client()
	if err != nil {
		return nil, err
	}
	answer, err := method(host, c, request)
	if err != nil {
		return nil, c.failed(call, err)
	}
	return answer, nil
}
