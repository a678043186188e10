// Command go-plugin is a plugin on the Go library of 2019.
package main

import (
	"errors"

	plugin "github.com/hashicorp/go-plugin"

	"wharf.invalid/interop/peer"
)

func main() {
	peer.Plugin("go-plugin 1.0.1", func(o *peer.PluginOptions, _ *plugin.ServeConfig) (func(), error) {
		if o.Test {
			return nil, errors.New("this version knows no debug mode")
		}
		return nil, nil
	})
}
