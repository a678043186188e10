// Command wharf-plugin-errors is a plugin for tests: it raises each class of error at each call, as its settings say.
//
// Without that it works: `sync` declares two notes, `files` lists two and hands out their bytes, `tree` publishes them.
package main

import (
	_ "embed"
	"os"

	"wharf.invalid/wharf"
)

//go:embed plugin.json
var manifest string

// note is one of the two.
type note struct{ path, text string }

var notes = []note{{"a.txt", "the first note\n"}, {"b.txt", "the second note\n"}}

type key struct {
	Path string `json:"path"`
}

func (n note) unit(file *wharf.File) *wharf.Unit {
	return wharf.NewUnit("note").Key(key{n.path}).File(file)
}

// syncing declares two notes: one sends its bytes along, one stages them.
type syncing struct {
	wharf.ImporterBase
	checking
}

// Sync declares the notes.
func (syncing) Sync(ctx *wharf.Context, request *wharf.SyncRequest) (*wharf.Done, error) {
	if err := os.WriteFile(ctx.InWorkDir("staged-note"), []byte(notes[1].text), 0o600); err != nil {
		return nil, wharf.Operation("storage.staged", "a note cannot be staged").CausedBy(err)
	}
	for _, unit := range []*wharf.Unit{
		notes[0].unit(wharf.FileAt(notes[0].path).Inline([]byte(notes[0].text))),
		notes[1].unit(wharf.FileAt(notes[1].path).Staged("staged-note")),
	} {
		if err := ctx.Unit(unit); err != nil {
			return nil, err
		}
	}
	return wharf.Changed().Announced(2), end(ctx, "sync", &request.Attachment)
}

// files lists two notes, and hands out their bytes in chunks.
type files struct {
	wharf.ImporterBase
	checking
}

// List lists the notes.
func (files) List(ctx *wharf.Context, request *wharf.ListRequest) (*wharf.Done, error) {
	for _, note := range notes {
		unit := note.unit(wharf.FileAt(note.path).Size(uint64(len(note.text))))
		if err := ctx.Listed(wharf.NewListedItem(unit).Revision("1")); err != nil {
			return nil, err
		}
	}
	return wharf.Changed(), end(ctx, "list", &request.Attachment)
}

// Fetch hands out the bytes of one.
func (files) Fetch(ctx *wharf.Context, request *wharf.FetchRequest) (*wharf.Done, error) {
	for _, note := range notes {
		if note.path != request.Unit.Files()[0].Path() {
			continue
		}
		if err := ctx.Chunk([]byte(note.text)[request.Offset:]); err != nil {
			return nil, err
		}
	}
	return wharf.Changed(), end(ctx, "fetch", &request.Attachment)
}

// tree publishes the notes of a version, under their own paths.
type tree struct {
	wharf.DistributorBase
	checking
}

// Publish publishes the notes.
func (tree) Publish(ctx *wharf.Context, request *wharf.PublishRequest) (*wharf.Done, error) {
	for unit, err := range ctx.Units(wharf.NewQuery()) {
		if err != nil {
			return nil, err
		}
		for _, file := range unit.Files() {
			if err := ctx.File(wharf.FileOfUnit(file.Path(), unit.ID(), file.Path())); err != nil {
				return nil, err
			}
		}
	}
	return wharf.Changed(), end(ctx, "publish", &request.Attachment)
}

func plugin() *wharf.Plugin {
	return wharf.New(manifest).Importer("sync", syncing{}).Importer("files", files{}).Distributor("tree", tree{})
}

func main() {
	os.Exit(plugin().Serve())
}
