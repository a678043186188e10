// What every component answers, whatever its role.

package wharf

import (
	"context"
	"errors"

	"wharf.invalid/wharf/wire"
)

// Component is what every component answers besides the calls of its role. The base of each role answers for those that
// an author does not write.
type Component interface {
	// Check checks and normalises settings or arguments before they are stored or used. The host has held them against
	// the manifest's schema already.
	Check(ctx context.Context, check *Check) (*Checked, error)
	// Ready says whether an instance could work now. Errors of the answer are the reasons why not.
	Ready(ctx context.Context, instance *Instance) (*Checked, error)
	// Choices are those of a form's field, given what is filled in so far.
	Choices(ctx context.Context, field string, filled *Check) ([]*Choice, error)
	// Attached says that an instance was bound to a repository.
	Attached(ctx context.Context, attachment *Attachment) error
	// Detached says that an instance is about to be unbound from a repository.
	Detached(ctx context.Context, attachment *Attachment) error
	// Plan splits a request into jobs; none means one job, as asked.
	Plan(ctx context.Context, plan *Plan) ([]*Job, error)
}

// ComponentBase answers what a component says nothing about. Roles embed it.
type ComponentBase struct{}

// Check finds everything good.
func (ComponentBase) Check(context.Context, *Check) (*Checked, error) { return Good(), nil }

// Ready finds everything good.
func (ComponentBase) Ready(context.Context, *Instance) (*Checked, error) { return Good(), nil }

// Choices are not offered.
func (ComponentBase) Choices(context.Context, string, *Check) ([]*Choice, error) {
	return nil, NotOffered("choices")
}

// Attached does nothing.
func (ComponentBase) Attached(context.Context, *Attachment) error { return nil }

// Detached does nothing.
func (ComponentBase) Detached(context.Context, *Attachment) error { return nil }

// Plan makes one job.
func (ComponentBase) Plan(context.Context, *Plan) ([]*Job, error) { return nil, nil }

// CheckScope says what values are for.
type CheckScope int

// The scopes of checks.
const (
	// CheckInstance is the settings of an instance.
	CheckInstance = CheckScope(wire.CheckScope_CHECK_SCOPE_INSTANCE)
	// CheckAttachment is the settings of an attachment.
	CheckAttachment = CheckScope(wire.CheckScope_CHECK_SCOPE_ATTACHMENT)
	// CheckArguments is the arguments of an action.
	CheckArguments = CheckScope(wire.CheckScope_CHECK_SCOPE_ARGUMENTS)
)

// Check is values to check.
type Check struct {
	// Scope is what the values are for; 0 in Choices.
	Scope CheckScope
	// ValuesText is a JSON object.
	ValuesText string
	// Repository is the repository, for an attachment.
	Repository string
	// PreviousText is a JSON object: the values that are stored now, or empty.
	PreviousText string
	ask          *Ask
}

// Values reads the values into the author's own type. A usage error says what does not fit.
func (c *Check) Values(into any) error {
	return fromObject("the values", c.ValuesText, into)
}

// Secret is a secret that the values name: the value of a setting that the manifest marks with "format": "secret". The
// host refuses a name that the values do not hold.
func (c *Check) Secret(ctx context.Context, name string) ([]byte, error) {
	if c.ask == nil {
		return nil, Fault("protocol.host_address", "this call came without a way to the host")
	}
	return (&Ask{Context: ctx, call: c.ask.call}).Secret(name)
}

// Checked is the answer to a check: what is wrong by field, what deserves a warning, and the values as they are to be
// kept. Its methods change it and give it back.
type Checked struct {
	wire *wire.CheckResponse
	err  error
}

// Good says that nothing is wrong.
func Good() *Checked {
	return &Checked{wire: &wire.CheckResponse{}}
}

// Error says that something is wrong with a field. Field: JSON pointer, such as "/url".
func (c *Checked) Error(field, code, message string) *Checked {
	c.wire.Errors = append(c.wire.Errors, problem(field, code, message))
	return c
}

// Warning says that something about a field deserves a look.
func (c *Checked) Warning(field, code, message string) *Checked {
	c.wire.Warnings = append(c.wire.Warnings, problem(field, code, message))
	return c
}

// Normalised is the values as they are to be stored; without it, as they came.
func (c *Checked) Normalised(values any) *Checked {
	written, err := toObject("the values", values)
	c.wire.Normalised, c.err = written, errors.Join(c.err, err)
	return c
}

// IsGood says whether nothing is wrong.
func (c *Checked) IsGood() bool { return len(c.wire.Errors) == 0 }

func problem(field, code, message string) *wire.FieldProblem {
	return &wire.FieldProblem{Field: text(field), Code: text(code), Message: text(message)}
}

// Choice is one choice of a form's field.
type Choice struct {
	wire *wire.Choice
	err  error
}

// NewChoice is a value, and what people read.
func NewChoice(value any, label string) *Choice {
	written, err := toJSON("the choice", value)
	return &Choice{wire: &wire.Choice{Value: written, Label: text(label)}, err: err}
}

// Plan is a request to split into jobs.
type Plan struct {
	// Instance is the instance.
	Instance Instance
	// Operation is the operation asked for.
	Operation string
	// ArgumentsText is a JSON object.
	ArgumentsText string
	// Units are those that it was asked for.
	Units []*UnitRef
	// User is who asks.
	User string
}

// Arguments reads the arguments into the author's own type. A usage error says what does not fit.
func (p *Plan) Arguments(into any) error {
	return fromObject("the arguments", p.ArgumentsText, into)
}
