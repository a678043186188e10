// Service Plugin: what every plugin answers, whatever its roles.

package wharf

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wharf.invalid/wharf/wire"
)

type pluginService struct {
	wire.UnimplementedPluginServer
	*server
}

func (s *pluginService) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeResponse, error) {
	return s.registry.manifest.describe(), nil
}

func (s *pluginService) Ready(ctx context.Context, sent *wire.ReadyRequest) (*wire.ReadyResponse, error) {
	found, err := s.registry.component(sent.GetInstance().GetComponent(), "")
	if err != nil {
		return nil, err
	}
	instance := instanceFromWire(sent.Instance)
	return short(s.calls, func() (*wire.ReadyResponse, error) {
		answer, err := byField(found.component().Ready(ctx, &instance))
		if err != nil {
			return nil, err
		}
		return &wire.ReadyResponse{Reasons: answer.Errors}, nil
	})
}

func (s *pluginService) Check(ctx context.Context, sent *wire.CheckRequest) (*wire.CheckResponse, error) {
	found, err := s.registry.component(sent.Component, "")
	if err != nil {
		return nil, err
	}
	return asking(ctx, s.calls, sent.Context, func(ask Ask) (*wire.CheckResponse, error) {
		return byField(found.component().Check(ask.Context, &Check{
			Scope: CheckScope(sent.Scope), ValuesText: sent.Values, Repository: sent.Repository,
			PreviousText: sent.Previous, ask: &ask,
		}))
	})
}

func (s *pluginService) Choices(ctx context.Context, sent *wire.ChoicesRequest) (*wire.ChoicesResponse, error) {
	found, err := s.registry.component(sent.Component, "")
	if err != nil {
		return nil, err
	}
	return short(s.calls, func() (*wire.ChoicesResponse, error) {
		choices, err := found.component().Choices(ctx, sent.Field, &Check{ValuesText: sent.Values})
		answer := &wire.ChoicesResponse{}
		for _, choice := range choices {
			err = errors.Join(err, choice.err)
			answer.Choices = append(answer.Choices, choice.wire)
		}
		return answer, err
	})
}

func (s *pluginService) Attached(ctx context.Context, sent *wire.AttachedRequest) (*wire.AttachedResponse, error) {
	found, err := s.registry.component(componentOf(sent.Attachment), "")
	if err != nil {
		return nil, err
	}
	attachment := attachmentFromWire(sent.Attachment)
	return short(s.calls, func() (*wire.AttachedResponse, error) {
		return &wire.AttachedResponse{}, found.component().Attached(ctx, &attachment)
	})
}

func (s *pluginService) Detached(ctx context.Context, sent *wire.DetachedRequest) (*wire.DetachedResponse, error) {
	found, err := s.registry.component(componentOf(sent.Attachment), "")
	if err != nil {
		return nil, err
	}
	attachment := attachmentFromWire(sent.Attachment)
	return short(s.calls, func() (*wire.DetachedResponse, error) {
		return &wire.DetachedResponse{}, found.component().Detached(ctx, &attachment)
	})
}

func (s *pluginService) Plan(ctx context.Context, sent *wire.PlanRequest) (*wire.PlanResponse, error) {
	found, err := s.registry.component(sent.GetInstance().GetComponent(), "")
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		Instance: instanceFromWire(sent.Instance), Operation: sent.Operation, ArgumentsText: sent.Arguments,
		Units: refsFromWire(sent.Units), User: sent.User,
	}
	return short(s.calls, func() (*wire.PlanResponse, error) {
		jobs, err := found.component().Plan(ctx, plan)
		answer := &wire.PlanResponse{}
		for _, job := range jobs {
			err = errors.Join(err, job.err)
			answer.Jobs = append(answer.Jobs, job.wire)
		}
		return answer, err
	})
}

func (s *pluginService) Hook(ctx context.Context, sent *wire.HookRequest) (*wire.HookResponse, error) {
	hooks := s.registry.hooks
	if hooks == nil {
		return nil, status.Error(codes.Unimplemented, "this plugin subscribes to no hooks")
	}
	return asking(ctx, s.calls, sent.Context, func(ask Ask) (*wire.HookResponse, error) {
		return hooked(hooks, &HookContext{ask}, sent)
	})
}

func (s *pluginService) Migrations(context.Context, *wire.MigrationsRequest) (*wire.MigrationsResponse, error) {
	return s.registry.manifest.migrations(), nil
}

func (s *pluginService) Migrate(sent *wire.MigrateRequest, stream events) error {
	if s.registry.migrations == nil {
		return status.Error(codes.Unimplemented, "this plugin has no migrations")
	}
	migration, err := s.registry.migration(sent)
	if err != nil {
		return err
	}
	return s.calls.long(stream, sent.Context, func(ctx *Context) (*Done, error) {
		return s.registry.migrations.Migrate(ctx, migration)
	})
}

// byField makes of what the user can fix an answer about a field, not a failed call.
func byField(checked *Checked, err error) (*wire.CheckResponse, error) {
	var known *Error
	if errors.As(err, &known) && known.class == ClassUsage && !known.notOffered {
		return Good().Error(known.field, known.code, known.message).wire, nil
	}
	if err != nil {
		return nil, err
	}
	if checked == nil {
		return nil, Fault("internal.result", "the method gave neither an answer nor an error")
	}
	return checked.wire, checked.err
}
