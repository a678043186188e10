package wharf_test

// Under a debugger a plugin serves without a host, and says where.

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"wharf.invalid/wharf/wire"
)

func TestUnderADebuggerItTellsWhereItIsAndEndsWithCtrlC(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), asPlugin+"=debug", "WHARF_PLUGIN=", "PLUGIN_CLIENT_CERT=nothing", "TMPDIR=/tmp")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var told struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool
		Addr            struct{ Network, String string }
	}
	// What the sample prints comes beside it.
	for !strings.HasPrefix(lines.Text(), "{") && lines.Scan() {
	}
	if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	equal(t, told.Protocol+" "+told.Addr.Network, "grpc unix")
	equal(t, told.ProtocolVersion, 1)
	equal(t, told.Pid, command.Process.Pid)
	equal(t, told.Test, true)
	folder, err := os.Stat(filepath.Dir(told.Addr.String))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, folder.Mode().Perm(), 0o700)
	connection, err := grpc.NewClient("unix:"+told.Addr.String, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithAuthority("localhost"))
	if err != nil {
		t.Fatal(err)
	}
	described, err := wire.NewPluginClient(connection).Describe(limited(t), &wire.DescribeRequest{})
	if err != nil || described.Name != "sample" {
		t.Errorf("%v %v", described, err)
	}
	_ = connection.Close()
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(told.Addr.String)); !os.IsNotExist(err) {
		t.Errorf("the folder is left behind: %v", err)
	}
}
