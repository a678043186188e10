package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// Plugin is main of a plugin. extend sets what only one version of the library has; what it returns is waited for
// when serving ends.
func Plugin(library string, extend func(*PluginOptions, *plugin.ServeConfig) (wait func(), err error)) {
	if err := servePlugin(library, extend); err != nil {
		fmt.Fprintln(os.Stderr, "go-plugin:", err)
		os.Exit(2)
	}
}

func servePlugin(library string, extend func(*PluginOptions, *plugin.ServeConfig) (func(), error)) error {
	options, err := pluginOptions()
	if err != nil {
		return err
	}
	config := &plugin.ServeConfig{GRPCServer: plugin.DefaultGRPCServer}
	if config.HandshakeConfig, err = options.handshake(); err != nil {
		return err
	}
	sets, err := options.sets(library)
	if err != nil {
		return err
	}
	if options.plain {
		for version, set := range sets {
			config.ProtocolVersion, config.Plugins = uint(version), set
		}
	} else {
		config.VersionedPlugins = sets
	}
	if options.Limit > 0 {
		config.GRPCServer = func(more []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(more, grpc.MaxRecvMsgSize(options.Limit))...)
		}
	}
	if options.cert != "" {
		config.TLSProvider = func() (*tls.Config, error) { return options.tls() }
	}
	wait, err := extend(options, config)
	if err != nil {
		return err
	}
	plugin.Serve(config)
	if wait != nil {
		wait()
	}
	if options.Cleanup != "" {
		return os.WriteFile(options.Cleanup, []byte("cleaned up\n"), 0o600)
	}
	return nil
}

// tls is for both roles: own certificate, and one that the other side must show.
func (c *common) tls() (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(c.trust)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + c.trust)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: trusted, RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS12,
	}, nil
}
