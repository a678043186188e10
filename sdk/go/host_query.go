// Units of a repository's version.

package wharf

import (
	"context"
	"errors"
	"iter"

	"google.golang.org/grpc"

	"wharf.invalid/wharf/wire"
)

// Query says which units, what of them, in which order. Its methods change it and give it back.
type Query struct {
	wire *wire.QueryUnitsRequest
	err  error
}

// NewQuery asks for all units of the job's version: the one to publish, or the base of a sync. In a migration: all units
// of the plugin's types.
func NewQuery() *Query {
	return &Query{wire: &wire.QueryUnitsRequest{}}
}

// OfType asks only for units of this type; may be called for several.
func (q *Query) OfType(kind string) *Query {
	q.wire.Types = append(q.wire.Types, kind)
	return q
}

// Version asks for another version than the job's.
func (q *Query) Version(version uint64) *Query {
	q.wire.Version = version
	return q
}

// Repository asks for another repository's units, if the job was granted it.
func (q *Query) Repository(name string) *Query {
	q.wire.Repository = name
	return q
}

// Field asks only for units whose field has this value; all such conditions must hold.
func (q *Query) Field(name string, value any) *Query {
	written, err := toJSON("the field's value", value)
	q.wire.Where = append(q.wire.Where, &wire.FieldEquals{Name: name, Value: written})
	q.err = errors.Join(q.err, err)
	return q
}

// Fields says that only these fields of key and attributes are sent.
func (q *Query) Fields(names ...string) *Query {
	q.wire.Fields = names
	return q
}

// OrderBy orders ascending by these key or attribute fields, compared bytewise.
func (q *Query) OrderBy(names ...string) *Query {
	q.wire.OrderBy = names
	return q
}

// WithoutFiles says that units come without their files.
func (q *Query) WithoutFiles() *Query {
	q.wire.WithoutFiles = true
	return q
}

// Units gives units of the job's version, one by one; they come in pages, and the next one is asked for when it is needed.
func (c *Ask) Units(query *Query) iter.Seq2[*Unit, error] {
	ask := func(ctx context.Context, host wire.HostClient) (grpc.ServerStreamingClient[wire.Units], error) {
		return host.QueryUnits(ctx, query.wire)
	}
	return func(yield func(*Unit, error) bool) {
		if query.err != nil {
			yield(nil, query.err)
			return
		}
		for page, err := range answers(c, "QueryUnits", ask) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, unit := range page.Units {
				if !yield(unitFromWire(unit), nil) {
					return
				}
			}
		}
	}
}
