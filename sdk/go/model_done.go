// The good end of a call.

package wharf

import (
	"errors"

	"wharf.invalid/wharf/wire"
)

// Done is the good end of a long call: what a method gives when it did its work. Its methods change it and give it back;
// what went wrong in one of them makes the call a fault.
type Done struct {
	wire *wire.Result
	err  error
}

// Changed says that something was done. Whether a new version appears is decided by the host's comparison.
func Changed() *Done {
	return &Done{wire: &wire.Result{Changed: true}}
}

// Unchanged says that all went well and nothing was changed.
func Unchanged() *Done {
	return &Done{wire: &wire.Result{}}
}

// NothingToDo says that upstream has nothing new: the base version stands as it is. Only for Sync.
func NothingToDo() *Done {
	return &Done{wire: &wire.Result{NothingToDo: true}}
}

// Announced is how many units or items upstream announced; the host compares it with what came.
func (d *Done) Announced(count uint64) *Done {
	d.wire.Announced = &count
	return d
}

// Summary is a struct or map that is shown to the user.
func (d *Done) Summary(summary any) *Done {
	written, err := toObject("the summary", summary)
	d.wire.Summary, d.err = written, errors.Join(d.err, err)
	return d
}

// Outputs is a struct or map for rules and dependent jobs.
func (d *Done) Outputs(outputs any) *Done {
	written, err := toObject("the outputs", outputs)
	d.wire.Outputs, d.err = written, errors.Join(d.err, err)
	return d
}

// State is kept with the attachment if the job succeeds, as JSON; [Attachment.ReadState] reads it next time.
func (d *Done) State(state any) *Done {
	written, err := toJSON("the state", state)
	d.wire.State, d.err = []byte(written), errors.Join(d.err, err)
	return d
}

// StateBytes is as [Done.State], in the plugin's own encoding.
func (d *Done) StateBytes(state []byte) *Done {
	d.wire.State = state
	return d
}

// Identifier is the provider's identifier of what was pushed. Only for Publish with profile push.
func (d *Done) Identifier(identifier string) *Done {
	d.wire.Identifier = identifier
	return d
}
