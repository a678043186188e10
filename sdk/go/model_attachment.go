// Instances and attachments: what a call works for, and with which settings.

package wharf

import (
	"encoding/json"

	"wharf.invalid/wharf/wire"
)

// Instance is a component with settings.
type Instance struct {
	// Component is the component's id inside the plugin.
	Component string
	// Name is the instance's name, "default" unless the user made named ones.
	Name string
	// SettingsText is a JSON object: the plugin-wide settings under the instance's own.
	SettingsText string
	// Secrets are names under which [Context.Secret] hands out this instance's secrets.
	Secrets []string
}

// Settings reads the settings into the author's own type. A usage error says what does not fit.
func (i *Instance) Settings(into any) error {
	return fromObject("the instance's settings", i.SettingsText, into)
}

// Attachment is an instance bound to a repository.
type Attachment struct {
	// Instance is the instance.
	Instance Instance
	// Repository is the repository's name.
	Repository string
	// SettingsText is a JSON object: the instance's settings under those of the attachment, as Check normalised them.
	SettingsText string
	// State is what [Done.State] kept with the last successful run; empty at first.
	State []byte
}

// Settings reads the effective settings into the author's own type. A usage error says what does not fit.
func (a *Attachment) Settings(into any) error {
	return fromObject("the attachment's settings", a.SettingsText, into)
}

// ReadState reads the kept state as JSON. It says false at first, and when the state is not what this version of the
// plugin writes: state is a shortcut, and doing without is always right.
func (a *Attachment) ReadState(into any) bool {
	return len(a.State) > 0 && json.Unmarshal(a.State, into) == nil
}

func instanceFromWire(sent *wire.Instance) Instance {
	return Instance{
		Component: sent.GetComponent(), Name: sent.GetName(), SettingsText: sent.GetSettings(),
		Secrets: sent.GetSecrets(),
	}
}

func attachmentFromWire(sent *wire.Attachment) Attachment {
	return Attachment{
		Instance: instanceFromWire(sent.GetInstance()), Repository: sent.GetRepository(),
		SettingsText: sent.GetSettings(), State: sent.GetState(),
	}
}
