// Package wharftest tries a plugin without a process and without a host.
//
// [Start] runs the plugin's services in memory: the real messages, the real codec, the real cancellation, with a
// [FakeHost] in place of service Host. A test says what upstream and repository hold, makes a call, and looks at what came
// of it:
//
//	host := wharftest.NewFakeHost().File("https://words.example/list", "one\ntwo\n")
//	harness := wharftest.Start(t, plugin(), host)
//	run := harness.Call("importer").Settings(settings{URL: "https://words.example/list"}).Sync()
//	if run.Done().GetAnnounced() != 2 { ... }
//
// Every run is held against the contract: batches within their limits, one closing event, units of declared types with
// whole keys. A breach fails the test and says which. Package wharftest is for tests alone: it never runs in a plugin.
package wharftest

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// Bytes that a connection in memory holds.
const pipe = 1 << 20

// Harness is a plugin that runs inside the test. The end of the test ends its calls and removes its work folder.
type Harness struct {
	t       testing.TB
	toward  *grpc.ClientConn
	plugin  *wharf.InProcess
	workDir string
}

// Start starts the plugin beside a fake host. The test fails when plugin and manifest disagree.
func Start(t testing.TB, plugin *wharf.Plugin, host *FakeHost) *Harness {
	t.Helper()
	harness := &Harness{t: t, workDir: t.TempDir()}
	toHost := serve(t, func(server *grpc.Server) { host.Register(server, harness.workDir) })
	harness.toward = serve(t, func(server *grpc.Server) {
		inProcess, err := plugin.Register(server, toHost)
		if err != nil {
			t.Fatal(err)
		}
		harness.plugin = inProcess
	})
	t.Cleanup(harness.plugin.Stop)
	return harness
}

// serve serves in memory until the end of the test, and gives a connection to it.
func serve(t testing.TB, register func(*grpc.Server)) *grpc.ClientConn {
	listener, server, ended := bufconn.Listen(pipe), grpc.NewServer(), make(chan struct{})
	register(server)
	go func() {
		defer close(ended)
		if err := server.Serve(listener); err != nil {
			t.Errorf("serving in memory: %v", err)
		}
	}()
	connection, err := grpc.NewClient("passthrough:memory",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = connection.Close()
		server.Stop()
		<-ended
	})
	return connection
}

// Connection is a connection to the plugin, for calls that [Call] does not make. Nothing is held against the contract.
func (h *Harness) Connection() grpc.ClientConnInterface { return h.toward }

// WorkDir is the folder that calls stage their files in.
func (h *Harness) WorkDir() string { return h.workDir }

// Stop asks the plugin to stop, as a host's Shutdown does: running calls are cancelled, new ones refused.
func (h *Harness) Stop() { h.plugin.Stop() }

// Describe is what the plugin says of itself.
func (h *Harness) Describe() *wire.DescribeResponse {
	h.t.Helper()
	answer, err := wire.NewPluginClient(h.toward).Describe(h.t.Context(), &wire.DescribeRequest{})
	if err != nil {
		h.t.Fatalf("Describe: %v", err)
	}
	return answer
}

// Migrate makes Plugin.Migrate: the units that the migration changes. Its units are those of the fake host.
func (h *Harness) Migrate(number uint32) *Run {
	h.t.Helper()
	request := &wire.MigrateRequest{Context: h.job(), Number: number}
	run := h.start(func(ctx context.Context) (events, error) {
		return wire.NewPluginClient(h.toward).Migrate(ctx, request)
	}).Finish()
	for _, unit := range run.Units {
		if unit.Id == 0 {
			h.t.Errorf("contract: a migration changes units that are there, by their id: %v", unit)
		}
	}
	return run
}

// job is what a call is told about its job.
func (h *Harness) job() *wire.JobContext {
	return &wire.JobContext{HostAddress: "memory", Token: Token, Job: 1, WorkDir: h.workDir, Attempt: 1}
}
