package wharftest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"wharf.invalid/wharf/wire"
)

// How long a test waits for a plugin's next event.
const patience = 30 * time.Second

type events = grpc.ServerStreamingClient[wire.Event]

// Running is a call whose events are taken one by one.
type Running struct {
	t        testing.TB
	stream   events
	failed   error
	cancel   context.CancelFunc
	contract *contract
}

// start makes a call that ends with the test at the latest.
func (h *Harness) start(call func(context.Context) (events, error)) *Running {
	ctx, cancel := context.WithCancel(h.t.Context())
	h.t.Cleanup(cancel)
	stream, err := call(ctx)
	return &Running{
		t: h.t, stream: stream, failed: err, cancel: cancel, contract: &contract{t: h.t, types: h.plugin.Types},
	}
}

// Cancel cancels the call, as a host would.
func (r *Running) Cancel() { r.cancel() }

// Next is the next event; nil at the end. The error is the status that the call ended with. The test fails when the plugin
// stays silent for half a minute, or breaks the contract.
func (r *Running) Next() (*wire.Event, error) {
	r.t.Helper()
	if r.failed != nil {
		return nil, r.failed
	}
	silent := time.AfterFunc(patience, r.cancel)
	event, err := r.stream.Recv()
	if !silent.Stop() {
		r.t.Fatal("the plugin said nothing for half a minute")
	}
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.contract.check(event)
	return event, nil
}

// Finish takes the rest.
func (r *Running) Finish() *Run {
	r.t.Helper()
	defer r.cancel()
	run := &Run{t: r.t}
	for {
		event, err := r.Next()
		if err != nil {
			run.Status = status.Convert(err)
			return run
		}
		if event == nil {
			r.contract.checkEnd()
			return run
		}
		run.add(event)
	}
}

// Run is everything that a call told, sorted by kind, each kind in order.
type Run struct {
	t testing.TB
	// Units are declared units; Kept, Removed and Resolved those of the events of the same names.
	Units    []*wire.Unit
	Kept     []*wire.Keep
	Removed  []*wire.UnitRef
	Resolved []*wire.UnitRef
	// Listed are listed items.
	Listed []*wire.ListedItem
	// Contents are answers of Fetch.
	Contents []*wire.Content
	// Files are those of the publication; Variants are variants of paths, Aliases second names.
	Files    []*wire.PublishedFile
	Variants []*wire.Variant
	Aliases  []*wire.Alias
	// Items are outcomes.
	Items []*wire.Item
	// Warnings, Logs, and Progress as far as it was not thinned out.
	Warnings []*wire.Warning
	Logs     []*wire.Log
	Progress []*wire.Progress
	// Others are all other events.
	Others []*wire.Event
	// Result is the good end, Error the bad end, Status that of a call that ended without either.
	Result *wire.Result
	Error  *wire.Error
	Status *status.Status
}

func (r *Run) add(event *wire.Event) {
	switch told := event.Event.(type) {
	case *wire.Event_Units:
		r.Units = append(r.Units, told.Units.Units...)
	case *wire.Event_Keep:
		r.Kept = append(r.Kept, told.Keep)
	case *wire.Event_Remove:
		r.Removed = append(r.Removed, told.Remove.Units...)
	case *wire.Event_Resolved:
		r.Resolved = append(r.Resolved, told.Resolved.Units...)
	case *wire.Event_Listed:
		r.Listed = append(r.Listed, told.Listed.Items...)
	case *wire.Event_Content:
		r.Contents = append(r.Contents, told.Content)
	case *wire.Event_Files:
		r.Files = append(r.Files, told.Files.Files...)
	case *wire.Event_Variants:
		r.Variants = append(r.Variants, told.Variants.Variants...)
	case *wire.Event_Aliases:
		r.Aliases = append(r.Aliases, told.Aliases.Aliases...)
	case *wire.Event_Items:
		r.Items = append(r.Items, told.Items.Items...)
	case *wire.Event_Warning:
		r.Warnings = append(r.Warnings, told.Warning)
	case *wire.Event_Log:
		r.Logs = append(r.Logs, told.Log)
	case *wire.Event_Progress:
		r.Progress = append(r.Progress, told.Progress)
	case *wire.Event_Result:
		r.Result = told.Result
	case *wire.Event_Error:
		r.Error = told.Error
	default:
		r.Others = append(r.Others, event)
	}
}

// Keys are the keys of the declared units.
func (r *Run) Keys() []string {
	keys := make([]string, len(r.Units))
	for i, unit := range r.Units {
		keys[i] = unit.Key
	}
	return keys
}

// Bytes are those of all chunks of a fetch.
func (r *Run) Bytes() []byte {
	var bytes []byte
	for _, content := range r.Contents {
		bytes = append(bytes, content.GetChunk()...)
	}
	return bytes
}

// Done is the good end. The test fails when the call ended otherwise.
func (r *Run) Done() *wire.Result {
	r.t.Helper()
	if r.Result == nil {
		r.t.Fatalf("the call ended with %v %v", r.Error, r.Status)
	}
	return r.Result
}

// Failure is the error. The test fails when the call ended otherwise.
func (r *Run) Failure() *wire.Error {
	r.t.Helper()
	if r.Error == nil {
		r.t.Fatalf("the call ended with %v %v", r.Result, r.Status)
	}
	return r.Error
}

// State is the state to keep, for the next run.
func (r *Run) State() []byte {
	r.t.Helper()
	return r.Done().State
}
