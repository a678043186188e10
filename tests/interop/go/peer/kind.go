package peer

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"

	"wharf.invalid/interop/peer/pb"
)

// Kind makes both ends of the service at one application version.
type Kind struct {
	plugin.NetRPCUnsupportedPlugin
	version int
	library string
}

// Client is the host's end.
type Client struct {
	pb.PeerClient
	Broker *plugin.GRPCBroker
	Conn   *grpc.ClientConn
	Done   context.Context
}

// GRPCServer registers the plugin's end.
func (k *Kind) GRPCServer(broker *plugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPeerServer(s, &server{kind: k, broker: broker, log: stderrLog()})
	return nil
}

// GRPCClient makes the host's end.
func (k *Kind) GRPCClient(ctx context.Context, broker *plugin.GRPCBroker, c *grpc.ClientConn) (interface{}, error) {
	return &Client{PeerClient: pb.NewPeerClient(c), Broker: broker, Conn: c, Done: ctx}, nil
}

// server is the service. On the host's side of the broker it has no broker of its own.
type server struct {
	pb.UnimplementedPeerServer
	kind   *Kind
	broker *plugin.GRPCBroker
	log    hclog.Logger
}

// stderrLog writes what a Go plugin's log is: JSON lines on the standard error that the process began with.
func stderrLog() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "interop", Level: hclog.Trace, Output: firstStderr, JSONFormat: true,
	})
}

var firstStderr io.Writer = os.Stderr

func (s *server) Echo(_ context.Context, data *pb.Data) (*pb.Data, error) { return data, nil }

func (s *server) Make(_ context.Context, size *pb.Size) (*pb.Data, error) {
	return &pb.Data{Data: make([]byte, size.Bytes)}, nil
}

func (s *server) Measure(_ context.Context, data *pb.Data) (*pb.Size, error) {
	return &pb.Size{Bytes: uint64(len(data.Data))}, nil
}

func (s *server) Flow(plan *pb.Plan, stream pb.Peer_FlowServer) error {
	for i := uint32(0); i < plan.Count; i++ {
		if i > 0 && plan.PauseMs > 0 {
			select {
			case <-time.After(time.Duration(plan.PauseMs) * time.Millisecond):
			case <-stream.Context().Done():
				return stream.Context().Err()
			}
		}
		if err := stream.Send(&pb.Data{Data: make([]byte, plan.Bytes)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) Sum(stream pb.Peer_SumServer) error {
	sum := int64(0)
	for {
		number, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		sum += number.Value
		if err := stream.Send(&pb.Number{Value: sum}); err != nil {
			return err
		}
	}
}

func (s *server) CallBack(ctx context.Context, call *pb.Call) (*pb.Text, error) {
	text, err := echoThrough(ctx, s.broker, call.Id, call.Text)
	return &pb.Text{Text: text}, err
}

func (s *server) Offer(context.Context, *pb.Nothing) (*pb.Id, error) {
	id := s.broker.NextId()
	go acceptAndServe(s.broker, id, s.kind)
	return &pb.Id{Id: id}, nil
}

func (s *server) Print(_ context.Context, output *pb.Output) (*pb.Nothing, error) {
	times := output.Times
	if times == 0 {
		times = 1
	}
	for i := uint32(0); i < times; i++ {
		if _, err := os.Stdout.Write(output.Stdout); err != nil {
			return nil, err
		}
		if _, err := os.Stderr.Write(output.Stderr); err != nil {
			return nil, err
		}
	}
	return &pb.Nothing{}, nil
}

func (s *server) Log(_ context.Context, line *pb.Line) (*pb.Nothing, error) {
	var fields []interface{}
	for key, value := range line.Fields {
		fields = append(fields, key, value)
	}
	switch line.Level {
	case "trace":
		s.log.Trace(line.Message, fields...)
	case "debug":
		s.log.Debug(line.Message, fields...)
	case "info":
		s.log.Info(line.Message, fields...)
	case "warn":
		s.log.Warn(line.Message, fields...)
	case "error":
		s.log.Error(line.Message, fields...)
	default:
		return nil, fmt.Errorf("no such level: %s", line.Level)
	}
	return &pb.Nothing{}, nil
}

func (s *server) Hang(ctx context.Context, _ *pb.Nothing) (*pb.Nothing, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *server) Panic(ctx context.Context, text *pb.Text) (*pb.Nothing, error) {
	go panic(text.Text)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *server) Exit(_ context.Context, status *pb.Number) (*pb.Nothing, error) {
	os.Exit(int(status.Value))
	return nil, nil
}

func (s *server) Tell(ctx context.Context, _ *pb.Nothing) (*pb.About, error) {
	about := &pb.About{
		Version: uint32(s.kind.version), Library: s.kind.library, Pid: uint32(os.Getpid()),
		Environment: map[string]string{},
	}
	if other, ok := grpcpeer.FromContext(ctx); ok {
		if info, ok := other.AuthInfo.(credentials.TLSInfo); ok {
			about.Tls = fmt.Sprintf("%#x %s", info.State.Version, info.State.NegotiatedProtocol)
		}
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		about.Authority = strings.Join(md.Get(":authority"), ",")
	}
	for _, variable := range os.Environ() {
		key, value, _ := strings.Cut(variable, "=")
		about.Environment[key] = value
	}
	return about, nil
}

// echoThrough dials what the other side accepts under this id.
func echoThrough(ctx context.Context, broker *plugin.GRPCBroker, id uint32, text string) (string, error) {
	conn, err := broker.Dial(id)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	answer, err := pb.NewPeerClient(conn).Echo(ctx, &pb.Data{Data: []byte(text)})
	if err != nil {
		return "", err
	}
	return string(answer.Data), nil
}

// acceptAndServe serves under this id until the process ends.
func acceptAndServe(broker *plugin.GRPCBroker, id uint32, kind *Kind) {
	broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		s := grpc.NewServer(options...)
		pb.RegisterPeerServer(s, &server{kind: kind, log: stderrLog()})
		return s
	})
}
