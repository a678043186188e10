// The part of plugin.json, and of the types that it names, that the plugin itself goes by. The host reads the rest.

package wharf

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"wharf.invalid/wharf/wire"
)

type manifest struct {
	Name         string              `json:"name"`
	Version      string              `json:"version"`
	Components   []manifestComponent `json:"components"`
	Migrations   []manifestMigration `json:"migrations"`
	FastForward  bool                `json:"fast_forward"`
	RemovedUpTo  uint32              `json:"removed_up_to"`
	RemovedHint  string              `json:"removed_hint"`
	typesOfUnits []Type
}

type manifestComponent struct {
	ID           string   `json:"id"`
	Role         string   `json:"role"`
	Profile      string   `json:"profile"`
	Operations   []string `json:"operations"`
	ContentTypes []string `json:"content_types"`
	Produces     []string `json:"produces"`
	Hooks        []any    `json:"hooks"`
}

type manifestMigration struct {
	Number uint32 `json:"number"`
	Name   string `json:"name"`
}

// Type is what a test harness goes by of a type of units.
type Type struct {
	// ID is the type's name.
	ID string
	// Key is the fields that identify a unit.
	Key []KeyField
}

// KeyField is a field of a type's key.
type KeyField struct {
	// Name is the field's name.
	Name string
	// Filled means that the host fills it in when the plugin leaves it out.
	Filled bool
}

// UnmarshalJSON reads what a type's document says: a name, or an object with it.
func (f *KeyField) UnmarshalJSON(written []byte) error {
	if json.Unmarshal(written, &f.Name) == nil {
		return nil
	}
	var ruled struct{ Name, From string }
	err := json.Unmarshal(written, &ruled)
	f.Name, f.Filled = ruled.Name, ruled.From != ""
	return err
}

// keyFields is one field or a list of them.
type keyFields []KeyField

func (k *keyFields) UnmarshalJSON(written []byte) error {
	var many []KeyField
	if json.Unmarshal(written, &many) == nil {
		*k = many
		return nil
	}
	var one KeyField
	err := json.Unmarshal(written, &one)
	*k = keyFields{one}
	return err
}

func readManifest(written string, types []string) (*manifest, error) {
	read := &manifest{}
	if err := json.Unmarshal([]byte(written), read); err != nil {
		return nil, fmt.Errorf("plugin.json cannot be read: %w\nIt is built into the plugin: mend it and build again", err)
	}
	for _, document := range types {
		var known struct {
			Types []struct {
				ID      string    `json:"id"`
				UnitKey keyFields `json:"unit_key"`
			} `json:"types"`
		}
		if err := json.Unmarshal([]byte(document), &known); err != nil {
			return nil, fmt.Errorf("a file of type definitions cannot be read: %w", err)
		}
		for _, kind := range known.Types {
			read.typesOfUnits = append(read.typesOfUnits, Type{ID: kind.ID, Key: kind.UnitKey})
		}
	}
	return read, nil
}

// agrees holds the manifest against what the program registers: every component has an answer of its role, every answer
// a component, and whoever names migrations or hooks has answers for them.
func (m *manifest) agrees(registered map[string]role, migrations, hooks bool) error {
	for _, component := range m.Components {
		found, is := registered[component.ID]
		if is && found.name() == component.Role {
			continue
		}
		what := "nothing under that id"
		if is {
			what = found.name()
		}
		return fmt.Errorf("plugin.json names component %q with role %q, but the program registers %s.\n"+
			"Make the calls on Plugin agree with the manifest", component.ID, component.Role, what)
	}
	for id := range registered {
		if !slices.ContainsFunc(m.Components, func(c manifestComponent) bool { return c.ID == id }) {
			return fmt.Errorf("the program registers component %q, which plugin.json does not name", id)
		}
	}
	subscribes := slices.ContainsFunc(m.Components, func(c manifestComponent) bool { return len(c.Hooks) > 0 })
	return errors.Join(agree("migrations", "Plugin.Migrations", len(m.Migrations) > 0, migrations),
		agree("hooks", "Plugin.Hooks", subscribes, hooks))
}

func agree(what, method string, named, registered bool) error {
	switch {
	case named && !registered:
		return fmt.Errorf("plugin.json names %s, but the program registers none: %s", what, method)
	case registered && !named:
		return fmt.Errorf("plugin.json names no %s, but the program registers some: %s", what, method)
	}
	return nil
}

func (m *manifest) describe() *wire.DescribeResponse {
	answer := &wire.DescribeResponse{Name: m.Name, Version: m.Version}
	for _, component := range m.Components {
		types := slices.Clone(component.ContentTypes)
		for _, produced := range component.Produces {
			if !slices.Contains(types, produced) {
				types = append(types, produced)
			}
		}
		answer.Components = append(answer.Components, &wire.Component{
			Id: component.ID, Role: component.Role, Profile: component.Profile, Operations: component.Operations,
			Types: types,
		})
	}
	for _, kind := range m.typesOfUnits {
		answer.Types = append(answer.Types, kind.ID)
	}
	return answer
}

func (m *manifest) migrations() *wire.MigrationsResponse {
	answer := &wire.MigrationsResponse{
		FastForward: m.FastForward, RemovedUpTo: m.RemovedUpTo, RemovedHint: m.RemovedHint,
	}
	for _, migration := range m.Migrations {
		answer.Migrations = append(answer.Migrations, &wire.Migration{Number: migration.Number, Name: migration.Name})
	}
	return answer
}
