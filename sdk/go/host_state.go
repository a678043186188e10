// The plugin's own small state, its secrets and settings.

package wharf

import "wharf.invalid/wharf/wire"

// StateScope says whose state it is.
type StateScope int

// The scopes of state.
const (
	// StateOfInstance belongs to the instance.
	StateOfInstance = StateScope(wire.StateScope_STATE_SCOPE_INSTANCE)
	// StateOfAttachment belongs to the attachment.
	StateOfAttachment = StateScope(wire.StateScope_STATE_SCOPE_ATTACHMENT)
)

// State is a piece of state.
type State struct {
	// Revision changes with every write; 0 means that there is none yet.
	Revision uint64
	// Value is at most 64 KiB.
	Value []byte
}

// Secret is a secret of the call's instance, by one of the names that the instance lists.
func (c *Context) Secret(name string) ([]byte, error) {
	host, err := c.call.host.client()
	if err != nil {
		return nil, err
	}
	answer, err := host.GetSecret(c, &wire.GetSecretRequest{Name: name})
	if err != nil {
		return nil, c.failed("GetSecret", err)
	}
	return answer.Value, nil
}

// Settings reads the effective settings of the job's attachment or instance into the author's own type.
func (c *Context) Settings(into any) error {
	host, err := c.call.host.client()
	if err != nil {
		return err
	}
	answer, err := host.GetSettings(c, &wire.GetSettingsRequest{})
	if err != nil {
		return c.failed("GetSettings", err)
	}
	return fromObject("the settings", answer.Settings, into)
}

// GetState is a small piece of the plugin's own state; its revision is 0 when there is none.
func (c *Context) GetState(scope StateScope, key string) (State, error) {
	host, err := c.call.host.client()
	if err != nil {
		return State{}, err
	}
	answer, err := host.GetState(c, &wire.GetStateRequest{Scope: wire.StateScope(scope), Key: key})
	if err != nil {
		return State{}, c.failed("GetState", err)
	}
	return State{Revision: answer.Revision, Value: answer.Value}, nil
}

// PutState replaces a piece of state, at most 64 KiB; the revision of what it is given is that of the state it replaces,
// 0 when there is none. Counts only if the job succeeds, unless durable. Gives the new revision. When somebody else was
// faster it is an operation error with code "conflict".
func (c *Context) PutState(scope StateScope, key string, state State, durable bool) (uint64, error) {
	host, err := c.call.host.client()
	if err != nil {
		return 0, err
	}
	answer, err := host.PutState(c, &wire.PutStateRequest{
		Scope: wire.StateScope(scope), Key: key, Value: state.Value, Revision: state.Revision, Durable: durable,
	})
	if err != nil {
		return 0, c.failed("PutState", err)
	}
	return answer.Revision, nil
}
