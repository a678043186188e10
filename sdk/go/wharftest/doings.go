package wharftest

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"wharf.invalid/wharf/wire"
)

// Doing is something that a plugin did to the host: the call's name, and its request.
type Doing struct {
	Call    string
	Request proto.Message
}

// note remembers a call, and gives its number. A job that is started has succeeded; claims are always granted.
func (s *hostService) note(ctx context.Context, call string, request proto.Message) (uint64, error) {
	if err := allowed(ctx); err != nil {
		return 0, err
	}
	s.host.lock.Lock()
	defer s.host.lock.Unlock()
	s.host.doings = append(s.host.doings, Doing{call, request})
	return uint64(len(s.host.doings)), nil
}

func (s *hostService) GetUnits(ctx context.Context, asked *wire.GetUnitsRequest) (*wire.Units, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	s.host.lock.Lock()
	defer s.host.lock.Unlock()
	answer := &wire.Units{}
	for _, ref := range asked.Units {
		at := slices.IndexFunc(s.host.units, func(unit *wire.Unit) bool {
			return unit.Id == ref.Id || ref.Id == 0 && unit.Type == ref.Type && unit.Key == ref.Key
		})
		if at < 0 {
			return nil, status.Errorf(codes.NotFound, "no unit %v", ref)
		}
		answer.Units = append(answer.Units, s.host.units[at])
	}
	return answer, nil
}

func (s *hostService) SaveUnits(stream grpc.BidiStreamingServer[wire.Units, wire.SavedUnits]) error {
	if err := allowed(stream.Context()); err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := &wire.SavedUnits{}
		for _, unit := range message.Units {
			answer.Units = append(answer.Units, s.host.save(unit))
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func (h *FakeHost) save(unit *wire.Unit) *wire.SavedUnit {
	h.lock.Lock()
	defer h.lock.Unlock()
	for _, known := range h.units {
		if known.Type == unit.Type && known.Key == unit.Key {
			return &wire.SavedUnit{Id: known.Id}
		}
	}
	unit.Id = uint64(len(h.units) + 1)
	h.units = append(h.units, unit)
	return &wire.SavedUnit{Id: unit.Id, Created: true}
}

func (s *hostService) SpawnJob(ctx context.Context, asked *wire.SpawnJobRequest) (*wire.SpawnJobResponse, error) {
	number, err := s.note(ctx, "SpawnJob", asked)
	return &wire.SpawnJobResponse{Job: number}, err
}

func (s *hostService) WaitJob(ctx context.Context, asked *wire.WaitJobRequest) (*wire.WaitJobResponse, error) {
	s.host.lock.Lock()
	defer s.host.lock.Unlock()
	if asked.Job == 0 || asked.Job > uint64(len(s.host.doings)) || s.host.doings[asked.Job-1].Call != "SpawnJob" {
		return nil, status.Errorf(codes.NotFound, "no job %d", asked.Job)
	}
	return &wire.WaitJobResponse{State: "succeeded", Result: &wire.Result{Outputs: "{}"}}, allowed(ctx)
}

func (s *hostService) Acquire(ctx context.Context, asked *wire.AcquireRequest) (*wire.AcquireResponse, error) {
	number, err := s.note(ctx, "Acquire", asked)
	return &wire.AcquireResponse{Grant: number}, err
}

func (s *hostService) Release(ctx context.Context, asked *wire.ReleaseRequest) (*emptypb.Empty, error) {
	_, err := s.note(ctx, "Release", asked)
	return &emptypb.Empty{}, err
}

func (s *hostService) Contribute(ctx context.Context, asked *wire.ContributeRequest) (*emptypb.Empty, error) {
	_, err := s.note(ctx, "Contribute", asked)
	return &emptypb.Empty{}, err
}

func (s *hostService) Emit(ctx context.Context, asked *wire.EmitRequest) (*emptypb.Empty, error) {
	_, err := s.note(ctx, "Emit", asked)
	return &emptypb.Empty{}, err
}

func (s *hostService) WatchItems(_ *emptypb.Empty, stream grpc.ServerStreamingServer[wire.Items]) error {
	if err := allowed(stream.Context()); err != nil {
		return err
	}
	s.host.lock.Lock()
	var items []*wire.Item
	for _, unit := range s.host.units {
		items = append(items, &wire.Item{Key: unit.Key, Outcome: wire.Outcome_OUTCOME_ADDED})
	}
	s.host.lock.Unlock()
	for told := range slices.Chunk(items, maxEntries) {
		if err := stream.Send(&wire.Items{Items: told}); err != nil {
			return err
		}
	}
	return nil
}
