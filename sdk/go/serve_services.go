// The contract's services of the roles, answered by the registered components.

package wharf

import (
	"context"

	"google.golang.org/grpc"

	"wharf.invalid/wharf/wire"
)

// server is what all services share.
type server struct {
	registry *registry
	calls    *calls
}

// register offers the service of every plugin, and those of the roles that its components have.
func (s *server) register(on grpc.ServiceRegistrar) {
	wire.RegisterPluginServer(on, &pluginService{server: s})
	if s.registry.has("importer") {
		wire.RegisterImporterServer(on, &importerService{server: s})
	}
	if s.registry.has("distributor") {
		wire.RegisterDistributorServer(on, &distributorService{server: s})
	}
	if s.registry.has("builder") {
		wire.RegisterBuilderServer(on, &builderService{server: s})
	}
	if s.registry.has("action") {
		wire.RegisterActionServer(on, &actionService{server: s})
	}
}

// events is the stream that a long call answers with.
type events = grpc.ServerStreamingServer[wire.Event]

type importerService struct {
	wire.UnimplementedImporterServer
	*server
}

// run makes a long call to the importer that an attachment is of.
func (s *importerService) run(
	attachment *wire.Attachment, job *wire.JobContext, stream events, method func(Importer, *Context) (*Done, error),
) error {
	found, err := s.registry.component(componentOf(attachment), "importer")
	if err != nil {
		return err
	}
	return s.calls.long(stream, job, func(ctx *Context) (*Done, error) { return method(found.importer, ctx) })
}

func (s *importerService) Sync(sent *wire.SyncRequest, stream events) error {
	return s.run(sent.Attachment, sent.Context, stream, func(importer Importer, ctx *Context) (*Done, error) {
		return importer.Sync(ctx, syncFromWire(sent))
	})
}

func (s *importerService) List(sent *wire.ListRequest, stream events) error {
	request := &ListRequest{Attachment: attachmentFromWire(sent.Attachment), Cursor: sent.Cursor, Only: sent.Only}
	return s.run(sent.Attachment, sent.Context, stream, func(importer Importer, ctx *Context) (*Done, error) {
		return importer.List(ctx, request)
	})
}

func (s *importerService) Fetch(sent *wire.FetchRequest, stream events) error {
	request := &FetchRequest{
		Attachment: attachmentFromWire(sent.Attachment), Unit: unitFromWire(sent.Unit), Revision: sent.Revision,
		Offset: sent.Offset,
	}
	return s.run(sent.Attachment, sent.Context, stream, func(importer Importer, ctx *Context) (*Done, error) {
		return importer.Fetch(ctx, request)
	})
}

func (s *importerService) Upload(sent *wire.UploadRequest, stream events) error {
	request := &UploadRequest{
		Attachment: attachmentFromWire(sent.Attachment), Kind: sent.Type, KeyText: sent.Key,
		AttributesText: sent.Attributes, Files: filesFromWire(sent.Files),
	}
	return s.run(sent.Attachment, sent.Context, stream, func(importer Importer, ctx *Context) (*Done, error) {
		return importer.Upload(ctx, request)
	})
}

func (s *importerService) Resolve(sent *wire.ResolveRequest, stream events) error {
	request := &ResolveRequest{
		Attachment: attachmentFromWire(sent.Attachment), Version: sent.Version, Units: refsFromWire(sent.Units),
		OptionsText: sent.Options,
	}
	return s.run(sent.Attachment, sent.Context, stream, func(importer Importer, ctx *Context) (*Done, error) {
		return importer.Resolve(ctx, request)
	})
}

type distributorService struct {
	wire.UnimplementedDistributorServer
	*server
}

// run makes a long call to the distributor that an attachment is of.
func (s *distributorService) run(
	attachment *wire.Attachment, job *wire.JobContext, stream events,
	method func(Distributor, *Context) (*Done, error),
) error {
	found, err := s.registry.component(componentOf(attachment), "distributor")
	if err != nil {
		return err
	}
	return s.calls.long(stream, job, func(ctx *Context) (*Done, error) { return method(found.distributor, ctx) })
}

func (s *distributorService) Publish(sent *wire.PublishRequest, stream events) error {
	return s.run(sent.Attachment, sent.Context, stream, func(to Distributor, ctx *Context) (*Done, error) {
		return to.Publish(ctx, publishFromWire(sent))
	})
}

func (s *distributorService) Unpublish(sent *wire.UnpublishRequest, stream events) error {
	request := &UnpublishRequest{
		Attachment: attachmentFromWire(sent.Attachment), Publication: publicationFromWire(sent.Publication),
	}
	return s.run(sent.Attachment, sent.Context, stream, func(to Distributor, ctx *Context) (*Done, error) {
		return to.Unpublish(ctx, request)
	})
}

func (s *distributorService) Reissue(sent *wire.ReissueRequest, stream events) error {
	request := &ReissueRequest{
		Attachment: attachmentFromWire(sent.Attachment), Publication: publicationFromWire(sent.Publication),
		TimestampMs: sent.TimestampMs, Signing: sent.Signing,
	}
	return s.run(sent.Attachment, sent.Context, stream, func(to Distributor, ctx *Context) (*Done, error) {
		return to.Reissue(ctx, request)
	})
}

func (s *distributorService) ClientConfig(
	ctx context.Context, sent *wire.ClientConfigRequest,
) (*wire.ClientConfigResponse, error) {
	found, err := s.registry.component(componentOf(sent.Attachment), "distributor")
	if err != nil {
		return nil, err
	}
	request := &ClientConfigRequest{
		Attachment: attachmentFromWire(sent.Attachment), Publication: publicationFromWire(sent.Publication),
		BaseURL: sent.BaseUrl, OptionsText: sent.Options,
	}
	return short(s.calls, func() (*wire.ClientConfigResponse, error) {
		answer, err := found.distributor.ClientConfig(ctx, request)
		if err != nil {
			return nil, err
		}
		return answer.wire, answer.err
	})
}

type builderService struct {
	wire.UnimplementedBuilderServer
	*server
}

func (s *builderService) Build(sent *wire.BuildRequest, stream events) error {
	found, err := s.registry.component(sent.GetInstance().GetComponent(), "builder")
	if err != nil {
		return err
	}
	return s.calls.long(stream, sent.Context, func(ctx *Context) (*Done, error) {
		return found.builder.Build(ctx, buildFromWire(sent))
	})
}

type actionService struct {
	wire.UnimplementedActionServer
	*server
}

func (s *actionService) Run(sent *wire.RunRequest, stream events) error {
	found, err := s.registry.component(sent.GetInstance().GetComponent(), "action")
	if err != nil {
		return err
	}
	request := &RunRequest{
		Instance: instanceFromWire(sent.Instance), ArgumentsText: sent.Arguments, Units: unitsFromWire(sent.Units),
		User: sent.User, Test: TestMode(sent.Test), IdempotencyKey: sent.IdempotencyKey,
	}
	return s.calls.long(stream, sent.Context, func(ctx *Context) (*Done, error) {
		return found.action.Run(ctx, request)
	})
}
