package wharftest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// The contract's limits: proto/README.md, section 17.
const (
	maxEntries = 1_000
	maxMessage = 1 << 20
	maxInline  = 64 << 10
)

// contract is what a stream of events must look like, whatever the plugin does. It watches one stream.
type contract struct {
	t     testing.TB
	types []wharf.Type
	ended bool
}

func (c *contract) check(event *wire.Event) {
	c.t.Helper()
	if c.ended {
		c.t.Error("contract: an event after the closing one")
	}
	if bytes := proto.Size(event); bytes > maxMessage {
		c.t.Errorf("contract: a message of %d bytes", bytes)
	}
	if entries := c.entries(event); entries > maxEntries {
		c.t.Errorf("contract: a message of %d entries", entries)
	}
	c.ended = event.GetResult() != nil || event.GetError() != nil
}

func (c *contract) checkEnd() {
	c.t.Helper()
	if !c.ended {
		c.t.Error("contract: the stream ended without result or error")
	}
}

func (c *contract) entries(event *wire.Event) int {
	c.t.Helper()
	switch told := event.Event.(type) {
	case *wire.Event_Units:
		for _, unit := range told.Units.Units {
			c.unit(unit)
		}
		return len(told.Units.Units)
	case *wire.Event_Listed:
		for _, item := range told.Listed.Items {
			if files := len(item.GetUnit().GetFiles()); files != 1 {
				c.t.Errorf("contract: a listed item has one file, this one %d", files)
			}
			c.unit(item.GetUnit())
		}
		return len(told.Listed.Items)
	case *wire.Event_Files:
		return len(told.Files.Files)
	case *wire.Event_Items:
		return len(told.Items.Items)
	case *wire.Event_Remove:
		return len(told.Remove.Units)
	case *wire.Event_Resolved:
		return len(told.Resolved.Units)
	case *wire.Event_Aliases:
		return len(told.Aliases.Aliases)
	case *wire.Event_Variants:
		return len(told.Variants.Variants)
	case *wire.Event_Keep:
		return len(told.Keep.Keys)
	default:
		return 1
	}
}

func (c *contract) unit(unit *wire.Unit) {
	c.t.Helper()
	fields, isObject := object(unit.GetKey())
	// A migration names units by number, and leaves empty what stays.
	stays := unit.GetId() > 0 && unit.GetKey() == ""
	if !stays && (!isObject || len(fields) == 0) {
		c.t.Errorf("contract: the key of a unit is a JSON object, not %q", unit.GetKey())
	}
	if _, isObject := object(unit.GetAttributes()); unit.GetAttributes() != "" && !isObject {
		c.t.Errorf("contract: attributes are a JSON object, not %q", unit.GetAttributes())
	}
	for _, file := range unit.GetFiles() {
		c.file(file)
	}
	if len(c.types) == 0 {
		return
	}
	at := slices.IndexFunc(c.types, func(known wharf.Type) bool { return known.ID == unit.GetType() })
	if at < 0 {
		c.t.Errorf("contract: no type %q is declared", unit.GetType())
		return
	}
	for _, field := range c.types[at].Key {
		if _, has := fields[field.Name]; !has && !stays && !field.Filled {
			c.t.Errorf("contract: %s lacks %q", unit.GetKey(), field.Name)
		}
	}
}

func (c *contract) file(file *wire.File) {
	c.t.Helper()
	for part := range strings.SplitSeq(file.Path, "/") {
		if part == "" || part == "." || part == ".." {
			c.t.Errorf("contract: %q is not a clean relative path", file.Path)
		}
	}
	ways := 0
	for _, is := range []bool{len(file.Sources) > 0, file.Staged != nil, file.Inline != nil} {
		if is {
			ways++
		}
	}
	if ways > 1 {
		c.t.Errorf("contract: %q comes %d ways", file.Path, ways)
	}
	if len(file.Inline) > maxInline {
		c.t.Errorf("contract: %q has %d bytes inline", file.Path, len(file.Inline))
	}
}

func object(written string) (map[string]any, bool) {
	var fields map[string]any
	err := json.Unmarshal([]byte(written), &fields)
	return fields, err == nil && fields != nil
}
