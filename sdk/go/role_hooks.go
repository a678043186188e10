// Having a say before and after steps of other components' runs.

package wharf

import (
	"errors"
	"strings"

	"wharf.invalid/wharf/wire"
)

// Hooks answers for the hooks that the manifest's components subscribe to. Embed [HooksBase].
//
// A usage or operation error that a method gives is its answer: it refuses the step, or says that what comes after it
// failed. Any other error is a fault.
type Hooks interface {
	// Before decides on a step that is about to be made.
	Before(ctx *HookContext, step *Step) (*Before, error)
	// After is told that a step was made, or failed: the place to clean up. It may change what was made.
	After(ctx *HookContext, step *Step) (*After, error)
}

// HooksBase answers "not offered" to what an author does not write.
type HooksBase struct{}

// Before is not offered.
func (HooksBase) Before(_ *HookContext, step *Step) (*Before, error) {
	return nil, NotOffered("a hook before " + step.Name)
}

// After is not offered.
func (HooksBase) After(_ *HookContext, step *Step) (*After, error) {
	return nil, NotOffered("a hook after " + step.Name)
}

// Step is a step that the manifest subscribes to.
type Step struct {
	// Name is build.base, build.target, publish, unpublish, sync or upload.
	Name string
	// SubjectText is a JSON object that describes what the step is about.
	SubjectText string
	// Outcome is, for After, how the step ended; 0 before the step, and when not known.
	Outcome Outcome
	// Err is, for After, why the step failed.
	Err error
	// Instance is the component that subscribed, with its settings.
	Instance Instance
	// ParametersText is what the request says to this component: a JSON object.
	ParametersText string
	// Parent is what the step makes its object of: a base image, its files staged below [HookContext.WorkDir]; nil: none.
	// What a hook changes there is what the step is handed.
	Parent *Unit
	// Unit is, for After, what the step made, its files staged; nil: nothing.
	Unit *Unit
}

// Subject reads what the step is about into the author's own type. A usage error says what does not fit.
func (s *Step) Subject(into any) error {
	return fromObject("the step's subject", s.SubjectText, into)
}

// Parameters reads the parameters into the author's own type. A usage error says what does not fit.
func (s *Step) Parameters(into any) error {
	return fromObject("the parameters", s.ParametersText, into)
}

func stepFromWire(sent *wire.HookRequest) *Step {
	_, name, _ := strings.Cut(sent.Name, ":")
	step := &Step{
		Name: name, SubjectText: sent.Subject, Outcome: Outcome(sent.Outcome),
		Instance: instanceFromWire(sent.Instance), ParametersText: sent.Parameters,
	}
	if sent.Parent != nil {
		step.Parent = unitFromWire(sent.Parent)
	}
	if sent.Unit != nil {
		step.Unit = unitFromWire(sent.Unit)
	}
	if sent.Error != nil {
		step.Err = errorFromWire(sent.Error)
	}
	return step
}

// Before is the answer before a step: one of four decisions, and what the step is given.
type Before struct {
	wire *wire.HookResponse
	err  error
}

// Proceed says that the step is made.
func Proceed() *Before {
	return &Before{wire: &wire.HookResponse{Decision: wire.HookDecision_HOOK_DECISION_PROCEED}}
}

// Skip says that the step counts as done, and nothing is made.
func Skip() *Before {
	return &Before{wire: &wire.HookResponse{Decision: wire.HookDecision_HOOK_DECISION_SKIP}}
}

// Replace says that the hook made the object itself: this unit, with staged files.
func Replace(unit *Unit) *Before {
	decision := wire.HookDecision_HOOK_DECISION_REPLACE
	return &Before{wire: &wire.HookResponse{Decision: decision, Unit: unit.wire}, err: unit.err}
}

// Refuse says that the step must not be made. A usage or operation error in place of an answer says the same.
func Refuse(reason *Error) *Before {
	decision := wire.HookDecision_HOOK_DECISION_REFUSE
	return &Before{wire: &wire.HookResponse{Decision: decision, Error: reason.toWire()}}
}

// Contribution gives something to the step.
func (b *Before) Contribution(contribution Contribution) *Before {
	b.wire.Contributions = append(b.wire.Contributions, contribution.Wire())
	return b
}

// After is the answer after a step.
type After struct {
	wire *wire.HookResponse
	err  error
}

// AfterUnchanged says that what was made stays as it is.
func AfterUnchanged() *After {
	return &After{wire: &wire.HookResponse{Decision: wire.HookDecision_HOOK_DECISION_PROCEED}}
}

// AfterChanged says that what was made becomes this unit, with staged files. Attributes and files that it has none of stay.
func AfterChanged(unit *Unit) *After {
	after := AfterUnchanged()
	after.wire.Unit, after.err = unit.wire, unit.err
	return after
}

// hooked calls a hook. What the contract expects to go wrong is its answer, not a failed call.
func hooked(hooks Hooks, ctx *HookContext, sent *wire.HookRequest) (*wire.HookResponse, error) {
	step := stepFromWire(sent)
	if strings.HasPrefix(sent.Name, "before:") {
		answer, err := hooks.Before(ctx, step)
		if reason := expected(err); reason != nil {
			return Refuse(reason).wire, nil
		}
		if err != nil || answer == nil {
			return nil, err
		}
		return answer.wire, answer.err
	}
	answer, err := hooks.After(ctx, step)
	if reason := expected(err); reason != nil {
		answer := AfterUnchanged().wire
		answer.Error = reason.toWire()
		return answer, nil
	}
	if err != nil || answer == nil {
		return nil, err
	}
	return answer.wire, answer.err
}

// expected is the usage or operation error in an error; nil if there is none.
func expected(err error) *Error {
	var known *Error
	if !errors.As(err, &known) || known.notOffered {
		return nil
	}
	if known.class == ClassUsage || known.class == ClassOperation {
		return known
	}
	return nil
}
