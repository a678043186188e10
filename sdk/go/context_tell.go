// What every call can tell: log lines, progress, warnings, outcomes, products.

package wharf

import (
	"log/slog"

	"wharf.invalid/wharf/wire"
)

// Progress is how far the plugin is.
type Progress struct {
	// Done is how much is done, of Total; a total of 0 means that it is not known.
	Done, Total uint64
	// Unit is what is counted: "files", "bytes".
	Unit string
	// Phase is a word for what goes on: "reading index".
	Phase string
	// Activity is what is being worked on right now: a file's name.
	Activity string
	// SubDone and SubTotal are a second level below the first.
	SubDone, SubTotal uint64
}

// Outcome is what became of an item that the plugin decided on itself. Outcomes of declared units are the host's to tell.
type Outcome int

// The outcomes.
const (
	// OutcomeAdded says that the item is new.
	OutcomeAdded = Outcome(wire.Outcome_OUTCOME_ADDED)
	// OutcomeChanged says that it is another one than before.
	OutcomeChanged = Outcome(wire.Outcome_OUTCOME_CHANGED)
	// OutcomeUnchanged says that it is as before.
	OutcomeUnchanged = Outcome(wire.Outcome_OUTCOME_UNCHANGED)
	// OutcomeRemoved says that it is gone.
	OutcomeRemoved = Outcome(wire.Outcome_OUTCOME_REMOVED)
	// OutcomeSkipped says that it was left out on purpose.
	OutcomeSkipped = Outcome(wire.Outcome_OUTCOME_SKIPPED)
	// OutcomeFailed says that it failed. Of items [Context.Failed] says it, with the reason.
	OutcomeFailed = Outcome(wire.Outcome_OUTCOME_FAILED)
)

// Log is a line of the job's log, for its user. A line that cannot be sent any more is dropped: whatever ended the call
// shows at the next thing that counts. Lines for the operator go through log/slog.
func (c *Context) Log(level slog.Level, line string) {
	c.LogWith(level, line, nil)
}

// LogWith is a line of the job's log with fields.
func (c *Context) LogWith(level slog.Level, line string, fields map[string]string) {
	sent := wire.LogLevel_LOG_LEVEL_TRACE
	switch {
	case level >= slog.LevelError:
		sent = wire.LogLevel_LOG_LEVEL_ERROR
	case level >= slog.LevelWarn:
		sent = wire.LogLevel_LOG_LEVEL_WARN
	case level >= slog.LevelInfo:
		sent = wire.LogLevel_LOG_LEVEL_INFO
	case level >= slog.LevelDebug:
		sent = wire.LogLevel_LOG_LEVEL_DEBUG
	}
	valid := make(map[string]string, len(fields))
	for key, value := range fields {
		valid[text(key)] = text(value)
	}
	log := &wire.Log{Level: sent, Text: text(line), Fields: valid}
	_ = c.send(&wire.Event{Event: &wire.Event_Log{Log: log}})
}

// Progress tells how far the call is. May be called as often as one likes: it is thinned out here.
func (c *Context) Progress(progress Progress) {
	event := &wire.Event{Event: &wire.Event_Progress{Progress: &wire.Progress{
		Done: progress.Done, Total: progress.Total, Unit: text(progress.Unit), Phase: text(progress.Phase),
		Activity: text(progress.Activity), SubDone: progress.SubDone, SubTotal: progress.SubTotal,
	}}}
	if due := c.call.batches.thin(event); due != nil {
		_ = c.send(due)
	}
}

// Warn is something that the user should know; nothing was lost. Code: stable, dotted. Item: what it is about, or empty.
func (c *Context) Warn(code, message, item string) error {
	warning := &wire.Warning{Code: text(code), Text: text(message), Item: text(item)}
	return c.send(&wire.Event{Event: &wire.Event_Warning{Warning: warning}})
}

// Item is what became of an item.
func (c *Context) Item(key string, outcome Outcome) error {
	return add(c, &c.call.batches.items, &wire.Item{Key: text(key), Outcome: wire.Outcome(outcome)}, nil)
}

// Failed says that an item failed; the run goes on, and ends as partial.
func (c *Context) Failed(key string, failure error) error {
	described := *asError(failure, false)
	item := &wire.Item{
		Key: text(key), Outcome: wire.Outcome_OUTCOME_FAILED, Error: described.ForItem(key).toWire(),
	}
	return add(c, &c.call.batches.items, item, nil)
}

// Metadata is kept as the new version's info: a struct or map.
func (c *Context) Metadata(info any) error {
	written, err := toObject("the version's metadata", info)
	if err != nil {
		return err
	}
	return c.send(&wire.Event{Event: &wire.Event_Metadata{Metadata: written}})
}

// Output is a product that is not a unit, staged in the work folder.
func (c *Context) Output(name, mediaType, staged string) error {
	output := &wire.Output{Name: text(name), MediaType: mediaType, Bytes: &wire.Output_Staged{Staged: staged}}
	return c.send(&wire.Event{Event: &wire.Event_Output{Output: output}})
}

// Link is an address for the user to go on at.
func (c *Context) Link(label, url string) error {
	return c.send(&wire.Event{Event: &wire.Event_Link{Link: &wire.WebLink{Label: text(label), Url: text(url)}}})
}

// Job is another job that the plugin asks for.
func (c *Context) Job(job *Job) error {
	if job.err != nil {
		return job.err
	}
	return c.send(&wire.Event{Event: &wire.Event_Job{Job: job.wire}})
}

// Checkpoint says where a retry of this job may go on from. Everything told before it arrives before it.
func (c *Context) Checkpoint(data []byte) error {
	if err := c.Flush(); err != nil {
		return err
	}
	return c.send(&wire.Event{Event: &wire.Event_Checkpoint{Checkpoint: &wire.Checkpoint{Data: data}}})
}
