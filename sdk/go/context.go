// What every method of a role is handed: its call.
//
// A Context belongs to one call. What it tells goes through a bounded channel into the call's stream of events, in
// batches, so a plugin that is faster than its host waits. What it asks goes to service Host. Everything ends with
// Cancelled once the call is cancelled or over.

package wharf

import (
	"context"

	"wharf.invalid/wharf/wire"
)

// Context is what a method of a role is handed besides its request. It is a [context.Context] that ends when a stop is
// wanted, so it can be handed on to whatever takes one. It may be used by several goroutines at once, as long as the
// method runs.
type Context struct{ Ask }

// HookContext is what a hook is handed besides the step: it asks as every call does, and tells nothing but its answer.
type HookContext struct{ Ask }

// WithContext is the same call under another context, which must come from this one: for a time limit, or a group of
// goroutines that end together.
func (c *Context) WithContext(under context.Context) *Context {
	return &Context{Ask{Context: under, call: c.call}}
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
