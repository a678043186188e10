// The plugin under a debugger: served without a host, in clear, in a private folder, until Ctrl-C.

package wharf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/go-plugin"
)

// Debug serves without a host, for a debugger: it prints the description that `wharf plugin dev --reattach` takes, and
// listens without TLS in a private folder. Ctrl-C ends it. Call it in main in place of [Plugin.Serve].
func (p *Plugin) Debug() int {
	registry, err := p.registry()
	if err == nil {
		err = (&process{logger: toHost(ownLines)}).debug(p, registry)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err.Error()+".")
		return 1
	}
	return 0
}

func (p *process) debug(of *Plugin, registry *registry) error {
	folder, err := os.MkdirTemp("", "plugin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := asIfAlone(folder); err != nil {
		return err
	}
	p.calls = newCalls(&dialer{}, of.grace)
	told, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	serving, stop := context.WithCancel(context.Background())
	defer stop()
	config := p.config(registry)
	config.Test = &plugin.ServeTestConfig{Context: serving, ReattachConfigCh: told, CloseCh: closed}
	asked, forget := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer forget()
	go plugin.Serve(config)
	select {
	case <-closed:
		return errors.New("the plugin was not started; the lines before this one say why")
	case at := <-told:
		if err := describe(at); err != nil {
			return err
		}
	}
	select {
	case <-asked.Done():
	case <-closed:
	}
	p.calls.end()
	stop()
	<-closed
	return nil
}

// asIfAlone takes away what a host would have said, and lets go-plugin listen in this folder.
func asIfAlone(folder string) error {
	var failed error
	for _, name := range []string{
		"PLUGIN_CLIENT_CERT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_GROUP", "PLUGIN_MULTIPLEX_GRPC",
	} {
		failed = errors.Join(failed, os.Unsetenv(name))
	}
	return errors.Join(failed, os.Setenv("PLUGIN_UNIX_SOCKET_DIR", folder))
}

// describe prints how a host attaches: the JSON object that hosts of go-plugin exchange.
func describe(at *plugin.ReattachConfig) error {
	type address struct{ Network, String string }
	written, err := json.Marshal(struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool
		Addr            address
	}{
		string(at.Protocol), at.ProtocolVersion, at.Pid, true,
		address{at.Addr.Network(), at.Addr.String()},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(written))
	return err
}
