package main

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/placement"
)

// serverTLS returns the TLS of a listener whose keys begin with section, or nil without a
// certificate.
// New connections get what the files hold by then; those that are open stay.
func serverTLS(section string, c config.ServerTLS, log *slog.Logger) (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	files := []string{c.CertFile, c.KeyFile, c.ClientCAFile}
	v, err := reload.New(func() (*tls.Config, error) { return readTLS(section, c) }, files, &reload.Options{Logger: log})
	if err != nil {
		return nil, err
	}
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return v.Get(), nil }}, nil
}

func readTLS(section string, c config.ServerTLS) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, &placement.InvalidError{Field: section + ".cert_file", Value: c.CertFile, Fix: "must be a certificate that fits " + section + ".key_file: " + err.Error()}
	}
	t := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
	if c.ClientCAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.ClientCAFile)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		return nil, &placement.InvalidError{Field: section + ".client_ca_file", Value: c.ClientCAFile, Fix: "must be a file with certificates in PEM"}
	}
	t.ClientCAs, t.ClientAuth = pool, tls.RequireAndVerifyClientCert
	if c.ClientAuth == config.ClientAuthOptional {
		t.ClientAuth = tls.VerifyClientCertIfGiven
	}
	// A session that is resumed would not be held against a CA that has changed.
	t.SessionTicketsDisabled = true
	return t, nil
}
