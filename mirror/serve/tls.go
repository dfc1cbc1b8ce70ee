package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
)

// TLSFiles are PEM files. They are read again by Server.Reload.
type TLSFiles struct {
	Certificate string // and the chain behind it
	Key         string
	// ClientCA are the authorities of clients' certificates, one of which each client
	// has to show; empty: none is asked for.
	ClientCA string
}

// maxPEM bounds a file of certificates, in bytes.
const maxPEM = 4 << 20

// load reads the files.
func (f *TLSFiles) load() (*tls.Config, error) {
	certificate, err := readPEM(f.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	key, err := readPEM(f.Key)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("certificate and key: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair}}
	if f.ClientCA == "" {
		return config, nil
	}
	authorities, err := readPEM(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("client_ca: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, errors.New("client_ca: expected certificates in PEM, found none")
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	// A session that goes on would be one that an authority, taken away since, let in.
	config.SessionTicketsDisabled = true
	return config, nil
}

func readPEM(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = fmt.Errorf("expected at most %d bytes, found more", maxPEM)
	}
	return data, err
}
