// What importers and builders tell: units, listings, bytes.

package wharf

import (
	"io"

	"wharf.invalid/wharf/wire"
)

// The most bytes of one chunk.
const chunk = 512 << 10

// Unit says that the new version contains this unit. The host compares, fetches what is missing and counts. A unit that
// is larger than a message, or cannot be written, is a fault.
func (c *Context) Unit(unit *Unit) error {
	return add(c, &c.call.batches.units, unit.wire, unit.err)
}

// Keep names units of the base version that the new version contains too, without sending them again.
func (c *Context) Keep(keep *Keep) error {
	if keep.err != nil {
		return keep.err
	}
	return c.send(&wire.Event{Event: &wire.Event_Keep{Keep: keep.wire}})
}

// Remove names a unit that the new version does not contain. Additive mode only.
func (c *Context) Remove(unit *UnitRef) error {
	return add(c, &c.call.batches.removed, unit.wire, unit.err)
}

// Listed is an item of a listing.
func (c *Context) Listed(item *ListedItem) error {
	return add(c, &c.call.batches.listed, item.wire, item.err)
}

// Cursor says that a later listing with this cursor continues behind the items sent so far.
func (c *Context) Cursor(cursor string) error {
	if err := c.Flush(); err != nil {
		return err
	}
	return c.send(&wire.Event{Event: &wire.Event_Listed{Listed: &wire.ListedItems{Cursor: text(cursor)}}})
}

// Resolved is a unit that others depend on.
func (c *Context) Resolved(unit *UnitRef) error {
	return add(c, &c.call.batches.resolved, unit.wire, unit.err)
}

// Chunk is the next bytes of a fetched item, in order. Of any size; they are cut as the contract asks. The bytes may not
// be changed afterwards.
func (c *Context) Chunk(bytes []byte) error {
	for len(bytes) > 0 {
		now := bytes[:min(len(bytes), chunk)]
		bytes = bytes[len(now):]
		if err := c.content(&wire.Content{Content: &wire.Content_Chunk{Chunk: now}}); err != nil {
			return err
		}
	}
	return nil
}

// Revision says, in Fetch and before the bytes, what they really are a revision of, where the item changed since it was
// listed. Size and revision of the listing then do not count any more.
func (c *Context) Revision(revision string) error {
	return c.content(&wire.Content{Revision: text(revision)})
}

// Chunks sends all that a reader gives, as the bytes of a fetched item.
func (c *Context) Chunks(from io.Reader) error {
	for {
		bytes := make([]byte, chunk)
		n, err := io.ReadFull(from, bytes)
		if failed := c.Chunk(bytes[:n]); failed != nil {
			return failed
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return Operation("source.read", "the item's bytes cannot be read").CausedBy(err)
		}
	}
}

// Source says that a fetched item's bytes are to be had from this address.
func (c *Context) Source(url string) error {
	if err := checkText("an address", url); err != nil {
		return err
	}
	return c.content(&wire.Content{Content: &wire.Content_Source{Source: &wire.Source{Url: url}}})
}

// Staged says that a fetched item's bytes are in this file, named relative to [Context.WorkDir].
func (c *Context) Staged(path string) error {
	if err := checkText("a staged path", path); err != nil {
		return err
	}
	return c.content(&wire.Content{Content: &wire.Content_Staged{Staged: path}})
}

func (c *Context) content(content *wire.Content) error {
	return c.send(&wire.Event{Event: &wire.Event_Content{Content: content}})
}
