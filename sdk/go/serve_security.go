// The plugin's key and certificate, and the host's, which alone is trusted.
//
// go-plugin would make a key itself, but keeps it to itself, and the plugin must show the same certificate when it is the
// host's client. Keys stay in memory, and are never logged.

package wharf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// security is both certificates; nil without TLS.
type security struct {
	own  tls.Certificate
	host *x509.Certificate
}

// newSecurity makes what a host with this certificate (PEM) asks for; nothing without one.
func newSecurity(hostPEM string) (*security, error) {
	if hostPEM == "" {
		return nil, nil
	}
	block, _ := pem.Decode([]byte(hostPEM))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("PLUGIN_CLIENT_CERT holds no certificate")
	}
	host, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("PLUGIN_CLIENT_CERT cannot be read: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: authority},
		DNSNames:     []string{authority},
		NotBefore:    time.Now().Add(-30 * time.Second),
		NotAfter:     time.Now().AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &security{own: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, host: host}, nil
}

// config is the TLS of both directions; nil without TLS.
func (s *security) config() *tls.Config {
	if s == nil {
		return nil
	}
	return &tls.Config{
		Certificates: []tls.Certificate{s.own},
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{"h2"},
		ServerName:   authority,
		// Trust is not a matter of chains here: the peer shows the one certificate, or is refused.
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true,
		VerifyConnection:   s.isHost,
	}
}

func (s *security) isHost(state tls.ConnectionState) error {
	shown := state.PeerCertificates
	if len(shown) == 0 || !bytes.Equal(shown[0].Raw, s.host.Raw) {
		return errors.New("the peer is not the host that started this plugin")
	}
	return nil
}

// provide is what go-plugin asks for.
func (s *security) provide() (*tls.Config, error) { return s.config(), nil }

// printed is the sixth field of the handshake line.
func (s *security) printed() string {
	if s == nil {
		return ""
	}
	return base64.RawStdEncoding.EncodeToString(s.own.Certificate[0])
}
