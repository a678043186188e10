// Command go-plugin is a plugin on the current Go library.
package main

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"syscall"

	plugin "github.com/hashicorp/go-plugin"

	"wharf.invalid/interop/peer"
)

func main() {
	peer.Plugin("go-plugin current", func(o *peer.PluginOptions, c *plugin.ServeConfig) (func(), error) {
		if !o.Test {
			return nil, nil
		}
		return debug(c), nil
	})
}

// debug makes it serve without a host, until SIGTERM; the description goes to standard output as one line of JSON.
func debug(c *plugin.ServeConfig) func() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	descriptions, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	c.Test = &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: descriptions, CloseCh: closed}
	go func() {
		d := <-descriptions
		_ = json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
			"Protocol": d.Protocol, "ProtocolVersion": d.ProtocolVersion, "Pid": d.Pid, "Test": d.Test,
			"Addr": map[string]string{"Network": d.Addr.Network(), "String": d.Addr.String()},
		})
	}()
	return func() {
		<-closed
		stop()
	}
}
