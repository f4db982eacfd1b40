package tap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

const dialTimeout = 10 * time.Second

// upstream is the way to the server.
type upstream struct {
	network, address string
	security         *tls.Config // nil: without TLS
	optional         bool        // without TLS where the server has none
}

func newUpstream(d dsn) (upstream, error) {
	network, address, err := d.address()
	if err != nil {
		return upstream{}, err
	}
	u := upstream{network: network, address: address}
	if network == "unix" {
		return u, nil // libpq speaks no TLS there either
	}
	// The meanings of sslmode are libpq's (PostgreSQL documentation, 34.19).
	config := &tls.Config{ServerName: d.settings["host"], MinVersion: tls.VersionTLS12}
	switch mode := d.settings["sslmode"]; mode {
	case "disable", "allow":
		return u, nil
	case "", "prefer":
		u.optional, config.InsecureSkipVerify = true, true
	case "require":
		config.InsecureSkipVerify = true
		if d.settings["sslrootcert"] != "" {
			config.VerifyConnection = signed(config)
		}
	case "verify-ca":
		config.InsecureSkipVerify = true
		config.VerifyConnection = signed(config)
	case "verify-full":
	default:
		return upstream{}, errors.New("the database's DSN has an sslmode nobody knows: it is disable, allow, prefer, require, verify-ca or verify-full")
	}
	u.security = config
	return u, certificates(config, d.settings)
}

// signed checks the chain and not the name, which crypto/tls has no switch for.
func signed(config *tls.Config) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		options := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
		for _, certificate := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(certificate)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
}

func certificates(config *tls.Config, settings map[string]string) error {
	if file := settings["sslrootcert"]; file != "" && file != "system" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("the file of the DSN's sslrootcert cannot be read: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("the DSN's sslrootcert %s holds no certificate in PEM form", file)
		}
	}
	certificate, key := settings["sslcert"], settings["sslkey"]
	if certificate == "" && key == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("the DSN's sslcert and sslkey cannot be used: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return nil
}

// duplex is a connection whose directions end one by one.
type duplex interface {
	net.Conn
	CloseWrite() error
}

// dial connects, but for TLS.
func (u upstream) dial(ctx context.Context) (duplex, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	connection, err := dialer.DialContext(ctx, u.network, u.address)
	if err != nil {
		return nil, err
	}
	return connection.(duplex), nil // TCP and unix ones are
}

// secure asks the server for TLS, where that is wanted.
func (u upstream) secure(ctx context.Context, plain duplex) (duplex, error) {
	if u.security == nil {
		return plain, nil
	}
	if err := plain.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, err
	}
	if _, err := plain.Write(sslRequest); err != nil {
		return nil, err
	}
	// One byte and no more: what follows it unasked was put there by somebody
	// in the middle (CVE-2021-23222).
	answer := make([]byte, 1)
	if _, err := plain.Read(answer); err != nil {
		return nil, err
	}
	switch {
	case answer[0] == 'S':
		secured := tls.Client(plain, u.security)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return secured, plain.SetDeadline(time.Time{})
	case answer[0] == 'N' && u.optional:
		return plain, plain.SetDeadline(time.Time{})
	}
	return nil, errors.New("the server speaks no TLS, which the DSN's sslmode demands")
}
