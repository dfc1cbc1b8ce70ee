package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"assay/mirror/tracing"
)

// Server answers for a Library. It is safe for several goroutines.
type Server struct {
	library    Library
	limits     Limits
	tokensFile string
	tlsFiles   *TLSFiles
	grace      time.Duration
	started    func() bool
	log        *slog.Logger
	now        func() time.Time

	tokens  atomic.Pointer[Tokens] // nil: none is asked for
	tls     atomic.Pointer[tls.Config]
	memory  *memory
	buffers *buffers
	clients *clients
	places  *places
	count   *tallies
	tracer  *tracing.Tracer
	ids     *ids
}

// Reload reads the files of the configuration again: tokens, certificates, keys.
// All of them are checked first; where one is wrong, nothing changes. Connections
// that are open go on with what they had, and requests are held to the new tokens.
func (s *Server) Reload() error {
	var tokens *Tokens
	if s.tokensFile != "" {
		var err error
		if tokens, err = readTokens(s.tokensFile); err != nil {
			return fmt.Errorf("serve: tokens: %w", err)
		}
	}
	var config *tls.Config
	if s.tlsFiles != nil {
		var err error
		if config, err = s.tlsFiles.load(); err != nil {
			return fmt.Errorf("serve: tls: %w", err)
		}
	}
	s.tokens.Store(tokens)
	s.tls.Store(config)
	return nil
}

// Handler answers requests without the limits that belong to connections. Serve is
// what a daemon uses.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.handle) }

// Listen listens on a TCP address, "127.0.0.1:8080" or ":443".
func Listen(ctx context.Context, address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return setUnsent(c, slowUnsent) }}
	config.SetMultipathTCP(false) // its connections would not inherit the bound
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return l, nil
}

// ListenAll listens on all of some addresses, or on none.
func ListenAll(ctx context.Context, addresses []string) ([]net.Listener, error) {
	var all []net.Listener
	for _, address := range addresses {
		l, err := Listen(ctx, address)
		if err != nil {
			for _, open := range all {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// Adopt makes a listener that somebody else has opened, as a service manager does,
// like those of Listen. It must be one of TCP.
func Adopt(l net.Listener) error {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return fmt.Errorf("serve: expected a TCP socket, found one of %s", l.Addr().Network())
	}
	raw, err := tcp.SyscallConn()
	if err == nil {
		err = setUnsent(raw, slowUnsent)
	}
	if err != nil {
		return fmt.Errorf("serve: %s: %w", l.Addr(), err)
	}
	return nil
}

// Serve answers on a listener, which it closes, until the context ends. Then it
// takes no more, lets running requests end until the grace is over, and closes
// what is left. An error is one of the listener, or tells that requests were cut.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.limits.HeaderTimeout,
		IdleTimeout:       s.limits.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 64},

		DisableGeneralOptionsHandler: true,
	}
	ended := make(chan error, 1)
	guarded := &listener{Listener: l, places: s.places, cleartext: s.tlsFiles == nil}
	go func() {
		if s.tlsFiles == nil {
			ended <- server.Serve(guarded)
			return
		}
		server.TLSConfig = &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.tls.Load(), nil },
		}
		ended <- server.ServeTLS(guarded, "", "")
	}()
	select {
	case err := <-ended:
		server.Close() // lest connections outlive their listener
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		server.Close()
	}
	<-ended // ErrServerClosed
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("serve: requests that still ran after %s were cut: %w", s.grace, err)
	}
	return err
}
