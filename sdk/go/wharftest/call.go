package wharftest

import (
	"context"
	"encoding/json"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// Call is a call to one component. Say what differs from a first run with empty settings, then make it.
type Call struct {
	harness    *Harness
	attachment *wire.Attachment
	sync       *wire.SyncRequest
	cursor     string
	publish    *wire.PublishRequest
	build      *wire.BuildRequest
	run        *wire.RunRequest
	hook       *wire.HookRequest
}

// Call is a call to a component, to be filled in and made.
func (h *Harness) Call(component string) *Call {
	instance := &wire.Instance{Component: component, Name: "default", Settings: "{}"}
	return &Call{
		harness:    h,
		attachment: &wire.Attachment{Instance: instance, Repository: "test", Settings: "{}"},
		sync:       &wire.SyncRequest{Mode: wire.Mode_MODE_MIRROR, Policy: wire.Policy_POLICY_IMMEDIATE},
		publish:    &wire.PublishRequest{Version: 1, BasePath: "test"},
		build:      &wire.BuildRequest{},
		run:        &wire.RunRequest{Test: wire.TestMode_TEST_MODE_OFF},
		hook:       &wire.HookRequest{Parameters: "{}"},
	}
}

// Settings are the effective settings; for actions, the arguments.
func (c *Call) Settings(settings any) *Call {
	c.harness.t.Helper()
	written := c.written("the settings", settings)
	c.attachment.Settings, c.run.Arguments = written, written
	return c
}

// State is the kept state of the run before: [Run.State].
func (c *Call) State(state []byte) *Call {
	c.attachment.State = state
	return c
}

// Secrets are names of secrets that the instance has.
func (c *Call) Secrets(names ...string) *Call {
	c.attachment.Instance.Secrets = names
	return c
}

// Full means that upstream's shortcuts must not be used.
func (c *Call) Full() *Call {
	c.sync.Full, c.publish.Full = true, true
	return c
}

// Last is how the last sync ended, "succeeded" or "partial"; without this there was none.
func (c *Call) Last(outcome string) *Call {
	c.sync.Last = &wire.LastSync{FinishedMs: 1, Version: 1, Outcome: outcome}
	return c
}

// Mode is the mode of a sync; mirror without this.
func (c *Call) Mode(mode wharf.Mode) *Call {
	c.sync.Mode = wire.Mode(mode)
	return c
}

// Policy is the policy of a sync; immediate without this.
func (c *Call) Policy(policy wharf.Policy) *Call {
	c.sync.Policy = wire.Policy(policy)
	return c
}

// Checkpoint is what an earlier attempt left.
func (c *Call) Checkpoint(data []byte) *Call {
	c.sync.Checkpoint = data
	return c
}

// Cursor is where an earlier listing left off.
func (c *Call) Cursor(cursor string) *Call {
	c.cursor = cursor
	return c
}

// Previous is the publication before.
func (c *Call) Previous(publication uint64) *Call {
	c.publish.Previous = &wire.Publication{Id: publication, Version: 1}
	return c
}

// TimestampMs is the time to write into a publication's metadata.
func (c *Call) TimestampMs(timestamp int64) *Call {
	c.publish.TimestampMs = timestamp
	return c
}

// Signing means that the host signs; [FakeHost.Signer] says how.
func (c *Call) Signing(key string) *Call {
	c.publish.Signing = []string{key}
	return c
}

// written is a value as JSON. The test fails when it cannot be written.
func (c *Call) written(what string, value any) string {
	c.harness.t.Helper()
	written, err := json.Marshal(value)
	if err != nil {
		c.harness.t.Fatalf("%s: %v", what, err)
	}
	return string(written)
}

func (c *Call) importer() wire.ImporterClient { return wire.NewImporterClient(c.harness.toward) }

func (c *Call) distributor() wire.DistributorClient {
	return wire.NewDistributorClient(c.harness.toward)
}

// StartSync starts Sync and hands out its events one by one.
func (c *Call) StartSync() *Running {
	c.sync.Context, c.sync.Attachment = c.harness.job(), c.attachment
	return c.harness.start(func(ctx context.Context) (events, error) { return c.importer().Sync(ctx, c.sync) })
}

// Sync makes Sync.
func (c *Call) Sync() *Run {
	c.harness.t.Helper()
	return c.StartSync().Finish()
}

// List makes List.
func (c *Call) List() *Run {
	c.harness.t.Helper()
	request := &wire.ListRequest{Context: c.harness.job(), Attachment: c.attachment, Cursor: c.cursor}
	return c.harness.start(func(ctx context.Context) (events, error) { return c.importer().List(ctx, request) }).Finish()
}

// Fetch makes Fetch for an item that was listed.
func (c *Call) Fetch(item *wire.ListedItem, offset uint64) *Run {
	c.harness.t.Helper()
	request := &wire.FetchRequest{
		Context: c.harness.job(), Attachment: c.attachment, Unit: item.Unit, Revision: item.Revision, Offset: offset,
	}
	return c.harness.start(func(ctx context.Context) (events, error) { return c.importer().Fetch(ctx, request) }).Finish()
}

// Upload makes Upload with files that lie in the work folder, and what the user said of them: two JSON objects, or empty.
func (c *Call) Upload(kind, key, attributes string, files ...*wharf.File) *Run {
	c.harness.t.Helper()
	request := &wire.UploadRequest{
		Context: c.harness.job(), Attachment: c.attachment, Type: kind, Key: key, Attributes: attributes,
	}
	for _, file := range files {
		request.Files = append(request.Files, file.Wire())
	}
	return c.harness.start(func(ctx context.Context) (events, error) { return c.importer().Upload(ctx, request) }).Finish()
}

// Resolve makes Resolve for these units of version 1.
func (c *Call) Resolve(units ...*wharf.UnitRef) *Run {
	c.harness.t.Helper()
	request := &wire.ResolveRequest{Context: c.harness.job(), Attachment: c.attachment, Version: 1}
	for _, unit := range units {
		request.Units = append(request.Units, unit.Wire())
	}
	return c.harness.start(func(ctx context.Context) (events, error) { return c.importer().Resolve(ctx, request) }).Finish()
}

// Publish makes Publish.
func (c *Call) Publish() *Run {
	c.harness.t.Helper()
	c.publish.Context, c.publish.Attachment = c.harness.job(), c.attachment
	return c.harness.start(func(ctx context.Context) (events, error) {
		return c.distributor().Publish(ctx, c.publish)
	}).Finish()
}

// Unpublish makes Unpublish for what the provider calls by this identifier.
func (c *Call) Unpublish(identifier string) *Run {
	c.harness.t.Helper()
	request := &wire.UnpublishRequest{
		Context: c.harness.job(), Attachment: c.attachment,
		Publication: &wire.Publication{Id: 1, Version: 1, Identifier: identifier},
	}
	return c.harness.start(func(ctx context.Context) (events, error) {
		return c.distributor().Unpublish(ctx, request)
	}).Finish()
}

// Reissue makes Reissue for the publication with this number.
func (c *Call) Reissue(publication uint64) *Run {
	c.harness.t.Helper()
	request := &wire.ReissueRequest{
		Context: c.harness.job(), Attachment: c.attachment, TimestampMs: c.publish.TimestampMs,
		Publication: &wire.Publication{Id: publication, Version: 1}, Signing: c.publish.Signing,
	}
	return c.harness.start(func(ctx context.Context) (events, error) {
		return c.distributor().Reissue(ctx, request)
	}).Finish()
}

// ClientConfig makes ClientConfig for publication 1, served at this address.
func (c *Call) ClientConfig(baseURL string) (*wire.ClientConfigResponse, error) {
	return c.distributor().ClientConfig(c.harness.t.Context(), &wire.ClientConfigRequest{
		Attachment: c.attachment, Publication: &wire.Publication{Id: 1, Version: 1}, BaseUrl: baseURL,
	})
}

// Build makes Build, with the settings as parameters.
func (c *Call) Build(stage wharf.Stage) *Run {
	c.harness.t.Helper()
	c.build.Context, c.build.Instance = c.harness.job(), c.attachment.Instance
	c.build.Stage, c.build.Parameters = wire.Stage(stage), c.attachment.Settings
	return c.harness.start(func(ctx context.Context) (events, error) {
		return wire.NewBuilderClient(c.harness.toward).Build(ctx, c.build)
	}).Finish()
}

// Run makes Run for these units, with the settings as arguments.
func (c *Call) Run(units ...*wharf.Unit) *Run {
	c.harness.t.Helper()
	c.run.Context, c.run.Instance = c.harness.job(), c.attachment.Instance
	for _, unit := range units {
		c.run.Units = append(c.run.Units, unit.Wire())
	}
	return c.harness.start(func(ctx context.Context) (events, error) {
		return wire.NewActionClient(c.harness.toward).Run(ctx, c.run)
	}).Finish()
}
