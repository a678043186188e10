// The Go library measured on both sides: `bench plugin` is a minimal plugin, `bench host SIZES...` launches itself as
// that plugin and prints one JSON object. tests/bench/run runs it beside wharf's own pair and beside bare tonic.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"wharf.invalid/interop/peer/pb"
)

var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "BENCH_PLUGIN", MagicCookieValue: "bench"}

type server struct{ pb.UnimplementedPeerServer }

func (server) Echo(_ context.Context, data *pb.Data) (*pb.Data, error) { return data, nil }

func (server) Flow(plan *pb.Plan, stream pb.Peer_FlowServer) error {
	data := &pb.Data{Data: make([]byte, plan.Bytes)}
	for range plan.Count {
		if err := stream.Send(data); err != nil {
			return err
		}
	}
	return nil
}

type kind struct{ plugin.NetRPCUnsupportedPlugin }

func (kind) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPeerServer(s, server{})
	return nil
}

func (kind) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return pb.NewPeerClient(c), nil
}

var plugins = plugin.PluginSet{"peer": kind{}}

func launch() (*plugin.Client, pb.PeerClient, error) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake, Plugins: plugins, Cmd: exec.Command("/proc/self/exe", "plugin"), AutoMTLS: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, Logger: hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	peer, err := protocol.Dispense("peer")
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	_, err = peer.(pb.PeerClient).Echo(context.Background(), &pb.Data{Data: []byte("x")})
	return client, peer.(pb.PeerClient), err
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func launches(count int) (took []float64, err error) {
	for range count {
		begun := time.Now()
		client, _, err := launch()
		if err != nil {
			return nil, err
		}
		took = append(took, milliseconds(begun))
		client.Kill()
	}
	return took, nil
}

// All at once; how long until the last one has answered.
func crowd(count int) (float64, error) {
	begun := time.Now()
	clients, errs := make([]*plugin.Client, count), make([]error, count)
	var group sync.WaitGroup
	for i := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			clients[i], _, errs[i] = launch()
		}()
	}
	group.Wait()
	took := milliseconds(begun)
	plugin.CleanupClients()
	for i, client := range clients {
		if errs[i] != nil {
			return 0, errs[i]
		}
		client.Kill()
	}
	return took, nil
}

func unary(peer pb.PeerClient, count int) ([]float64, error) {
	took := make([]float64, 0, count)
	data := &pb.Data{Data: make([]byte, 64)}
	for range count {
		begun := time.Now()
		if _, err := peer.Echo(context.Background(), data); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(begun).Nanoseconds())/1000)
	}
	sort.Float64s(took)
	return []float64{took[count/2], took[count*99/100]}, nil
}

func flow(peer pb.PeerClient, size, total int) (float64, error) {
	count := total / size
	begun := time.Now()
	stream, err := peer.Flow(context.Background(), &pb.Plan{Count: uint32(count), Bytes: uint64(size)})
	if err != nil {
		return 0, err
	}
	for range count {
		if _, err := stream.Recv(); err != nil {
			return 0, err
		}
	}
	return float64(total) / (1 << 20) / time.Since(begun).Seconds(), nil
}

func resident(pid string) (int, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("no VmRSS of %s", pid)
}

func host(counts []int) (map[string]any, error) {
	took, err := launches(counts[0])
	if err != nil {
		return nil, err
	}
	crowded, err := crowd(counts[1])
	if err != nil {
		return nil, err
	}
	client, peer, err := launch()
	if err != nil {
		return nil, err
	}
	defer client.Kill()
	rss, err := resident(strconv.Itoa(client.ReattachConfig().Pid))
	if err != nil {
		return nil, err
	}
	if _, err := unary(peer, counts[2]/10); err != nil {
		return nil, err
	}
	calls, err := unary(peer, counts[2])
	if err != nil {
		return nil, err
	}
	small, err := flow(peer, 64<<10, counts[3]<<20)
	if err != nil {
		return nil, err
	}
	large, err := flow(peer, 1<<20, counts[3]<<20)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"launch_ms": took, "crowd_ms": crowded, "unary_us": calls, "rss_kib": rss,
		"flow_64k_mib_s": small, "flow_1m_mib_s": large,
	}, nil
}

func run(words []string) error {
	if len(words) == 1 && words[0] == "plugin" {
		plugin.Serve(&plugin.ServeConfig{
			HandshakeConfig: handshake, Plugins: plugins, GRPCServer: plugin.DefaultGRPCServer,
			Logger: hclog.NewNullLogger(),
		})
		return nil
	}
	if len(words) != 5 || words[0] != "host" {
		return fmt.Errorf("usage: bench plugin | bench host LAUNCHES CROWD CALLS MIB")
	}
	var counts []int
	for _, word := range words[1:] {
		count, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		counts = append(counts, count)
	}
	figures, err := host(counts)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
