// Other jobs, what a job holds while it runs, and what it gives to others.

package wharf

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"wharf.invalid/wharf/wire"
)

// JobEnd is how a job ended.
type JobEnd struct {
	// State is succeeded, partial, failed or cancelled.
	State string
	// OutputsText is a JSON object: what it left for dependent jobs; empty if it ended badly.
	OutputsText string
	// Err is why it failed.
	Err error
}

// Outputs reads what the job left into the author's own type. A usage error says what does not fit.
func (e *JobEnd) Outputs(into any) error {
	return fromObject("the job's outputs", e.OutputsText, into)
}

// Claim is something that a job holds until it gives it back, or ends.
type Claim struct {
	// Kind is lock, queue or space.
	Kind string
	// Name is the name.
	Name string
	// Amount is bytes of space, or places in a queue.
	Amount uint64
	// Wait is how long to wait for it; 0: not at all.
	Wait time.Duration
}

// SpawnJob starts another job, and gives its number.
func (c *Ask) SpawnJob(job *Job) (uint64, error) {
	if job.err != nil {
		return 0, job.err
	}
	answer, err := ask(c, "SpawnJob", &wire.SpawnJobRequest{Job: job.wire}, wire.HostClient.SpawnJob)
	return answer.GetJob(), err
}

// WaitJob waits for the end of a job.
func (c *Ask) WaitJob(number uint64) (*JobEnd, error) {
	answer, err := ask(c, "WaitJob", &wire.WaitJobRequest{Job: number}, wire.HostClient.WaitJob)
	if err != nil {
		return nil, err
	}
	end := &JobEnd{State: answer.State, OutputsText: answer.GetResult().GetOutputs()}
	if answer.Error != nil {
		end.Err = errorFromWire(answer.Error)
	}
	return end, nil
}

// Acquire takes a lock, a place in a queue or space, and gives the grant. It ends with the job, however that ends.
func (c *Ask) Acquire(claim Claim) (uint64, error) {
	request := &wire.AcquireRequest{
		Kind: text(claim.Kind), Name: text(claim.Name), Amount: claim.Amount,
		WaitMs: uint64(max(claim.Wait, 0).Milliseconds()),
	}
	answer, err := ask(c, "Acquire", request, wire.HostClient.Acquire)
	return answer.GetGrant(), err
}

// Release gives a grant back.
func (c *Ask) Release(grant uint64) error {
	_, err := ask(c, "Release", &wire.ReleaseRequest{Grant: grant}, wire.HostClient.Release)
	return err
}

// Contribute gives content to a later step of a build, which the component PLUGIN.COMPONENT makes.
func (c *Ask) Contribute(to string, contribution Contribution) error {
	request := &wire.ContributeRequest{To: text(to), Contribution: contribution.Wire()}
	_, err := ask(c, "Contribute", request, wire.HostClient.Contribute)
	return err
}

// Emit tells an event that rules can see. Payload: a struct or map; nil is an empty object.
func (c *Ask) Emit(name string, payload any) error {
	written := "{}"
	if payload != nil {
		var err error
		if written, err = toObject("the event's payload", payload); err != nil {
			return err
		}
	}
	_, err := ask(c, "Emit", &wire.EmitRequest{Name: text(name), Payload: written}, wire.HostClient.Emit)
	return err
}

// WatchItems gives what became of the declared items, as it becomes known.
func (c *Ask) WatchItems() iter.Seq2[*wire.Item, error] {
	watch := func(ctx context.Context, host wire.HostClient) (grpc.ServerStreamingClient[wire.Items], error) {
		return host.WatchItems(ctx, &emptypb.Empty{})
	}
	return func(yield func(*wire.Item, error) bool) {
		for answer, err := range answers(c, "WatchItems", watch) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range answer.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}
