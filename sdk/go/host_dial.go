// Service Host, as a plugin sees it: dialled when first needed, with the plugin's own certificate and the host's pinned
// one; every call carries the job's token.

package wharf

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"wharf.invalid/wharf/wire"
)

const (
	// Larger than any message of the contract: what a peer sends is bounded, and never by too little.
	maxReceived = 64 << 20
	tokenHeader = "wharf-token"
	authority   = "localhost"
)

// dialer makes the one connection to the host that all calls of the process share.
type dialer struct {
	// Not set: the host uses no TLS on the plugin's socket either.
	tls *tls.Config

	lock    sync.Mutex
	address string
	open    *grpc.ClientConn
	// Set in tests: a connection that is there already.
	ready grpc.ClientConnInterface
}

// connection is a connection to this address. Nothing is dialled before the first call.
func (d *dialer) connection(address string) (grpc.ClientConnInterface, error) {
	if d.ready != nil {
		return d.ready, nil
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.open != nil && d.address == address {
		return d.open, nil
	}
	path, isUnix := strings.CutPrefix(address, "unix://")
	if address == "" {
		return nil, Fault("protocol.host_address", "this call came without a way to the host")
	}
	if !isUnix || !strings.HasPrefix(path, "/") {
		message := fmt.Sprintf("the host's address %q is not of the form unix:///path", address)
		return nil, Fault("protocol.host_address", message)
	}
	secure := insecure.NewCredentials()
	if d.tls != nil {
		secure = credentials.NewTLS(d.tls)
	}
	made, err := grpc.NewClient(address, grpc.WithTransportCredentials(secure), grpc.WithAuthority(authority),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceived)))
	if err != nil {
		return nil, Fault("protocol.host_address", "the host's address cannot be dialled").CausedBy(err)
	}
	d.closeOpen()
	d.open, d.address = made, address
	return made, nil
}

func (d *dialer) close() {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.closeOpen()
}

func (d *dialer) closeOpen() {
	if d.open != nil {
		_ = d.open.Close()
		d.open = nil
	}
}

// host is one job's way to the host.
type host struct {
	dialer  *dialer
	address string
	token   string
}

func (h *host) client() (wire.HostClient, error) {
	connection, err := h.dialer.connection(h.address)
	if err != nil {
		return nil, err
	}
	return wire.NewHostClient(withToken{connection, h.token}), nil
}

// withToken puts the job's token on every call.
type withToken struct {
	connection grpc.ClientConnInterface
	token      string
}

func (w withToken) Invoke(ctx context.Context, method string, ask, answer any, options ...grpc.CallOption) error {
	ctx = metadata.AppendToOutgoingContext(ctx, tokenHeader, w.token)
	return w.connection.Invoke(ctx, method, ask, answer, options...)
}

func (w withToken) NewStream(
	ctx context.Context, stream *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, tokenHeader, w.token)
	return w.connection.NewStream(ctx, stream, method, options...)
}
