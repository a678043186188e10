package wharf_test

// A host's side of the process: starts the plugin, which is this test program again, and speaks to it as a host does.

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wharftest"
	"wharf.invalid/wharf/wire"
)

const asPlugin = "WHARF_TEST_AS_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) == "" {
		os.Exit(m.Run())
	}
	plugin := wharf.New(sampleManifest).LogLevel(slog.LevelInfo)
	fmt.Println("printed before the handshake")
	// Reading os.Stdout while go-plugin changes it would be a race of this test's.
	kept := os.Stdout
	go func() {
		for range 1_000 {
			_, _ = fmt.Fprintln(kept, "printed meanwhile")
		}
	}()
	plugin.Importer("importer", &printing{newSample()}).Distributor("tree", tree{}).
		Builder("maker", maker{}).Action("doer", doer{}).Migrations(changes{})
	if os.Getenv(asPlugin) == "debug" {
		os.Exit(plugin.Debug())
	}
	os.Exit(plugin.Serve())
}

// printing is an importer that prints and logs before it does what the sample does.
type printing struct{ *sample }

func (p *printing) Sync(ctx *wharf.Context, request *wharf.SyncRequest) (*wharf.Done, error) {
	fmt.Println("printed by a method")
	slog.Debug("a line for nobody")
	slog.Info("a line for the operator", "group", slog.GroupValue(slog.Int("n", 1)))
	return p.sample.Sync(ctx, request)
}

// own is a key and its certificate.
func own(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// launched is a plugin's process.
type launched struct {
	t          *testing.T
	command    *exec.Cmd
	folder     string
	host       tls.Certificate
	line       string
	stderr     *buffer
	ended      chan struct{}
	connection *grpc.ClientConn
}

// buffer takes bytes from the goroutine that reads a pipe.
type buffer struct {
	lock  sync.Mutex
	bytes bytes.Buffer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.bytes.Write(data)
}

func (b *buffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.bytes.String()
}

// launch starts the plugin, or what runs it, and reads its handshake.
func launch(t *testing.T, change func(*exec.Cmd)) *launched {
	t.Helper()
	// Paths of sockets are short.
	folder, err := os.MkdirTemp("", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	l := &launched{t: t, folder: folder, host: own(t), stderr: &buffer{}, ended: make(chan struct{})}
	l.command = exec.Command(os.Args[0])
	l.command.Env = append(os.Environ(), asPlugin+"=1", "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR="+folder,
		"WHARF_PLUGIN=0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e",
		"PLUGIN_CLIENT_CERT="+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.host.Certificate[0]})))
	if change != nil {
		change(l.command)
	}
	l.command.Stderr = l.stderr
	stdout, err := l.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	l.line, _ = lines.ReadString('\n')
	go func() {
		defer close(l.ended)
		if rest, _ := io.ReadAll(lines); len(rest) > 0 && strings.HasPrefix(l.line, "1|") {
			t.Errorf("behind the handshake: %q", rest)
		}
		_ = l.command.Wait()
	}()
	t.Cleanup(func() {
		_ = l.command.Process.Kill()
		<-l.ended
	})
	return l
}

// status waits for the end, and gives the exit status.
func (l *launched) status() int {
	l.t.Helper()
	within(l.t, l.ended, "the process ends; it said: "+l.stderr.String())
	return l.command.ProcessState.ExitCode()
}

// fields are those of the handshake line.
func (l *launched) fields() []string {
	l.t.Helper()
	fields := strings.Split(strings.TrimSpace(l.line), "|")
	if len(fields) != 6 {
		l.t.Fatalf("no handshake: %q; it said: %s", l.line, l.stderr)
	}
	return fields
}

// dial connects to the plugin with a certificate, and trusts only the one that was printed.
func (l *launched) dial(with tls.Certificate) *grpc.ClientConn {
	l.t.Helper()
	fields := l.fields()
	printed, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil {
		l.t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(printed)
	if err != nil {
		l.t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(parsed)
	connection, err := grpc.NewClient("unix:"+fields[3], grpc.WithAuthority("localhost"),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{with}, RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS13,
		})))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// serveHost serves a fake host to this plugin alone, and gives what a job is told of it.
func (l *launched) serveHost(host *wharftest.FakeHost) *wire.JobContext {
	l.t.Helper()
	path := filepath.Join(l.folder, "host.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		l.t.Fatal(err)
	}
	printed, err := base64.RawStdEncoding.DecodeString(l.fields()[5])
	if err != nil {
		l.t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{l.host}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13,
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, printed) {
				return fmt.Errorf("a stranger")
			}
			return nil
		},
	})))
	work := l.t.TempDir()
	host.Register(server, work)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	l.t.Cleanup(func() {
		server.Stop()
		<-served
	})
	return &wire.JobContext{HostAddress: "unix://" + path, Token: wharftest.Token, Job: 1, WorkDir: work}
}

// sync starts a sync with one task.
func (l *launched) sync(ctx context.Context, job *wire.JobContext, called string) grpc.ServerStreamingClient[wire.Event] {
	l.t.Helper()
	if l.connection == nil {
		l.connection = l.dial(l.host)
	}
	stream, err := wire.NewImporterClient(l.connection).Sync(ctx, &wire.SyncRequest{
		Context: job, Attachment: &wire.Attachment{
			Instance: &wire.Instance{Component: "importer"}, Settings: fmt.Sprintf(`{"task":%q}`, called),
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return stream
}
