// Giving content out.

package wharf

import (
	"context"
	"errors"

	"wharf.invalid/wharf/wire"
)

// Distributor gives content out: as a tree that the host serves, by pushing it somewhere, or as a document. Embed
// [DistributorBase] and write only the methods that the plugin offers.
type Distributor interface {
	Component
	// Publish makes a publication of one version: [Context.File], [Context.PassThrough], [Context.Reuse],
	// [Context.Alias], [Context.Variant].
	Publish(ctx *Context, request *PublishRequest) (*Done, error)
	// Unpublish takes back what Publish put elsewhere.
	Unpublish(ctx *Context, request *UnpublishRequest) (*Done, error)
	// Reissue makes fresh entry points for a publication that goes live again.
	Reissue(ctx *Context, request *ReissueRequest) (*Done, error)
	// ClientConfig is what a client must be told to use the publication.
	ClientConfig(ctx context.Context, request *ClientConfigRequest) (*ClientConfig, error)
}

// DistributorBase answers "not offered" to every call that a distributor does not write.
type DistributorBase struct{ ComponentBase }

// Publish is not offered.
func (DistributorBase) Publish(*Context, *PublishRequest) (*Done, error) {
	return nil, NotOffered("publish")
}

// Unpublish is not offered.
func (DistributorBase) Unpublish(*Context, *UnpublishRequest) (*Done, error) {
	return nil, NotOffered("unpublish")
}

// Reissue is not offered.
func (DistributorBase) Reissue(*Context, *ReissueRequest) (*Done, error) {
	return nil, NotOffered("reissue")
}

// ClientConfig is not offered.
func (DistributorBase) ClientConfig(context.Context, *ClientConfigRequest) (*ClientConfig, error) {
	return nil, NotOffered("client_config")
}

// Publication is an earlier publication.
type Publication struct {
	// ID is the host's number.
	ID uint64
	// Version is the version that it shows.
	Version uint64
	// Identifier is the provider's identifier, for what was pushed.
	Identifier string
}

func publicationFromWire(sent *wire.Publication) Publication {
	return Publication{ID: sent.GetId(), Version: sent.GetVersion(), Identifier: sent.GetIdentifier()}
}

// PublishRequest is what Publish works with.
type PublishRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Version is the version to publish.
	Version uint64
	// Units is how many units it has.
	Units uint64
	// Previous is the publication before; nil: there is none.
	Previous *Publication
	// TimestampMs is the time to write into metadata, milliseconds since 1970, so that output can be reproduced.
	TimestampMs int64
	// BasePath is where the tree will be served: "name" of /content/name/.
	BasePath string
	// BaseURL is empty when it is not known.
	BaseURL string
	// Full means that nothing may be taken over from the previous publication.
	Full bool
	// Signing is keys that the host signs with during this call: the one that the attachment names, or none. With one,
	// [Context.Sign] works.
	Signing []string
}

func publishFromWire(sent *wire.PublishRequest) *PublishRequest {
	read := &PublishRequest{
		Attachment: attachmentFromWire(sent.Attachment), Version: sent.Version, Units: sent.Units,
		TimestampMs: sent.TimestampMs, BasePath: sent.BasePath, BaseURL: sent.BaseUrl, Full: sent.Full,
		Signing: sent.Signing,
	}
	if sent.Previous != nil {
		previous := publicationFromWire(sent.Previous)
		read.Previous = &previous
	}
	return read
}

// UnpublishRequest is what Unpublish works with.
type UnpublishRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Publication is what to take back.
	Publication Publication
}

// ReissueRequest is what Reissue works with.
type ReissueRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Publication is the publication that goes live again.
	Publication Publication
	// TimestampMs is the time to write into metadata, milliseconds since 1970.
	TimestampMs int64
	// Signing is as in [PublishRequest].
	Signing []string
}

// ClientConfigRequest is what ClientConfig works with.
type ClientConfigRequest struct {
	// Attachment is settings and kept state.
	Attachment Attachment
	// Publication is the publication to use.
	Publication Publication
	// BaseURL is where it is served.
	BaseURL string
	// OptionsText is a JSON object.
	OptionsText string
}

// Options reads the options into the author's own type. A usage error says what does not fit.
func (r *ClientConfigRequest) Options(into any) error {
	return fromObject("the options", r.OptionsText, into)
}

// ClientConfig is what a client needs to use a publication. Its methods change it and give it back.
type ClientConfig struct {
	wire *wire.ClientConfigResponse
	err  error
}

// NewClientConfig is nothing yet.
func NewClientConfig() *ClientConfig {
	return &ClientConfig{wire: &wire.ClientConfigResponse{}}
}

// File is a file for the client, such as /etc/apt/sources.list.d/NAME.sources.
func (c *ClientConfig) File(name, mediaType string, content []byte) *ClientConfig {
	c.wire.Files = append(c.wire.Files, &wire.ClientFile{Name: text(name), MediaType: mediaType, Content: content})
	return c
}

// Data is a struct or map for programs.
func (c *ClientConfig) Data(data any) *ClientConfig {
	written, err := toObject("the client's data", data)
	c.wire.Data, c.err = written, errors.Join(c.err, err)
	return c
}
