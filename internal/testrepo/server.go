package testrepo

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves a Repo on a free port of 127.0.0.1, counts what it is asked
// for, and misbehaves on demand. Its methods may be called at any time from any
// goroutine; requests that have begun end as they began.
type Server struct {
	// URL is the repository's base, "http://127.0.0.1:PORT" without a slash at
	// the end.
	URL string

	http   *http.Server
	closed chan struct{} // closed when the accept loop has ended

	served  atomic.Int64 // bytes of bodies
	pending atomic.Int64 // requests under way

	mu       sync.Mutex // guards what follows
	repo     *Repo
	pinned   int // the generation served, 0 for the newest
	requests []string
	faults   []*fault // in the order set; the newest that answers wins
}

// Serve serves the repository until Close.
func Serve(r *Repo) (*Server, error) {
	s, err := listen()
	if err != nil {
		return nil, err
	}
	s.repo = r
	s.start()
	return s.Server, nil
}

// ServeSample is Sample and Serve in one: the server's address is known while
// the sample is made, so that the artifact that lies outside the repository can
// be fetched too. It overrides opts.BaseURL.
func ServeSample(opts Options) (*Repo, *Server, error) {
	s, err := listen()
	if err != nil {
		return nil, nil, err
	}
	opts.BaseURL = s.URL
	r, err := Sample(opts)
	if err != nil {
		return nil, nil, errors.Join(err, s.listener.Close())
	}
	s.repo = r
	s.start()
	return r, s.Server, nil
}

// unstarted is a listening socket with nobody who accepts.
type unstarted struct {
	*Server
	listener net.Listener
}

func listen() (*unstarted, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("testrepo: listen on loopback: %w", err)
	}
	s := &Server{URL: "http://" + listener.Addr().String(), closed: make(chan struct{})}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // broken connections are its trade
	}
	return &unstarted{Server: s, listener: listener}, nil
}

func (u *unstarted) start() {
	go func() {
		defer close(u.closed)
		// Close makes it return; no other error can be acted on here, as every
		// request then fails, which the test or the demo sees.
		_ = u.http.Serve(u.listener)
	}()
}

// Close stops the server and cuts every connection. It may be called twice.
func (s *Server) Close() error {
	s.Clear()
	err := s.http.Close()
	<-s.closed
	if err != nil {
		return fmt.Errorf("testrepo: stop the server: %w", err)
	}
	return nil
}

// Requests are the paths that were asked for since the start or ResetCounters,
// in order of arrival, escaped as sent and beginning with a slash.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// BytesServed counts the bytes of all bodies handed to the network since the
// start or ResetCounters, headers not included.
func (s *Server) BytesServed() int64 { return s.served.Load() }

// ResetCounters forgets Requests and BytesServed.
func (s *Server) ResetCounters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
	s.served.Store(0)
}

// Freeze goes on serving today's newest generation, whatever the repository
// publishes afterwards.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pinned = s.repo.Generation()
}

// Thaw serves the newest generation again.
func (s *Server) Thaw() { s.ServeGeneration(0) }

// ServeGeneration serves generation n alone, as a mirror that was rolled back
// would; 0 is the newest again, one that does not exist is empty.
func (s *Server) ServeGeneration(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pinned = n
}

// handle answers one request: the file is looked up, altered by every fault
// that alters, and sent by the newest fault that answers, else honestly.
func (s *Server) handle(w http.ResponseWriter, q *http.Request) {
	s.pending.Add(1)
	defer s.pending.Add(-1)
	where := q.URL.EscapedPath()
	s.mu.Lock()
	s.requests = append(s.requests, where)
	repo, generation := s.repo, s.pinned
	faults := matching(s.faults, where)
	s.mu.Unlock()

	if q.Method != http.MethodHead { // whose body is written and then dropped
		w = &countingWriter{ResponseWriter: w, bytes: &s.served}
	}
	c, _ := repo.find(generation, q.URL)
	answer := honest
	for _, f := range faults {
		if f.alter != nil && c != nil {
			c = altered{of: c, alteration: f.alter(c.size())}
		}
		if f.answer != nil {
			answer = f.answer
		}
	}
	answer(w, q, c)
}

// honest sends the file, or 404 where c is nil.
func honest(w http.ResponseWriter, q *http.Request, c content) {
	if c == nil {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	serveContent(w, q, c)
}

// countingWriter counts the bytes of bodies.
type countingWriter struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes.Add(int64(n))
	return n, err
}

// Unwrap lets http.ResponseController reach Flush.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
