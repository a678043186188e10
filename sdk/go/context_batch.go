// Gathering entries into messages: at most 1,000 entries and 1 MiB each, and none waits longer than a second while others
// come.

package wharf

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"wharf.invalid/wharf/wire"
)

const (
	// The contract's limits of one message.
	maxEntries = 1_000
	maxMessage = 1 << 20
	// What a batch may hold; the rest of the message is for the envelope.
	maxBatch = maxMessage - 1_024
	// What an entry takes besides itself: its field's number and its length.
	entryFrame = 6
	// How long a first entry waits for company, as long as more entries come.
	patience = time.Second
	// Progress closer together than this is dropped, but for the last.
	progressEvery = 100 * time.Millisecond
)

// batch gathers entries of one kind.
type batch[T proto.Message] struct {
	wrap    func([]T) *wire.Event
	entries []T
	bytes   int
	since   time.Time
}

// push adds an entry, and gives the event that must be sent now, if any.
func (b *batch[T]) push(entry T) (*wire.Event, error) {
	bytes := proto.Size(entry) + entryFrame
	if bytes > maxBatch {
		message := fmt.Sprintf("one entry takes %d bytes; a message holds %d", bytes, maxBatch)
		return nil, Fault("limit.message", message)
	}
	var overflow *wire.Event
	if b.bytes+bytes > maxBatch {
		overflow = b.take()
	}
	if len(b.entries) == 0 {
		b.since = time.Now()
	}
	b.entries = append(b.entries, entry)
	b.bytes += bytes
	if overflow == nil && (len(b.entries) >= maxEntries || time.Since(b.since) >= patience) {
		return b.take(), nil
	}
	return overflow, nil
}

// take gives what waits as an event, if anything does.
func (b *batch[T]) take() *wire.Event {
	if len(b.entries) == 0 {
		return nil
	}
	event := b.wrap(b.entries)
	b.entries, b.bytes = make([]T, 0, len(b.entries)), 0
	return event
}

// batches are all batches of a call.
type batches struct {
	lock         sync.Mutex
	units        batch[*wire.Unit]
	removed      batch[*wire.UnitRef]
	resolved     batch[*wire.UnitRef]
	listed       batch[*wire.ListedItem]
	files        batch[*wire.PublishedFile]
	aliases      batch[*wire.Alias]
	variants     batch[*wire.Variant]
	items        batch[*wire.Item]
	progress     *wire.Event
	progressSent time.Time
	closed       bool
}

func newBatches() *batches {
	return &batches{
		units:    batch[*wire.Unit]{wrap: unitsEvent},
		removed:  batch[*wire.UnitRef]{wrap: removedEvent},
		resolved: batch[*wire.UnitRef]{wrap: resolvedEvent},
		listed:   batch[*wire.ListedItem]{wrap: listedEvent},
		files:    batch[*wire.PublishedFile]{wrap: filesEvent},
		aliases:  batch[*wire.Alias]{wrap: aliasesEvent},
		variants: batch[*wire.Variant]{wrap: variantsEvent},
		items:    batch[*wire.Item]{wrap: itemsEvent},
	}
}

// add adds an entry to its batch, and sends the batch when it is due. Flawed: what went wrong when the entry was made.
func add[T proto.Message](c *Context, to *batch[T], entry T, flawed error) error {
	if flawed != nil {
		return flawed
	}
	if c.Err() != nil {
		return c.ended()
	}
	due, err := func() (*wire.Event, error) {
		c.call.batches.lock.Lock()
		defer c.call.batches.lock.Unlock()
		if c.call.batches.closed {
			return nil, Cancelled()
		}
		return to.push(entry)
	}()
	if err != nil || due == nil {
		return err
	}
	return c.send(due)
}

// thin takes progress, and gives it back when it is due.
func (b *batches) thin(progress *wire.Event) *wire.Event {
	b.lock.Lock()
	defer b.lock.Unlock()
	if b.closed || time.Since(b.progressSent) < progressEvery {
		b.progress = progress
		return nil
	}
	b.progress, b.progressSent = nil, time.Now()
	return progress
}

// takeAll takes everything that waits.
func (b *batches) takeAll() []*wire.Event {
	b.lock.Lock()
	defer b.lock.Unlock()
	var events []*wire.Event
	for _, event := range []*wire.Event{
		b.units.take(), b.removed.take(), b.resolved.take(), b.listed.take(), b.files.take(), b.aliases.take(),
		b.variants.take(), b.items.take(), b.progress,
	} {
		if event != nil {
			events = append(events, event)
		}
	}
	b.progress = nil
	return events
}

// close takes everything, and nothing from now on.
func (b *batches) close() []*wire.Event {
	b.lock.Lock()
	b.closed = true
	b.lock.Unlock()
	return b.takeAll()
}
