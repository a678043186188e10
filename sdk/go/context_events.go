// Events around entries.

package wharf

import "wharf.invalid/wharf/wire"

func unitsEvent(units []*wire.Unit) *wire.Event {
	return &wire.Event{Event: &wire.Event_Units{Units: &wire.Units{Units: units}}}
}

func removedEvent(units []*wire.UnitRef) *wire.Event {
	return &wire.Event{Event: &wire.Event_Remove{Remove: &wire.UnitRefs{Units: units}}}
}

func resolvedEvent(units []*wire.UnitRef) *wire.Event {
	return &wire.Event{Event: &wire.Event_Resolved{Resolved: &wire.UnitRefs{Units: units}}}
}

func listedEvent(items []*wire.ListedItem) *wire.Event {
	return &wire.Event{Event: &wire.Event_Listed{Listed: &wire.ListedItems{Items: items}}}
}

func filesEvent(files []*wire.PublishedFile) *wire.Event {
	return &wire.Event{Event: &wire.Event_Files{Files: &wire.PublishedFiles{Files: files}}}
}

func aliasesEvent(aliases []*wire.Alias) *wire.Event {
	return &wire.Event{Event: &wire.Event_Aliases{Aliases: &wire.Aliases{Aliases: aliases}}}
}

func variantsEvent(variants []*wire.Variant) *wire.Event {
	return &wire.Event{Event: &wire.Event_Variants{Variants: &wire.Variants{Variants: variants}}}
}

func itemsEvent(items []*wire.Item) *wire.Event {
	return &wire.Event{Event: &wire.Event_Items{Items: &wire.Items{Items: items}}}
}

func errorEvent(err *Error) *wire.Event {
	return &wire.Event{Event: &wire.Event_Error{Error: err.toWire()}}
}
