// Naming units without sending them.

package wharf

import (
	"errors"

	"wharf.invalid/wharf/wire"
)

// UnitRef names a unit: by the host's number, or by type and key.
type UnitRef struct {
	wire *wire.UnitRef
	err  error
}

// RefID names a unit by the host's number.
func RefID(id uint64) *UnitRef {
	return &UnitRef{wire: &wire.UnitRef{Id: id}}
}

// RefKey names a unit by type and key, a struct or map.
func RefKey(kind string, key any) *UnitRef {
	written, err := toObject("a unit's key", key)
	return &UnitRef{wire: &wire.UnitRef{Type: kind, Key: written}, err: err}
}

// Number is the host's number; 0 when the unit is named by its key.
func (r *UnitRef) Number() uint64 { return r.wire.Id }

// Kind is the type's id; empty when the unit is named by its number.
func (r *UnitRef) Kind() string { return r.wire.Type }

// ReadKey reads the key into the author's own type.
func (r *UnitRef) ReadKey(into any) error {
	return fromObject("the unit's key", r.wire.Key, into)
}

// Wire is the message that the reference is, for tests.
func (r *UnitRef) Wire() *wire.UnitRef { return r.wire }

func refsFromWire(sent []*wire.UnitRef) []*UnitRef {
	refs := make([]*UnitRef, len(sent))
	for i, ref := range sent {
		refs[i] = &UnitRef{wire: ref}
	}
	return refs
}

// Keep is units of the base version that the new version contains too, without sending them again.
type Keep struct {
	wire *wire.Keep
	err  error
}

// KeepAll is all units of a type; with an empty type, of every type.
func KeepAll(kind string) *Keep {
	return &Keep{wire: &wire.Keep{Type: kind}}
}

// KeepKeys is the units of a type that have these keys, structs or maps; at most 1,000.
func KeepKeys(kind string, keys ...any) *Keep {
	keep := KeepAll(kind)
	for _, key := range keys {
		written, err := toObject("a unit's key", key)
		keep.wire.Keys, keep.err = append(keep.wire.Keys, written), errors.Join(keep.err, err)
	}
	return keep
}

// KeepField is the units of a type whose field has this value.
func KeepField(kind, name string, value any) *Keep {
	written, err := toJSON("the field's value", value)
	return &Keep{wire: &wire.Keep{Type: kind, Field: &wire.FieldEquals{Name: name, Value: written}}, err: err}
}
