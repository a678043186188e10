// What every method of a role is handed: its call.
//
// A Context belongs to one call. What it tells goes through a bounded channel into the call's stream of events, in
// batches, so a plugin that is faster than its host waits. What it asks goes to service Host. Everything ends with
// Cancelled once the call is cancelled or over.

package wharf

import (
	"context"
	"path/filepath"
	"time"

	"wharf.invalid/wharf/wire"
)

// Context is what a method of a role is handed besides its request. It is a [context.Context] that ends when a stop is
// wanted, so it can be handed on to whatever takes one. It may be used by several goroutines at once, as long as the
// method runs.
type Context struct {
	context.Context
	call *call
}

// WithContext is the same call under another context, which must come from this one: for a time limit, or a group of
// goroutines that end together.
func (c *Context) WithContext(under context.Context) *Context {
	return &Context{Context: under, call: c.call}
}

// JobNumber is the job's number, for logs.
func (c *Context) JobNumber() uint64 { return c.call.job.GetJob() }

// Attempt is 1 for the first try, 2 for the retry after a fault.
func (c *Context) Attempt() uint32 { return c.call.job.GetAttempt() }

// WorkDir is the job's private folder, absolute. Files for the host are staged in it and named relative to it.
func (c *Context) WorkDir() string { return c.call.job.GetWorkDir() }

// InWorkDir is the absolute path of a file in the work folder.
func (c *Context) InWorkDir(name string) string { return filepath.Join(c.WorkDir(), name) }

// Traceparent is the W3C trace context of the call, or empty.
func (c *Context) Traceparent() string { return c.call.job.GetTraceparent() }

// TimeLeft is how much time is left; it says false when no limit is set.
func (c *Context) TimeLeft() (left time.Duration, limited bool) {
	limit := time.Duration(c.call.job.GetDeadlineMs()) * time.Millisecond
	return max(limit-time.Since(c.call.started), 0), limit > 0
}

// IsCancelled says whether a stop is wanted. Done says so as soon as it is.
func (c *Context) IsCancelled() bool { return c.call.context.Err() != nil }

// ended is what a call of the context ends with once the context is over.
func (c *Context) ended() error {
	if c.Err() == nil || c.IsCancelled() {
		return Cancelled()
	}
	return context.Cause(c)
}

// send sends one event, waiting while the host is behind.
func (c *Context) send(event *wire.Event) error {
	// Of several ways that are open, select takes any: a cancel comes first.
	if c.Err() != nil {
		return c.ended()
	}
	select {
	case c.call.events <- event:
		return nil
	case <-c.Done():
		return c.ended()
	case <-c.call.over:
		return Cancelled()
	}
}

// Flush sends everything that still waits in batches. Authors rarely need this: batches are sent when full, when older
// than a second, and at the end.
func (c *Context) Flush() error {
	for _, event := range c.call.batches.takeAll() {
		if err := c.send(event); err != nil {
			return err
		}
	}
	return nil
}
