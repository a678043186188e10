// Command go-host is a host on the Go library of 2019.
package main

import (
	"errors"

	plugin "github.com/hashicorp/go-plugin"

	"wharf.invalid/interop/peer"
)

func main() {
	peer.Host(peer.Extra{
		Library: "go-plugin 1.0.1",
		Extend: func(o *peer.HostOptions, _ *plugin.ClientConfig) error {
			if o.Mux || o.SkipEnv || o.Group != "" || o.Test {
				return errors.New("this version knows neither multiplexing, groups, empty environments nor tests")
			}
			return nil
		},
	})
}
