package wharftest

import (
	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// Hook makes Plugin.Hook for before:STEP or after:STEP; subject: what the step is about, a struct or map. The error is what
// the call failed with. [Call.Hook] says more of the component and the step.
func (h *Harness) Hook(name string, subject any) (*wire.HookResponse, error) {
	h.t.Helper()
	return h.Call("").Hook(name, subject)
}

// HookAfter makes Plugin.Hook for after:STEP, and says how the step ended: with an outcome, or with an error.
func (h *Harness) HookAfter(name string, subject any, outcome wharf.Outcome, failure *wire.Error) (*wire.HookResponse, error) {
	h.t.Helper()
	return h.Call("").HookAfter(name, subject, outcome, failure)
}

// Parameters are what the request for a step says to a component that has a hook: a struct or map.
func (c *Call) Parameters(parameters any) *Call {
	c.harness.t.Helper()
	c.hook.Parameters = c.written("the parameters", parameters)
	return c
}

// Made is what a step made, for hooks after it; its files lie in the work folder.
func (c *Call) Made(unit *wharf.Unit) *Call {
	c.hook.Unit = unit.Wire()
	return c
}

// Hook makes Hook for before:STEP or after:STEP; subject: what the step is about, a struct or map. The error is what the
// call failed with.
func (c *Call) Hook(name string, subject any) (*wire.HookResponse, error) {
	c.harness.t.Helper()
	instance := c.attachment.Instance
	instance.Settings = c.attachment.Settings
	c.hook.Context, c.hook.Instance, c.hook.Parent = c.harness.job(), instance, c.build.Parent
	c.hook.Name, c.hook.Subject = name, c.written("the subject", subject)
	return wire.NewPluginClient(c.harness.toward).Hook(c.harness.t.Context(), c.hook)
}

// HookAfter makes Hook for after:STEP, and says how the step ended: with an outcome, or with an error.
func (c *Call) HookAfter(name string, subject any, outcome wharf.Outcome, failure *wire.Error) (*wire.HookResponse, error) {
	c.harness.t.Helper()
	c.hook.Outcome, c.hook.Error = wire.Outcome(outcome), failure
	return c.Hook(name, subject)
}
