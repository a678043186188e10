// Units by name, and units that are saved with an answer.

package wharf

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/protobuf/proto"

	"wharf.invalid/wharf/wire"
)

// Bytes of a message of units: the contract calls batches of that size the quickest.
const savedBytes = 256 << 10

// SavedUnit is what the host made of a unit that it was sent.
type SavedUnit struct {
	// ID is the host's number.
	ID uint64
	// Created says that it was not there before.
	Created bool
}

// GetUnits gives units by name, as far as the job may see them.
func (c *Ask) GetUnits(refs ...*UnitRef) ([]*Unit, error) {
	var found []*Unit
	for named := range slices.Chunk(refs, maxEntries) {
		request := &wire.GetUnitsRequest{}
		for _, ref := range named {
			if ref.err != nil {
				return nil, ref.err
			}
			request.Units = append(request.Units, ref.wire)
		}
		answer, err := ask(c, "GetUnits", request, wire.HostClient.GetUnits)
		if err != nil {
			return nil, err
		}
		found = append(found, unitsFromWire(answer.Units)...)
	}
	return found, nil
}

// SaveUnits does as [Context.Unit], but says what was new, in the order given. A message is sent when the one before is
// answered.
func (c *Ask) SaveUnits(units ...*Unit) ([]SavedUnit, error) {
	saved := make([]SavedUnit, 0, len(units))
	message, bytes := &wire.Units{}, 0
	send := func() error {
		answered, err := c.save(message)
		message, bytes = &wire.Units{}, 0
		saved = append(saved, answered...)
		return err
	}
	for _, unit := range units {
		if unit.err != nil {
			return nil, unit.err
		}
		size := proto.Size(unit.wire)
		if len(message.Units) == maxEntries || bytes > 0 && bytes+size > savedBytes {
			if err := send(); err != nil {
				return nil, err
			}
		}
		message.Units, bytes = append(message.Units, unit.wire), bytes+size
	}
	if len(message.Units) > 0 {
		if err := send(); err != nil {
			return nil, err
		}
	}
	return saved, nil
}

// save sends one message of units.
func (c *Ask) save(message *wire.Units) ([]SavedUnit, error) {
	host, err := c.call.host.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(c)
	defer cancel()
	stream, err := host.SaveUnits(ctx)
	if err != nil {
		return nil, c.failed("SaveUnits", err)
	}
	// Why the host takes no more is told by its answer.
	if stream.Send(message) == nil {
		_ = stream.CloseSend()
	}
	var saved []SavedUnit
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return saved, nil
		}
		if err != nil {
			return nil, c.failed("SaveUnits", err)
		}
		for _, unit := range answer.Units {
			saved = append(saved, SavedUnit{ID: unit.Id, Created: unit.Created})
		}
	}
}
