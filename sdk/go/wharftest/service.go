package wharftest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// Token is the token of every job of a fake host.
const Token = "test-token"

const tokenHeader = "wharf-token"

// hostService is service Host over a fake host. What it does not answer is not offered.
type hostService struct {
	wire.UnimplementedHostServer
	host    *FakeHost
	workDir string
}

// allowed refuses a call that does not carry the job's token.
func allowed(ctx context.Context) error {
	sent := metadata.ValueFromIncomingContext(ctx, tokenHeader)
	if len(sent) != 1 || sent[0] != Token {
		return status.Error(codes.Unauthenticated, "no token of a running job")
	}
	return nil
}

func (s *hostService) QueryUnits(query *wire.QueryUnitsRequest, stream grpc.ServerStreamingServer[wire.Units]) error {
	if err := allowed(stream.Context()); err != nil {
		return err
	}
	s.host.lock.Lock()
	known := slices.Clone(s.host.units)
	s.host.lock.Unlock()
	var found []*wire.Unit
	for _, unit := range known {
		if (len(query.Types) == 0 || slices.Contains(query.Types, unit.Type)) && matches(unit, query.Where) {
			found = append(found, unit)
		}
	}
	slices.SortStableFunc(found, func(a, b *wire.Unit) int {
		for _, name := range query.OrderBy {
			if order := cmp.Compare(sortText(a, name), sortText(b, name)); order != 0 {
				return order
			}
		}
		return cmp.Compare(a.Id, b.Id)
	})
	for page := range slices.Chunk(found, maxEntries) {
		if err := stream.Send(&wire.Units{Units: page}); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is a field of key or attributes; the key wins.
func fieldOf(unit *wire.Unit, name string) any {
	key, _ := object(unit.Key)
	if value, has := key[name]; has {
		return value
	}
	attributes, _ := object(unit.Attributes)
	return attributes[name]
}

func matches(unit *wire.Unit, where []*wire.FieldEquals) bool {
	for _, wanted := range where {
		var value any
		if json.Unmarshal([]byte(wanted.Value), &value) != nil || !reflect.DeepEqual(fieldOf(unit, wanted.Name), value) {
			return false
		}
	}
	return true
}

func sortText(unit *wire.Unit, name string) string {
	if value := fieldOf(unit, name); value != nil {
		return fmt.Sprint(value)
	}
	return ""
}

func (s *hostService) Download(asked *wire.DownloadRequest, stream grpc.ServerStreamingServer[wire.Downloaded]) error {
	if err := allowed(stream.Context()); err != nil {
		return err
	}
	for index, item := range asked.Items {
		answer, err := s.download(item)
		if err != nil {
			return err
		}
		answer.Index = uint32(index)
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
	return nil
}

func (s *hostService) download(item *wire.Download) (*wire.Downloaded, error) {
	for _, source := range item.Sources {
		if found, is := s.host.read(source.Url); is {
			return s.downloaded(item, source.Url, found)
		}
	}
	first := item.Sources[0].GetUrl()
	s.host.asked(first)
	return failed("source.not_found", first+" answered 404 Not Found"), nil
}

func (s *hostService) downloaded(item *wire.Download, url string, found []byte) (*wire.Downloaded, error) {
	digest := digestOf(found)
	etag := `"` + strings.TrimPrefix(digest, "sha256:") + `"`
	if item.IfNoneMatch == etag {
		s.host.asked(url + " (unchanged)")
		return &wire.Downloaded{NotModified: true, Etag: etag, FinalUrl: url}, nil
	}
	s.host.asked(url)
	if item.MaxBytes != 0 && uint64(len(found)) > item.MaxBytes {
		return failed("limit.size", fmt.Sprintf("%s is larger than %d", url, item.MaxBytes)), nil
	}
	for _, wanted := range item.Digests {
		if strings.HasPrefix(wanted, "sha256:") && wanted != digest {
			return failed("integrity.digest", url+" has "+digest), nil
		}
	}
	file, err := os.CreateTemp(s.workDir, "download-")
	if err != nil {
		return nil, err
	}
	_, err = file.Write(found)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return &wire.Downloaded{
		Staged: filepath.Base(file.Name()), Size: uint64(len(found)), Digest: digest, Etag: etag, FinalUrl: url,
	}, nil
}

func failed(code, message string) *wire.Downloaded {
	return &wire.Downloaded{Error: &wire.Error{
		Class: wire.ErrorClass_ERROR_CLASS_OPERATION, Code: code, Message: message,
	}}
}

func (s *hostService) HasArtifacts(
	ctx context.Context, asked *wire.HasArtifactsRequest,
) (*wire.HasArtifactsResponse, error) {
	answer := &wire.HasArtifactsResponse{}
	for _, digest := range asked.Digests {
		_, present := s.host.stored(digest)
		answer.Present = append(answer.Present, present)
	}
	return answer, allowed(ctx)
}

func (s *hostService) OpenArtifact(
	asked *wire.OpenArtifactRequest, stream grpc.ServerStreamingServer[wire.ArtifactChunk],
) error {
	if err := allowed(stream.Context()); err != nil {
		return err
	}
	found, is := s.host.stored(asked.Digest)
	if !is {
		return status.Error(codes.NotFound, "no artifact "+asked.Digest)
	}
	for piece := range slices.Chunk(found[min(asked.Offset, uint64(len(found))):], maxInline) {
		if err := stream.Send(&wire.ArtifactChunk{Data: piece}); err != nil {
			return err
		}
	}
	return nil
}

func (s *hostService) PutArtifact(
	stream grpc.ClientStreamingServer[wire.ArtifactChunk, wire.PutArtifactResponse],
) error {
	if err := allowed(stream.Context()); err != nil {
		return err
	}
	var all bytes.Buffer
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		all.Write(piece.Data)
	}
	digest := digestOf(all.Bytes())
	s.host.File(digest, all.String())
	return stream.SendAndClose(&wire.PutArtifactResponse{Digest: digest, Size: uint64(all.Len())})
}

func (s *hostService) GetSecret(ctx context.Context, asked *wire.GetSecretRequest) (*wire.GetSecretResponse, error) {
	value, is := s.host.secrets[asked.Name]
	if !is {
		return nil, status.Errorf(codes.NotFound, "no secret %q", asked.Name)
	}
	return &wire.GetSecretResponse{Value: value}, allowed(ctx)
}

func (s *hostService) GetSettings(ctx context.Context, _ *wire.GetSettingsRequest) (*wire.GetSettingsResponse, error) {
	return &wire.GetSettingsResponse{Settings: s.host.settings}, allowed(ctx)
}

func (s *hostService) GetState(ctx context.Context, asked *wire.GetStateRequest) (*wire.GetStateResponse, error) {
	s.host.lock.Lock()
	defer s.host.lock.Unlock()
	state := s.host.state[asked.Scope.String()+"/"+asked.Key]
	return &wire.GetStateResponse{Revision: state.Revision, Value: state.Value}, allowed(ctx)
}

func (s *hostService) PutState(ctx context.Context, asked *wire.PutStateRequest) (*wire.PutStateResponse, error) {
	s.host.lock.Lock()
	defer s.host.lock.Unlock()
	key := asked.Scope.String() + "/" + asked.Key
	revision := s.host.state[key].Revision
	if revision != asked.Revision {
		return nil, status.Errorf(codes.Aborted, "the state has revision %d", revision)
	}
	s.host.state[key] = wharf.State{Revision: revision + 1, Value: asked.Value}
	return &wire.PutStateResponse{Revision: revision + 1}, allowed(ctx)
}

func (s *hostService) Sign(ctx context.Context, asked *wire.SignRequest) (*wire.SignResponse, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	if s.host.signer == nil {
		return nil, status.Error(codes.PermissionDenied, "the attachment names no key")
	}
	text := asked.GetInline()
	if staged := asked.GetStaged(); staged != "" {
		var err error
		if text, err = os.ReadFile(filepath.Join(s.workDir, staged)); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	signed := s.host.signer(wharf.SignForm(asked.Format), text)
	return &wire.SignResponse{
		Signature: signed.Bytes, Fingerprint: signed.Fingerprint, PublicKey: []byte(signed.PublicKey),
	}, nil
}

// WatchCancel says nothing: the harness cancels calls as gRPC does.
func (s *hostService) WatchCancel(_ *emptypb.Empty, stream grpc.ServerStreamingServer[wire.CancelRequested]) error {
	<-stream.Context().Done()
	return nil
}
