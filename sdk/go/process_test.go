package wharf_test

// The plugin as a process: handshake, TLS, logs, signals, its end.

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"wharf.invalid/wharf/wharftest"
	"wharf.invalid/wharf/wire"
)

// last is the closing event of a call.
func last(t *testing.T, stream grpc.ServerStreamingClient[wire.Event]) *wire.Event {
	t.Helper()
	for {
		event, err := stream.Recv()
		if err != nil {
			t.Fatalf("no closing event: %v", err)
		}
		if event.GetResult() != nil || event.GetError() != nil {
			return event
		}
	}
}

// logged finds a line of the log by its message.
func logged(t *testing.T, plugin *launched, message string) map[string]any {
	t.Helper()
	until := time.Now().Add(deadline)
	for time.Now().Before(until) {
		for line := range strings.Lines(plugin.stderr.String()) {
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) == nil && fields["@message"] == message {
				return fields
			}
		}
		// What a child writes is announced by nothing.
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("no line %q in %s", message, plugin.stderr)
	return nil
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func TestTheHandshakeIsOneLineWhateverIsPrinted(t *testing.T) {
	t.Parallel()
	plugin := launch(t, nil)
	fields := plugin.fields()
	equal(t, strings.Join(fields[:3], "|")+"|"+fields[4], "1|1|unix|grpc")
	if !strings.HasPrefix(fields[3], plugin.folder+"/") {
		t.Errorf("the socket is elsewhere: %s", fields[3])
	}
	if !strings.Contains(plugin.stderr.String(), "printed before the handshake\n") {
		t.Errorf("what was printed is lost: %s", plugin.stderr)
	}
}

func TestACallReachesTheHostAndPrintsAsItLikes(t *testing.T) {
	t.Parallel()
	plugin := launch(t, nil)
	connection := plugin.dial(plugin.host)
	health, err := grpc_health_v1.NewHealthClient(connection).
		Check(limited(t), &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	if err != nil || health.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("%v %v", health, err)
	}
	printed, err := connection.NewStream(limited(t), &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil || printed.SendMsg(&emptypb.Empty{}) != nil || printed.CloseSend() != nil {
		t.Fatal(err)
	}
	job := plugin.serveHost(wharftest.NewFakeHost().File("https://x.example/a", "downloaded"))
	stream := plugin.sync(limited(t), job, "download")
	event, err := stream.Recv()
	if err != nil || event.GetUnits().GetUnits()[0].Key != `{"name":"downloaded"}` {
		t.Fatalf("%v %v", event, err)
	}
	last(t, stream).GetResult().GetChanged()
	var text strings.Builder
	for !strings.Contains(text.String(), "printed by a method\n") {
		var piece emptypb.Empty
		if err := printed.RecvMsg(&piece); err != nil {
			t.Fatalf("%v after %q", err, text.String())
		}
		text.Write(piece.ProtoReflect().GetUnknown())
	}
	line := logged(t, plugin, "a line for the operator")
	equal(t, line["@level"].(string), "info")
	equal(t, line["group.n"].(float64), 1)
	if strings.Contains(plugin.stderr.String(), "a line for nobody") {
		t.Error("a line below the wanted level is logged")
	}
}

func TestAPanicIsLoggedWithItsTraceAndTheProcessGoesOn(t *testing.T) {
	t.Parallel()
	plugin := launch(t, nil)
	equal(t, last(t, plugin.sync(limited(t), nil, "panic")).GetError().GetClass(), wire.ErrorClass_ERROR_CLASS_FAULT)
	line := logged(t, plugin, "a method of the plugin panicked")
	if !strings.Contains(line["stack"].(string), "sample_test.go") {
		t.Errorf("no trace: %v", line)
	}
	equal(t, last(t, plugin.sync(limited(t), nil, "tell")).GetResult().GetAnnounced(), 3)
}

func TestShutdownEndsCallsAndTheProcess(t *testing.T) {
	t.Parallel()
	plugin := launch(t, nil)
	running := plugin.sync(limited(t), nil, "endless")
	if _, err := running.Recv(); err != nil {
		t.Fatal(err)
	}
	shut := make(chan struct{})
	go func() {
		defer close(shut)
		// The answer may get lost while the server ends.
		_ = plugin.connection.Invoke(limited(t), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	}()
	equal(t, last(t, running).GetError().GetClass(), wire.ErrorClass_ERROR_CLASS_CANCELLED)
	within(t, shut, "Shutdown")
	equal(t, plugin.status(), 0)
	if _, err := os.Stat(plugin.fields()[3]); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestOnlySIGTERMEndsThePlugin(t *testing.T) {
	t.Parallel()
	plugin := launch(t, nil)
	running := plugin.sync(limited(t), nil, "endless")
	if err := plugin.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if event, err := running.Recv(); err != nil || event.GetUnits() == nil {
			t.Fatalf("SIGINT ended the call: %v %v", event, err)
		}
	}
	if err := plugin.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	equal(t, last(t, running).GetError().GetClass(), wire.ErrorClass_ERROR_CLASS_CANCELLED)
	equal(t, plugin.status(), 0)
	if _, err := os.Stat(plugin.fields()[3]); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestAPluginWithoutParentEnds(t *testing.T) {
	t.Parallel()
	plugin := launch(t, func(command *exec.Cmd) {
		program := command.Args[0]
		command.Path, command.Args = "/bin/sh", []string{"sh", "-c", `"$0" & wait`, program}
	})
	plugin.fields()
	if err := plugin.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The plugin holds the pipe of standard error; its end is the end of the plugin.
	within(t, plugin.ended, "the orphan ends")
	logged(t, plugin, "the parent process is gone")
}

func TestOnlyTheHostsCertificateIsTrusted(t *testing.T) {
	t.Parallel()
	plugin := launch(t, nil)
	_, err := wire.NewPluginClient(plugin.dial(own(t))).Describe(limited(t), &wire.DescribeRequest{})
	equal(t, status.Code(err), codes.Unavailable)
	_, err = wire.NewPluginClient(plugin.dial(plugin.host)).Describe(limited(t), &wire.DescribeRequest{})
	equal(t, status.Code(err), codes.OK)
}

func TestWhoStartsItWronglyIsToldWhy(t *testing.T) {
	t.Parallel()
	for wanted, variable := range map[string]string{
		"This is sample 1.2.3, a plugin of wharf":    "WHARF_PLUGIN=",
		"PLUGIN_CLIENT_CERT holds no certificate":    "PLUGIN_CLIENT_CERT=nothing",
		"the plugin was not started; the lines befo": "PLUGIN_UNIX_SOCKET_DIR=/nonexistent",
	} {
		plugin := launch(t, func(command *exec.Cmd) { command.Env = append(command.Env, variable) })
		equal(t, plugin.status(), 1)
		if !strings.Contains(plugin.stderr.String(), wanted) {
			t.Errorf("%s: %s", variable, plugin.stderr)
		}
		if strings.HasPrefix(plugin.line, "1|") {
			t.Errorf("%s: a handshake: %s", variable, plugin.line)
		}
	}
}

func TestWithoutACertificateThereIsNoTLS(t *testing.T) {
	t.Parallel()
	plugin := launch(t, func(command *exec.Cmd) { command.Env = append(command.Env, "PLUGIN_CLIENT_CERT=") })
	equal(t, plugin.fields()[5], "")
}
