package wharftest

import (
	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// Check makes Check for an attachment, with the settings as values. Problems of the values are in the answer.
func (c *Call) Check() (*wire.CheckResponse, error) {
	return wire.NewPluginClient(c.harness.toward).Check(c.harness.t.Context(), &wire.CheckRequest{
		Component: c.attachment.Instance.Component, Scope: wire.CheckScope_CHECK_SCOPE_ATTACHMENT,
		Values: c.attachment.Settings, Repository: c.attachment.Repository, Context: c.harness.job(),
	})
}

// Ready makes Ready for the instance. No reasons: it is.
func (c *Call) Ready() ([]*wire.FieldProblem, error) {
	answer, err := wire.NewPluginClient(c.harness.toward).
		Ready(c.harness.t.Context(), &wire.ReadyRequest{Instance: c.attachment.Instance})
	return answer.GetReasons(), err
}

// Choices makes Choices for a field, with the settings as what is filled in.
func (c *Call) Choices(field string) ([]*wire.Choice, error) {
	answer, err := wire.NewPluginClient(c.harness.toward).Choices(c.harness.t.Context(), &wire.ChoicesRequest{
		Component: c.attachment.Instance.Component, Field: field, Values: c.attachment.Settings,
	})
	return answer.GetChoices(), err
}

// Attached tells that the instance was bound to a repository.
func (c *Call) Attached() error {
	_, err := wire.NewPluginClient(c.harness.toward).
		Attached(c.harness.t.Context(), &wire.AttachedRequest{Attachment: c.attachment})
	return err
}

// Detached tells that the instance is about to be unbound.
func (c *Call) Detached() error {
	_, err := wire.NewPluginClient(c.harness.toward).
		Detached(c.harness.t.Context(), &wire.DetachedRequest{Attachment: c.attachment})
	return err
}

// Plan makes Plan for an operation, with the settings as arguments.
func (c *Call) Plan(operation string) ([]*wire.JobSpec, error) {
	answer, err := wire.NewPluginClient(c.harness.toward).Plan(c.harness.t.Context(), &wire.PlanRequest{
		Instance: c.attachment.Instance, Operation: operation, Arguments: c.attachment.Settings,
	})
	return answer.GetJobs(), err
}

// Template is what a builder makes something of.
func (c *Call) Template(mediaType string, content []byte) *Call {
	c.build.Template = &wire.Template{MediaType: mediaType, Content: content}
	return c
}

// Target is what a builder builds for; what is empty is "any".
func (c *Call) Target(target wharf.Target) *Call {
	c.build.Target = &wire.Target{Name: target.Name, Version: target.Version, Architecture: target.Architecture}
	return c
}

// Parent is the unit of the stage before, for builders and hooks; its files lie in the work folder.
func (c *Call) Parent(unit *wharf.Unit) *Call {
	c.build.Parent = unit.Wire()
	return c
}

// Contribution is what a hook or an earlier step gave to a build.
func (c *Call) Contribution(contribution wharf.Contribution) *Call {
	c.build.Contributions = append(c.build.Contributions, contribution.Wire())
	return c
}

// Provider is the provider that a snapshot is made on: its settings.
func (c *Call) Provider(settings any) *Call {
	c.harness.t.Helper()
	c.build.Provider = &wire.Instance{Name: "default", Settings: c.written("the provider's settings", settings)}
	return c
}

// Test says whether an action is a test; it is not without this.
func (c *Call) Test(mode wharf.TestMode) *Call {
	c.run.Test = wire.TestMode(mode)
	return c
}
