// Doing something on request.

package wharf

import "wharf.invalid/wharf/wire"

// Action does something on request. Embed [ActionBase].
type Action interface {
	Component
	// Run does it: [Context.Output], [Context.Link], [Context.Job].
	Run(ctx *Context, request *RunRequest) (*Done, error)
}

// ActionBase answers "not offered" to every call that an action does not write.
type ActionBase struct{ ComponentBase }

// Run is not offered.
func (ActionBase) Run(*Context, *RunRequest) (*Done, error) { return nil, NotOffered("run") }

// TestMode says whether an action is a test.
type TestMode int

// The modes of tests.
const (
	// TestOff means for real.
	TestOff = TestMode(wire.TestMode_TEST_MODE_OFF)
	// TestDry means to say what would be done.
	TestDry = TestMode(wire.TestMode_TEST_MODE_DRY)
	// TestLive means to do it, marked as a test.
	TestLive = TestMode(wire.TestMode_TEST_MODE_LIVE)
)

// RunRequest is what Run works with.
type RunRequest struct {
	// Instance is the instance.
	Instance Instance
	// ArgumentsText is a JSON object; checked.
	ArgumentsText string
	// Units are those that it was asked for.
	Units []*Unit
	// User is who asks.
	User string
	// Test says whether it is a test.
	Test TestMode
	// IdempotencyKey: the same key means the same wish, doing it once is enough.
	IdempotencyKey string
}

// Arguments reads the arguments into the author's own type. A usage error says what does not fit.
func (r *RunRequest) Arguments(into any) error {
	return fromObject("the arguments", r.ArgumentsText, into)
}
