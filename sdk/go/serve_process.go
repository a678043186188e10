// The plugin as a process, served by HashiCorp's go-plugin: what is wharf's own around it. SIGTERM and the host's word end
// the plugin alike, its orphaning too; SIGINT is left to the host.

package wharf

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	// The contract's cookie and application version: proto/README.md, section 1.
	cookieKey   = "WHARF_PLUGIN"
	cookieValue = "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e"
	appVersion  = 1
	// How often the parent is looked for.
	lookForParent = time.Second
	// What the last answers get to reach the host.
	lastWords = 300 * time.Millisecond
	shutdown  = "/plugin.GRPCController/Shutdown"
	contract  = "/wharf.v1."
)

// launched says whether a host started this process.
func launched() bool { return os.Getenv(cookieKey) == cookieValue }

// Serve serves until the host wants the plugin to stop. Call it in main, and exit with what it gives.
func (p *Plugin) Serve() int {
	registry, err := p.registry()
	if err != nil {
		fmt.Fprintln(os.Stderr, err.Error()+".")
		return 1
	}
	if !launched() {
		fmt.Fprintf(os.Stderr, "This is %s %s, a plugin of wharf. It does nothing when run by hand.\n"+
			"wharf starts it by itself when it is needed: put its folder where wharf looks for plugins.\n"+
			"`wharf plugin list` shows those that wharf finds.\n", registry.manifest.Name, registry.manifest.Version)
		return 1
	}
	process := &process{logger: toHost(ownLines)}
	slog.SetDefault(slog.New(&handler{to: process.logger, from: p.level}))
	if err := process.serve(p, registry); err != nil {
		process.logger.Error("the plugin cannot be served", "error", err.Error())
		return 1
	}
	return 0
}

// process is a running plugin.
type process struct {
	logger logger
	calls  *calls
	server atomic.Pointer[grpc.Server]
}

func (p *process) serve(of *Plugin, registry *registry) error {
	secure, err := newSecurity(os.Getenv("PLUGIN_CLIENT_CERT"))
	if err != nil {
		return err
	}
	line, err := newHandshake(of.stdout, secure.printed())
	if err != nil {
		return err
	}
	p.calls = newCalls(&dialer{tls: secure.config()}, of.grace)
	ended, stop := context.WithCancel(context.Background())
	watching := p.watch(ended)
	config := p.config(registry)
	config.TLSProvider = secure.provide
	plugin.Serve(config)
	p.calls.end()
	stop()
	<-watching
	return line.printed()
}

// config is what go-plugin serves.
func (p *process) config(registry *registry) *plugin.ServeConfig {
	return &plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: appVersion, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{
			appVersion: {"wharf": &services{server: &server{registry: registry, calls: p.calls}}},
		},
		GRPCServer: p.newServer,
		Logger:     toHost(libraryLines),
	}
}

// newServer makes the gRPC server that go-plugin serves.
func (p *process) newServer(options []grpc.ServerOption) *grpc.Server {
	options = append(options, grpc.MaxRecvMsgSize(maxReceived),
		grpc.ChainUnaryInterceptor(p.shutDown), grpc.ChainStreamInterceptor(p.endless))
	made := grpc.NewServer(options...)
	p.server.Store(made)
	return made
}

// shutDown answers the host's Shutdown. go-plugin's own controller would close the connection before running calls have
// said their last word, and before it has answered.
func (p *process) shutDown(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (any, error) {
	if info.FullMethod != shutdown {
		return handle(ctx, request)
	}
	p.calls.end()
	go p.stopServer()
	return &emptypb.Empty{}, nil
}

// endless ends streams that nobody else ends, such as StreamStdio, when the calls are over.
func (p *process) endless(
	service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler,
) error {
	if strings.HasPrefix(info.FullMethod, contract) {
		return handle(service, stream)
	}
	ended := make(chan error, 1)
	go func() { ended <- handle(service, stream) }()
	select {
	case err := <-ended:
		return err
	case <-p.calls.stop.Done():
		return nil
	}
}

// watch ends the plugin on SIGTERM, and when its parent is gone. What it gives is closed when nothing is watched any more.
func (p *process) watch(ended context.Context) <-chan struct{} {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	// Otherwise a standard error or output that nobody reads would end the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	parent, over := os.Getppid(), make(chan struct{})
	go func() {
		defer close(over)
		look := time.NewTicker(lookForParent)
		defer look.Stop()
		for {
			select {
			case <-ended.Done():
				return
			case <-terminated:
			case <-look.C:
				if os.Getppid() == parent {
					continue
				}
				p.logger.Warn("the parent process is gone")
			}
			p.calls.end()
			p.stopServer()
			return
		}
	}()
	return over
}

// stopServer ends the gRPC server. go-plugin returns from Serve then, and removes the socket.
func (p *process) stopServer() {
	server := p.server.Load()
	if server == nil {
		// Before there is a server there is no socket that anybody could use.
		os.Exit(0)
	}
	defer time.AfterFunc(lastWords, server.Stop).Stop()
	server.GracefulStop()
}

// services is the plugin as go-plugin wants it.
type services struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

// GRPCServer offers the services.
func (s *services) GRPCServer(_ *plugin.GRPCBroker, on *grpc.Server) error {
	s.server.register(on)
	return nil
}

// GRPCClient is the host's side, which this program is not.
func (s *services) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, Fault("internal.client", "this program is a plugin, not a host")
}
