// Command wharf-plugin-hello is the smallest useful plugin: an importer that makes a unit of every line of a list.
package main

import (
	_ "embed"
	"os"
	"strings"

	"wharf.invalid/wharf"
)

//go:embed plugin.json
var manifest string

type hello struct{ wharf.ImporterBase }

type settings struct {
	URL string `json:"url"`
}

type key struct {
	Text string `json:"text"`
}

// Sync makes a unit of every line.
func (hello) Sync(ctx *wharf.Context, request *wharf.SyncRequest) (*wharf.Done, error) {
	var settings settings
	if err := request.Attachment.Settings(&settings); err != nil {
		return nil, err
	}
	list, err := ctx.Download(wharf.DownloadFrom(settings.URL))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(ctx.InWorkDir(list.Staged))
	if err != nil {
		return nil, wharf.Operation("content.list", "the list cannot be read").CausedBy(err)
	}
	for line := range strings.Lines(string(text)) {
		greeting := wharf.NewUnit("greeting").Key(key{Text: strings.TrimRight(line, "\r\n")})
		if err := ctx.Unit(greeting); err != nil {
			return nil, err
		}
	}
	return wharf.Changed(), nil
}

func plugin() *wharf.Plugin {
	return wharf.New(manifest).Importer("importer", hello{})
}

func main() {
	os.Exit(plugin().Serve())
}
