// Command throughput says how many declared units a second go from a plugin's method to a host that counts and drops them,
// with the real codec over a pipe in memory: `go run ./examples/throughput`, from sdk/go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

const (
	units    = 1_000_000
	sum      = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	manifest = `{"name": "many", "version": "0.1.0", "components": [{"id": "importer", "role": "importer"}]}`
	pipe     = 1 << 20
)

type many struct{ wharf.ImporterBase }

type key struct {
	RelativePath string `json:"relative_path"`
	SHA256       string `json:"sha256"`
}

// Sync declares all of them.
func (many) Sync(ctx *wharf.Context, _ *wharf.SyncRequest) (*wharf.Done, error) {
	for n := range units {
		path := fmt.Sprintf("pool/main/%d/file-%d.bin", n%100, n)
		file := wharf.FileAt(path).SHA256(sum).Size(1_024).URL("https://mirror.example.org/tree/" + path)
		if err := ctx.Unit(wharf.NewUnit("file").Key(key{path, sum}).File(file)); err != nil {
			return nil, err
		}
	}
	return wharf.Changed(), nil
}

func main() {
	for _, threads := range []int{1, 2} {
		runtime.GOMAXPROCS(threads)
		begun, spent := time.Now(), processor()
		counted, err := count(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, "throughput:", err)
			os.Exit(1)
		}
		took := time.Since(begun).Seconds()
		fmt.Printf("on %d threads: %d units in %.2f s, %.0f a second, %.0f per second of processor time\n",
			threads, counted, took, float64(counted)/took, float64(counted)/(processor()-spent).Seconds())
	}
}

// processor is the processor time that this process has had; on a machine that others use too, it says more.
func processor() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// count makes one call, and counts.
func count(ctx context.Context) (int, error) {
	listener, server := bufconn.Listen(pipe), grpc.NewServer()
	plugin, err := wharf.New(manifest).Importer("importer", many{}).Register(server, nil)
	if err != nil {
		return 0, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		plugin.Stop()
		server.Stop()
		<-served
	}()
	connection, err := grpc.NewClient("passthrough:memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	attachment := &wire.Attachment{Instance: &wire.Instance{Component: "importer"}}
	stream, err := wire.NewImporterClient(connection).Sync(ctx, &wire.SyncRequest{Attachment: attachment})
	if err != nil {
		return 0, err
	}
	counted := 0
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return counted, nil
		}
		if err != nil {
			return 0, err
		}
		counted += len(event.GetUnits().GetUnits())
	}
}
