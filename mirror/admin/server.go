package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"assay/mirror/counters"
	"assay/mirror/page"
)

// The times that a client has.
const (
	headerTime = 10 * time.Second // to send the head of a request
	bodyTime   = 10 * time.Second // to send its body
	answerTime = 30 * time.Second // to take the answer
	idleTime   = time.Minute      // between two requests
	stopTime   = 5 * time.Second  // for answers, when the server stops
)

// maxHeader bounds the head of a request, in bytes.
const maxHeader = 16 << 10

// Config is what a Server works with.
type Config struct {
	Mirror   Mirror
	Counters *counters.Set // nil: nothing is counted
	// Reload reads the configuration anew, and changes nothing if it is bad.
	Reload func(ctx context.Context) error
	// Note is told of each action before it is done, and again if it fails; nil: nobody is.
	Note func(ctx context.Context, action, detail string)
	// Code is the exit code that an error has on the command line; nil: 1.
	Code func(error) int
	// Started is nil once the mirror has begun to serve; nil: it has.
	Started func() error
	// TokenFile is the absolute path of the hashed tokens; empty: there are none, and
	// only a Unix socket is served.
	TokenFile string
	// Metrics answers GET /metrics, and bounds the work that it takes; nil: there are none.
	Metrics http.Handler
	Log     *slog.Logger // nil: the default one
}

// Server answers the administrator.
type Server struct {
	config Config
	log    *slog.Logger
	tokens atomic.Pointer[[]token]
	mux    *http.ServeMux
	page   *page.Page
}

// New makes a server, and reads the tokens. The error wraps ErrTokens.
func New(config Config) (*Server, error) {
	s := &Server{config: config, log: config.Log, mux: http.NewServeMux()}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.config.Code == nil {
		s.config.Code = func(error) int { return 1 }
	}
	if s.config.Note == nil {
		s.config.Note = func(context.Context, string, string) {}
	}
	if err := s.ReloadTokens(); err != nil {
		return nil, err
	}
	s.page = s.newPage()
	s.routes()
	return s, nil
}

// ReloadTokens reads the file of tokens anew. If it is bad the old ones go on to
// count, and the error wraps ErrTokens.
func (s *Server) ReloadTokens() error {
	if s.config.TokenFile == "" {
		return nil
	}
	tokens, err := readTokens(s.config.TokenFile)
	if err != nil {
		return err
	}
	s.tokens.Store(&tokens)
	return nil
}

// Serve answers until ctx ends, then gives those at work a moment, and closes the
// listener. It refuses to serve anything but a Unix socket without tokens.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	if listener.Addr().Network() != "unix" && s.tokens.Load() == nil {
		listener.Close()
		return fmt.Errorf("%w: expected a file of tokens for %s, found none", ErrTokens, listener.Addr())
	}
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		// A stop ends what requests wait for, too.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withPeer,
	}
	go s.page.Run(ctx)
	stopped := make(chan error, 1)
	end := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err := server.Shutdown(grace)
		if err != nil {
			err = server.Close()
		}
		stopped <- err
	})
	err := server.Serve(newLimited(listener, MaxConnections))
	if end() {
		// The listener failed by itself.
		return errors.Join(err, server.Close())
	}
	return <-stopped
}

func (s *Server) routes() {
	s.mux.HandleFunc("GET /v1/status", s.status)
	s.mux.HandleFunc("GET /v1/storage", s.storage)
	s.mux.HandleFunc("GET /v1/plan/{repository}", s.plan)
	s.mux.HandleFunc("GET /v1/quarantine", s.quarantine)
	s.mux.HandleFunc("GET /v1/counters", s.counters)
	s.mux.HandleFunc("POST /v1/sync/{repository}", s.sync)
	s.mux.HandleFunc("POST /v1/cancel/{repository}", s.cancel)
	s.mux.HandleFunc("POST /v1/scrub", s.scrub)
	s.mux.HandleFunc("POST /v1/quarantine/{repository}/release", s.release)
	s.mux.HandleFunc("POST /v1/quarantine/{repository}/hold", s.hold)
	s.mux.HandleFunc("POST /v1/reload", s.reload)
	if s.config.Metrics != nil {
		s.mux.HandleFunc("GET /metrics", s.metrics)
	}
	s.mux.HandleFunc("GET /livez", s.live)
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /startupz", s.started)
	s.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	s.mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	s.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	s.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	s.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, fmt.Errorf("%w: there is no %s %.80q", ErrRequest, r.Method, r.URL.Path))
	})
}

// ServeHTTP lets a request through that may be made.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if page.Owns(r.URL.Path) { // it asks who asks in a way of its own
		s.page.ServeHTTP(w, r)
		return
	}
	by, err := s.whoAsks(r)
	if err != nil && !isProbe(r.URL.Path) {
		s.fail(w, r, err)
		return
	}
	if err := s.checkHost(r); err != nil && !isProbe(r.URL.Path) {
		s.fail(w, r, err)
		return
	}
	if err := checkOrigin(r); err != nil {
		s.fail(w, r, err)
		return
	}
	s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), byKey{}, by)))
}

// byKey is who asks, in the context of a request; empty: nobody knows.
type byKey struct{}

func by(r *http.Request) string {
	name, _ := r.Context().Value(byKey{}).(string)
	return name
}

// isProbe reports whether a request tells so little that anybody may make it.
func isProbe(path string) bool { return path == "/livez" || path == "/readyz" || path == "/startupz" }
