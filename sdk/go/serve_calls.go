// Running a method as a call: its goroutine, its stream of events, and its end.
//
// The goroutine that gRPC gives to a call is the only one that sends. The method runs in one of its own: when the host
// drops the call it is told, gets a grace time, and is left behind. A panic is a fault of this call, not the end of the
// process.

package wharf

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wharf.invalid/wharf/wire"
)

// Messages that may wait for the host. A message holds up to 1,000 entries, so a few are plenty.
const waiting = 4

// calls is what calls share: who owns their goroutines, what stops them all, how they reach the host.
type calls struct {
	dialer *dialer
	grace  time.Duration
	stop   context.Context
	cancel context.CancelFunc

	lock    sync.Mutex
	running sync.WaitGroup
	ending  sync.Once
}

func newCalls(dialer *dialer, grace time.Duration) *calls {
	stop, cancel := context.WithCancel(context.Background())
	return &calls{dialer: dialer, grace: grace, stop: stop, cancel: cancel}
}

// begin counts a call in, unless the plugin is stopping. Whoever was counted in must be counted out by running.Done.
func (c *calls) begin() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.stop.Err() != nil {
		return status.Error(codes.Unavailable, "the plugin is stopping")
	}
	c.running.Add(1)
	return nil
}

// end cancels all calls, refuses new ones, and waits until those that run are gone, but no longer than the grace time.
func (c *calls) end() { c.ending.Do(c.endOnce) }

func (c *calls) endOnce() {
	c.lock.Lock()
	c.cancel()
	c.lock.Unlock()
	gone := make(chan struct{})
	go func() {
		c.running.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(c.grace + c.grace/4):
		slog.Warn("calls are left behind: they did not end within the grace time", "grace", c.grace.String())
	}
	c.dialer.close()
}

// call is one long call.
type call struct {
	job     *wire.JobContext
	started time.Time
	host    *host
	// Ends with the host's wish, or the plugin's end.
	context context.Context
	batches *batches
	// Written by the method, read by the goroutine that sends; closed behind the last event.
	events chan *wire.Event
	// Closed when nobody reads events any more.
	over chan struct{}
	// What the call ends with in place of a closing event. Set before events is closed.
	refused error
}

// long runs a method as a long call, and gives the status that the call ends with.
func (c *calls) long(
	stream grpc.ServerStreamingServer[wire.Event], job *wire.JobContext, method func(*Context) (*Done, error),
) error {
	if err := c.begin(); err != nil {
		return err
	}
	defer c.running.Done()
	under, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(c.stop, cancel)()
	call := &call{
		job: job, started: time.Now(), context: under, batches: newBatches(),
		host:   &host{dialer: c.dialer, address: job.GetHostAddress(), token: job.GetToken()},
		events: make(chan *wire.Event, waiting), over: make(chan struct{}),
	}
	c.running.Go(func() { call.perform(method) })
	return call.deliver(stream, c.grace)
}

// perform runs the method, then sends what waits and the closing event. After it nothing counts, so nothing is taken.
func (c *call) perform(method func(*Context) (*Done, error)) {
	defer close(c.events)
	done, err := protected(func() (*Done, error) { return method(&Context{Ask{Context: c.context, call: c}}) })
	if err == nil && done.err != nil {
		err = done.err
	}
	var last *wire.Event
	if err != nil {
		known := asError(err, c.context.Err() != nil)
		if known.notOffered {
			c.refused = known.toStatus()
			return
		}
		last = errorEvent(known)
	} else {
		last = &wire.Event{Event: &wire.Event_Result{Result: done.wire}}
	}
	for _, event := range append(c.batches.close(), last) {
		select {
		case c.events <- event:
		case <-c.over:
			return
		}
	}
}

// deliver sends the events until the last one, or until the grace time after a cancel is over.
func (c *call) deliver(stream grpc.ServerStreamingServer[wire.Event], grace time.Duration) error {
	defer close(c.over)
	cancelled, tooLate := c.context.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case event, more := <-c.events:
			if !more {
				return c.refused
			}
			if err := stream.Send(event); err != nil {
				return err
			}
		case <-cancelled:
			cancelled, tooLate = nil, time.After(grace)
		case <-tooLate:
			slog.Warn("a call is left behind: it did not end within the grace time", "job", c.job.GetJob())
			return stream.Send(errorEvent(Cancelled()))
		}
	}
}

// protected runs a method; a panic becomes a fault, whose trace goes to the log.
func protected[T any](method func() (*T, error)) (answer *T, err error) {
	finished := false
	defer func() {
		panicked := recover()
		if finished {
			return
		}
		slog.Error("a method of the plugin panicked", "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
		answer, err = nil, Fault("internal.panic", fmt.Sprintf("the plugin panicked: %v", panicked))
	}()
	answer, err = method()
	if err == nil && answer == nil {
		err = Fault("internal.result", "the method gave neither a result nor an error")
	}
	finished = true
	return answer, err
}

// short answers a call with one message: refuses it while stopping, and turns a panic into a fault.
func short[T any](c *calls, method func() (*T, error)) (*T, error) {
	if err := c.begin(); err != nil {
		return nil, err
	}
	defer c.running.Done()
	answer, err := protected(method)
	if err != nil {
		return nil, asError(err, false).toStatus()
	}
	return answer, nil
}

// asking answers a call with one message, by a method that may ask the host.
func asking[T any](
	ctx context.Context, c *calls, job *wire.JobContext, method func(Ask) (*T, error),
) (*T, error) {
	under, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.stop, cancel)()
	known := &call{
		job: job, started: time.Now(), context: under,
		host: &host{dialer: c.dialer, address: job.GetHostAddress(), token: job.GetToken()},
	}
	return short(c, func() (*T, error) { return method(Ask{Context: under, call: known}) })
}
