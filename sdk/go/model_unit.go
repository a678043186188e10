// Units: typed records with a natural key, attributes and files.

package wharf

import (
	"errors"

	"wharf.invalid/wharf/wire"
)

// Unit is a typed record with a natural key, attributes and files. Its methods change it and give it back, so that they
// can be chained; what went wrong in one of them is told where the unit is handed over.
//
//	wharf.NewUnit("book").Key(key{Name: "Emma"}).
//		File(wharf.FileAt("emma.txt").Size(12).URL("https://books.example/emma.txt"))
type Unit struct {
	wire *wire.Unit
	err  error
}

// NewUnit is a unit of a type that the plugin's manifest declares. Give it a key next.
func NewUnit(kind string) *Unit {
	return &Unit{wire: &wire.Unit{Type: kind}}
}

// ExistingUnit is a unit that is there, by the host's number, for migrations: what is not set stays as it is.
func ExistingUnit(kind string, id uint64) *Unit {
	return &Unit{wire: &wire.Unit{Type: kind, Id: id}}
}

// Key is the key: a struct or map with the type's key fields. Fields that the type takes from the artifact may be left
// out.
func (u *Unit) Key(key any) *Unit {
	written, err := toObject("a unit's key", key)
	u.wire.Key, u.err = written, errors.Join(u.err, err)
	return u
}

// Attributes are all other fields: a struct or map.
func (u *Unit) Attributes(attributes any) *Unit {
	written, err := toObject("a unit's attributes", attributes)
	u.wire.Attributes, u.err = written, errors.Join(u.err, err)
	return u
}

// KeyJSON is the key as the text of a JSON object that is ready already.
func (u *Unit) KeyJSON(key string) *Unit {
	u.wire.Key = key
	return u
}

// AttributesJSON are the attributes as the text of a JSON object that is ready already.
func (u *Unit) AttributesJSON(attributes string) *Unit {
	u.wire.Attributes = attributes
	return u
}

// File adds a file.
func (u *Unit) File(file *File) *Unit {
	u.wire.Files = append(u.wire.Files, file.wire)
	u.err = errors.Join(u.err, file.err)
	return u
}

// Link adds a link to another unit; kind says what the link means, for example "base".
func (u *Unit) Link(kind string, to *UnitRef) *Unit {
	u.wire.Links = append(u.wire.Links, &wire.Link{Kind: kind, To: to.wire})
	u.err = errors.Join(u.err, to.err)
	return u
}

// ID is the host's number of the unit; 0 when the plugin made it.
func (u *Unit) ID() uint64 { return u.wire.Id }

// Kind is the type's id.
func (u *Unit) Kind() string { return u.wire.Type }

// KeyText is the key's JSON text.
func (u *Unit) KeyText() string { return u.wire.Key }

// AttributesText is the attributes' JSON text, or empty.
func (u *Unit) AttributesText() string { return u.wire.Attributes }

// ReadKey reads the key into the author's own type. A usage error says what does not fit.
func (u *Unit) ReadKey(into any) error {
	return fromObject("the unit's key", u.wire.Key, into)
}

// ReadAttributes reads the attributes into the author's own type. A usage error says what does not fit.
func (u *Unit) ReadAttributes(into any) error {
	return fromObject("the unit's attributes", u.wire.Attributes, into)
}

// Files are the files, in the unit's order.
func (u *Unit) Files() []*File {
	return filesFromWire(u.wire.Files)
}

// Wire is the message that the unit is, for tests and the rarer calls.
func (u *Unit) Wire() *wire.Unit { return u.wire }

func unitFromWire(sent *wire.Unit) *Unit {
	if sent == nil {
		sent = &wire.Unit{}
	}
	return &Unit{wire: sent}
}

func unitsFromWire(sent []*wire.Unit) []*Unit {
	units := make([]*Unit, len(sent))
	for i, unit := range sent {
		units[i] = unitFromWire(unit)
	}
	return units
}
