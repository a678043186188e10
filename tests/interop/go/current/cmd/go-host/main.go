// Command go-host is a host on the current Go library.
package main

import (
	"context"
	"errors"
	"strings"

	plugin "github.com/hashicorp/go-plugin"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"wharf.invalid/interop/peer"
)

func main() {
	peer.Host(peer.Extra{
		Library: "go-plugin current",
		Extend: func(o *peer.HostOptions, c *plugin.ClientConfig) error {
			c.GRPCBrokerMultiplex, c.SkipHostEnv = o.Mux, o.SkipEnv
			if o.Group != "" {
				c.UnixSocketConfig = &plugin.UnixSocketConfig{Group: o.Group}
			}
			if c.Reattach != nil {
				c.Reattach.Test, c.Reattach.ProtocolVersion = o.Test, 1
			}
			return nil
		},
		Steps: map[string]func(*peer.Run) error{"reflection1": reflection1},
	})
}

func reflection1(r *peer.Run) error {
	ctx, done := context.WithCancel(context.Background())
	defer done()
	stream, err := reflection.NewServerReflectionClient(r.Conn()).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	ask := &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_ListServices{},
	}
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
	if len(names) == 0 {
		return errors.New("no services")
	}
	r.Set("services", strings.Join(peer.Sorted(names), " "))
	return nil
}
