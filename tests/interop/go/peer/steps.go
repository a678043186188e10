package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"wharf.invalid/interop/peer/pb"
)

// Run is one run of a host.
type Run struct {
	options  *HostOptions
	extra    Extra
	command  *exec.Cmd
	client   *plugin.Client
	protocol plugin.ClientProtocol
	peer     *Client
	result   *Result
	at       *StepResult
	numbers  []uint64
	logs     buffer
	stdout   buffer
	stderr   buffer
	raw      buffer
}

var steps = map[string]func(*Run, context.Context) error{
	"echo":       (*Run).echo,
	"sum":        (*Run).sum,
	"flow":       (*Run).flow,
	"cancel":     (*Run).cancel,
	"make":       (*Run).make,
	"measure":    (*Run).measure,
	"ping":       (*Run).ping,
	"health":     (*Run).health,
	"reflection": (*Run).reflection,
	"callback":   (*Run).callback,
	"offer":      (*Run).offer,
	"tell":       (*Run).tell,
	"print":      (*Run).print,
	"chatter":    (*Run).chatter,
	"log":        (*Run).log,
	"panic":      (*Run).panic,
	"exit":       (*Run).exit,
	"sigkill":    (*Run).sigkill,
	"gone":       (*Run).gone,
	"redial":     (*Run).redial,
	"sleep":      (*Run).sleep,
}

// step takes one step: NAME or NAME:NUMBER:NUMBER.
func (r *Run) step(text string) {
	words := strings.Split(text, ":")
	r.at, r.numbers = &StepResult{Name: text, Values: map[string]string{}}, nil
	r.result.Steps = append(r.result.Steps, r.at)
	before, err := time.Now(), error(nil)
	for _, word := range words[1:] {
		number, bad := strconv.ParseUint(word, 10, 64)
		r.numbers = append(r.numbers, number)
		err = bad
	}
	ctx, done := context.WithTimeout(context.Background(), r.options.Timeout)
	defer done()
	if own, ok := r.extra.Steps[words[0]]; ok {
		err = own(r)
	} else if shared, ok := steps[words[0]]; ok && err == nil {
		err = shared(r, ctx)
	} else {
		err = errors.New("no such step")
	}
	r.at.Ms = time.Since(before).Milliseconds()
	if err != nil {
		r.at.Error, r.at.Code = err.Error(), status.Code(err).String()
	}
}

func (r *Run) number(index int, otherwise uint64) uint64 {
	if index < len(r.numbers) {
		return r.numbers[index]
	}
	return otherwise
}

// Set keeps a value of the step.
func (r *Run) Set(name string, value interface{}) { r.at.Values[name] = fmt.Sprint(value) }

// Conn is the plugin's main connection.
func (r *Run) Conn() *grpc.ClientConn { return r.peer.Conn }

func (r *Run) echo(ctx context.Context) error {
	answer, err := r.peer.Echo(ctx, &pb.Data{Data: []byte("hello")})
	if err == nil && string(answer.Data) != "hello" {
		err = fmt.Errorf("another answer: %q", answer.Data)
	}
	return err
}

func (r *Run) sum(ctx context.Context) error {
	stream, err := r.peer.Sum(ctx)
	if err != nil {
		return err
	}
	want := int64(0)
	for i := int64(1); i <= 6; i++ {
		if err := stream.Send(&pb.Number{Value: i}); err != nil {
			return err
		}
		want += i
		got, err := stream.Recv()
		if err != nil {
			return err
		}
		if got.Value != want {
			return fmt.Errorf("%d instead of %d", got.Value, want)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("no end: %v", err)
	}
	return nil
}

// flow:COUNT:BYTES
func (r *Run) flow(ctx context.Context) error {
	plan := &pb.Plan{Count: uint32(r.number(0, 10)), Bytes: r.number(1, 1024)}
	stream, err := r.peer.Flow(ctx, plan)
	if err != nil {
		return err
	}
	count := uint32(0)
	for {
		data, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if uint64(len(data.Data)) != plan.Bytes {
			return fmt.Errorf("%d bytes", len(data.Data))
		}
		count++
	}
	if count != plan.Count {
		return fmt.Errorf("%d messages", count)
	}
	return nil
}

// cancel leaves a stream after its first message.
func (r *Run) cancel(ctx context.Context) error {
	ctx, leave := context.WithCancel(ctx)
	stream, err := r.peer.Flow(ctx, &pb.Plan{Count: 1000, Bytes: 10, PauseMs: 20})
	if err == nil {
		_, err = stream.Recv()
	}
	leave()
	return err
}

func (r *Run) make(ctx context.Context) error {
	answer, err := r.peer.Make(ctx, &pb.Size{Bytes: r.number(0, 64<<20)})
	if err == nil {
		r.Set("bytes", len(answer.Data))
	}
	return err
}

func (r *Run) measure(ctx context.Context) error {
	answer, err := r.peer.Measure(ctx, &pb.Data{Data: make([]byte, r.number(0, 5<<20))})
	if err == nil {
		r.Set("bytes", answer.Bytes)
	}
	return err
}

func (r *Run) ping(context.Context) error { return r.protocol.Ping() }

func (r *Run) health(ctx context.Context) error {
	client := grpc_health_v1.NewHealthClient(r.peer.Conn)
	for _, service := range []string{"plugin", "", "nonsense"} {
		answer, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil {
			r.Set("check "+service, status.Code(err))
		} else {
			r.Set("check "+service, answer.Status)
		}
	}
	watch, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	if err != nil {
		return err
	}
	first, err := watch.Recv()
	if err == nil {
		r.Set("watch", first.Status)
	}
	return err
}

func (r *Run) reflection(ctx context.Context) error {
	stream, err := alpha.NewServerReflectionClient(r.peer.Conn).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	ask := &alpha.ServerReflectionRequest{MessageRequest: &alpha.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	names := []string{}
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	r.Set("services", strings.Join(Sorted(names), " "))
	return nil
}

// callback:TIMES, one after the other: this side accepts, the plugin dials.
func (r *Run) callback(ctx context.Context) error {
	for i := uint64(0); i < r.number(0, 1); i++ {
		id := r.peer.Broker.NextId()
		go acceptAndServe(r.peer.Broker, id, &Kind{version: r.result.Version, library: r.extra.Library})
		text := fmt.Sprintf("callback %d", i)
		answer, err := r.peer.CallBack(ctx, &pb.Call{Id: id, Text: text})
		if err != nil {
			return err
		}
		if answer.Text != text {
			return fmt.Errorf("another answer: %q", answer.Text)
		}
	}
	return nil
}

// offer:TIMES, one after the other: the plugin accepts, this side dials.
func (r *Run) offer(ctx context.Context) error {
	for i := uint64(0); i < r.number(0, 1); i++ {
		id, err := r.peer.Offer(ctx, &pb.Nothing{})
		if err != nil {
			return err
		}
		text := fmt.Sprintf("offer %d", i)
		answer, err := echoThrough(ctx, r.peer.Broker, id.Id, text)
		if err != nil {
			return err
		}
		if answer != text {
			return fmt.Errorf("another answer: %q", answer)
		}
	}
	return nil
}

func (r *Run) tell(ctx context.Context) error {
	about, err := r.peer.Tell(ctx, &pb.Nothing{})
	if err != nil {
		return err
	}
	r.Set("version", about.Version)
	r.Set("library", about.Library)
	r.Set("tls", about.Tls)
	r.Set("authority", about.Authority)
	return nil
}

func (r *Run) print(ctx context.Context) error {
	_, err := r.peer.Print(ctx, &pb.Output{
		Stdout: []byte("out \x00\xff line\n"), Stderr: []byte("err line\n"), Times: uint32(r.number(0, 1)),
	})
	if err == nil {
		err = r.arrived(ctx, len("out \x00\xff line\n")*int(r.number(0, 1)))
	}
	return err
}

// chatter:TIMES prints a kibibyte so often.
func (r *Run) chatter(ctx context.Context) error {
	block := []byte(strings.Repeat("0123456789abcdef", 64))
	_, err := r.peer.Print(ctx, &pb.Output{Stdout: block, Times: uint32(r.number(0, 64))})
	if err == nil {
		err = r.arrived(ctx, len(block)*int(r.number(0, 64)))
	}
	return err
}

func (r *Run) arrived(ctx context.Context, bytes int) error {
	for len(r.stdout.copy()) < bytes {
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d bytes came", len(r.stdout.copy()), bytes)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func (r *Run) log(ctx context.Context) error {
	for _, level := range []string{"trace", "debug", "info", "warn", "error"} {
		line := &pb.Line{
			Level: level, Message: "a line at " + level,
			Fields: map[string]string{"colour": "blue", "quote": "a \"b\"\nc"},
		}
		if _, err := r.peer.Log(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) panic(ctx context.Context) error {
	_, err := r.peer.Panic(ctx, &pb.Text{Text: "out of cheese"})
	return err
}

func (r *Run) exit(ctx context.Context) error {
	_, err := r.peer.Exit(ctx, &pb.Number{Value: int64(r.number(0, 3))})
	return err
}

// sigkill ends the plugin during a call.
func (r *Run) sigkill(ctx context.Context) error {
	time.AfterFunc(100*time.Millisecond, func() {
		_ = syscall.Kill(r.command.Process.Pid, syscall.SIGKILL)
	})
	_, err := r.peer.Hang(ctx, &pb.Nothing{})
	return err
}

// gone waits until the library has noticed the plugin's end.
func (r *Run) gone(ctx context.Context) error {
	select {
	case <-r.peer.Done.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// redial opens a second connection to the plugin's socket, twice (only without TLS).
func (r *Run) redial(ctx context.Context) error {
	address := r.client.ReattachConfig().Addr
	for i := 0; i < 2; i++ {
		conn, err := grpc.Dial(address.Network()+"://"+address.String(), grpc.WithInsecure())
		if err != nil {
			return err
		}
		_, err = pb.NewPeerClient(conn).Echo(ctx, &pb.Data{Data: []byte("again")})
		if err := conn.Close(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) sleep(context.Context) error {
	time.Sleep(time.Duration(r.number(0, 1000)) * time.Millisecond)
	return nil
}
