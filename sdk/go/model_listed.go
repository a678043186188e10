// Items of a listing.

package wharf

import "wharf.invalid/wharf/wire"

// ListedItem is one item of a listing: a unit with exactly one file, and a revision that changes with its bytes.
type ListedItem struct {
	wire *wire.ListedItem
	err  error
}

// NewListedItem is an item. If its file says nothing about where the bytes are, the host asks Fetch.
func NewListedItem(unit *Unit) *ListedItem {
	return &ListedItem{wire: &wire.ListedItem{Unit: unit.wire}, err: unit.err}
}

// Revision changes whenever the bytes may have changed; an item with the same revision is not fetched again.
func (i *ListedItem) Revision(revision string) *ListedItem {
	i.wire.Revision = revision
	return i
}

// ModifiedMs is when it was last changed, in milliseconds since 1970.
func (i *ListedItem) ModifiedMs(modified int64) *ListedItem {
	i.wire.ModifiedMs = modified
	return i
}
