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
func (c *Ask) Secret(name string) ([]byte, error) {
	answer, err := ask(c, "GetSecret", &wire.GetSecretRequest{Name: name}, wire.HostClient.GetSecret)
	return answer.GetValue(), err
}

// Settings reads the effective settings of the job's attachment or instance into the author's own type.
func (c *Ask) Settings(into any) error {
	answer, err := ask(c, "GetSettings", &wire.GetSettingsRequest{}, wire.HostClient.GetSettings)
	if err != nil {
		return err
	}
	return fromObject("the settings", answer.Settings, into)
}

// GetState is a small piece of the plugin's own state; its revision is 0 when there is none.
func (c *Ask) GetState(scope StateScope, key string) (State, error) {
	request := &wire.GetStateRequest{Scope: wire.StateScope(scope), Key: key}
	answer, err := ask(c, "GetState", request, wire.HostClient.GetState)
	return State{Revision: answer.GetRevision(), Value: answer.GetValue()}, err
}

// PutState replaces a piece of state, at most 64 KiB; the revision of what it is given is that of the state it replaces,
// 0 when there is none. Counts only if the job succeeds, unless durable. Gives the new revision. When somebody else was
// faster it is an operation error with code "conflict".
func (c *Ask) PutState(scope StateScope, key string, state State, durable bool) (uint64, error) {
	request := &wire.PutStateRequest{
		Scope: wire.StateScope(scope), Key: key, Value: state.Value, Revision: state.Revision, Durable: durable,
	}
	answer, err := ask(c, "PutState", request, wire.HostClient.PutState)
	return answer.GetRevision(), err
}
