package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted counts a server's connections, and its requests under way.
type counted struct {
	*httptest.Server
	connections, requests, now, most atomic.Int64
	release                          chan struct{} // closed: requests are answered
}

// newCounted starts a server whose bodies end once they are released. streams
// bounds what goes on at once in one connection of HTTP/2; -1: plain HTTP.
func newCounted(t *testing.T, ca *authority, streams int) *counted {
	t.Helper()
	c := &counted{release: make(chan struct{})}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		c.requests.Add(1)
		now := c.now.Add(1)
		defer c.now.Add(-1)
		for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
		}
		w.Header().Set("X-Protocol", q.Proto)
		io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		select {
		case <-c.release:
			io.WriteString(w, "}")
		case <-q.Context().Done():
		}
	}))
	c.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.connections.Add(1)
		}
	}
	if streams < 0 {
		c.Start()
	} else {
		c.TLS, c.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{ca.issue(nil)}}, true
		c.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
		c.StartTLS()
	}
	t.Cleanup(c.Close)
	return c
}

// waits until a condition holds.
func waits(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for name, small := range map[string]bool{"small": true, "bulk": false} {
		for _, streams := range []int{-1, 100} {
			c := newCounted(t, ca, streams)
			close(c.release)
			e := direct(Options{RootCAs: ca.pool()})
			want := "HTTP/1.1"
			if small && streams > 0 {
				want = "HTTP/2.0"
			}
			for range 20 {
				r := Request{URL: parsed(t, c.URL), Reach: ReachOf(parsed(t, c.URL)), Small: small}
				if data, _, err := read(t, e, r); err != nil || data != "{}" {
					t.Fatalf("%s: found %q, %v", name, data, err)
				}
				if small {
					if data, _, err := e.ReadDocument(t.Context(), r.URL, r.Reach, 10); err != nil || string(data) != "{}" {
						t.Fatalf("%s: found %q, %v", name, data, err)
					}
				}
			}
			if n := c.connections.Load(); n != 1 {
				t.Errorf("%s, %s: expected 1 connection, found %d", name, want, n)
			}
			sent, err := e.client.Do(mustRequest(t, c.URL, small))
			if err != nil {
				t.Fatal(err)
			}
			sent.Body.Close()
			if found := sent.Header.Get("X-Protocol"); found != want {
				t.Errorf("%s: expected %s, found %s", name, want, found)
			}
		}
	}
}

func mustRequest(t *testing.T, url string, small bool) *http.Request {
	t.Helper()
	ctx := context.WithValue(t.Context(), routeKey{}, route{ReachOf(parsed(t, url)), small})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// TestConnectionsAreBounded: whoever finds all taken waits, however long that
// takes, and nobody calls the source silent for it.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for name, test := range map[string]struct {
		small          bool
		streams        int
		perHost, own   int
		connections    int64
		requestsAtOnce int64
	}{
		"HTTP/1.1":             {false, -1, 2, 0, 2, 2},
		"HTTP/1.1, small":      {true, -1, 2, 0, 2, 2},
		"HTTP/1.1, TLS":        {false, 100, 2, 0, 2, 2},
		"the host's own":       {false, -1, 8, 3, 3, 3},
		"the host's own, more": {false, -1, 1, 3, 3, 3},
		"HTTP/2":               {true, 100, 1, 0, 1, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounted(t, ca, test.streams)
			u := parsed(t, c.URL)
			options := Options{PerHost: test.perHost, Answer: 200 * time.Millisecond, Idle: time.Minute, RootCAs: ca.pool()}
			if test.own > 0 {
				options.Hosts = []Host{{Name: u.Host, Connections: test.own}}
			}
			e := direct(options)
			if want := max(test.own, test.perHost*(1-min(test.own, 1))); e.Connections(u) != want || e.options.PerHost != test.perHost {
				t.Errorf("expected %d connections, found %d", want, e.Connections(u))
			}
			var all sync.WaitGroup
			for range 6 {
				all.Go(func() {
					if data, _, err := read(t, e, Request{URL: u, Small: test.small}); err != nil || data != "{}" {
						t.Errorf("found %q, %v", data, err)
					}
				})
			}
			waits(t, "requests", func() bool { return c.now.Load() == test.requestsAtOnce })
			time.Sleep(300 * time.Millisecond) // longer than an answer may take
			close(c.release)
			all.Wait()
			if n := c.requests.Load(); n != 6 {
				t.Errorf("expected 6 requests, found %d", n)
			}
			if n := c.most.Load(); n != test.requestsAtOnce {
				t.Errorf("expected %d requests at once, found %d", test.requestsAtOnce, n)
			}
			if n := c.connections.Load(); n > test.connections {
				t.Errorf("expected at most %d connections, found %d", test.connections, n)
			}
		})
	}
}

// TestWaitingForAConnection: a document may wait longer than its window, and who
// waits may give up.
func TestWaitingForAConnection(t *testing.T) {
	t.Parallel()
	c := newCounted(t, nil, -1)
	u := parsed(t, c.URL)
	e := direct(Options{PerHost: 1, Document: 50 * time.Millisecond, Pace: 1, Answer: 100 * time.Millisecond})
	first, err := e.Open(t.Context(), Request{URL: u, Reach: ReachOf(u), Small: true})
	if err != nil {
		t.Fatal(err)
	}
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(interrupt) })
	if _, _, err := e.ReadDocument(ctx, u, ReachOf(u), 10); !errors.Is(err, interrupt) || errors.Is(err, ErrSource) {
		t.Errorf("expected %v, found %v", interrupt, err)
	}
	done := make(chan error, 1)
	go func() {
		data, _, err := e.ReadDocument(t.Context(), u, ReachOf(u), 10)
		if err == nil && string(data) != "{}" {
			err = errors.New(string(data))
		}
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("expected it to wait, found %v", err)
	case <-time.After(400 * time.Millisecond):
	}
	close(c.release)
	if _, err := io.ReadAll(first.Body); err != nil {
		t.Error(err)
	}
	first.Body.Close()
	if err := <-done; err != nil {
		t.Errorf("expected the document, found %v", err)
	}
}

func TestHostWithItsOwnAuthority(t *testing.T) {
	t.Parallel()
	theirs, ours := newAuthority(t), newAuthority(t)
	special := newCounted(t, theirs, 100)
	usual := newCounted(t, ours, 100)
	close(special.release)
	close(usual.release)
	name := parsed(t, special.URL).Host
	for what, test := range map[string]struct {
		host                   Host
		special, usual, broken bool
	}{
		"as it should be": {Host{Name: name, CA: theirs.file()}, true, true, false},
		"of another":      {Host{Name: name, CA: newAuthority(t).file()}, false, true, false},
		"of another host": {Host{Name: parsed(t, usual.URL).Host, CA: theirs.file()}, false, true, false},
		"no file":         {Host{Name: name, CA: t.TempDir() + "/none"}, false, true, true},
		"no certificate":  {Host{Name: name, CA: write(t, "ca", "hunter2")}, false, true, true},
		"too long":        {Host{Name: name, CA: write(t, "ca", strings.Repeat("hunter2\n", maxPEM/8+1))}, false, true, true},
	} {
		e := direct(Options{RootCAs: ours.pool(), Hosts: []Host{test.host}})
		for range 2 {
			for _, small := range []bool{false, true} {
				_, _, err := read(t, e, Request{URL: parsed(t, special.URL), Small: small})
				if (err == nil) != test.special || errors.Is(err, ErrHost) != test.broken || err != nil && (!errors.Is(err, ErrSource) || strings.Contains(err.Error(), password)) || test.broken && !strings.Contains(err.Error(), ": cannot ask: the settings of "+name+": ca: ") {
					t.Errorf("%s: found %v", what, err)
				}
				if _, _, err := read(t, e, Request{URL: parsed(t, usual.URL), Small: small}); (err == nil) != test.usual {
					t.Errorf("%s: the usual one: found %v", what, err)
				}
			}
		}
	}
	// Who needs no transports shares those of all.
	for _, h := range []Host{{Name: name, TokenFile: "x"}, {Name: name, Netrc: true}} {
		if own, err := (&host{Host: h}).own(); own != nil || err != nil {
			t.Errorf("%+v: expected none of its own, found %v, %v", h, own, err)
		}
	}
	// What else counts goes on counting for that host, too.
	e := direct(Options{RootCAs: ours.pool(), Hosts: []Host{{Name: parsed(t, usual.URL).Host, CA: theirs.file()}}})
	if _, _, err := read(t, e, Request{URL: parsed(t, usual.URL)}); err != nil {
		t.Error(err)
	}
	// The system's authorities are not ours.
	e = direct(Options{Hosts: []Host{{Name: name, CA: theirs.file()}}})
	if _, _, err := read(t, e, Request{URL: parsed(t, special.URL)}); err != nil {
		t.Error(err)
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	shown := make(chan string, 10)
	mutual := &tls.Config{Certificates: []tls.Certificate{ca.issue(nil)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool()}
	server := serveTLS(t, mutual, func(_ http.ResponseWriter, q *http.Request) { shown <- q.TLS.PeerCertificates[0].Subject.CommonName })
	asking := &tls.Config{Certificates: mutual.Certificates, ClientAuth: tls.RequestClientCert}
	other := serveTLS(t, asking, func(w http.ResponseWriter, q *http.Request) {
		if len(q.TLS.PeerCertificates) > 0 {
			t.Error("another host was shown the certificate")
		}
	})
	name := parsed(t, server.URL).Host
	certificate, key := files(t, ca.issue(nil))
	e := direct(Options{RootCAs: ca.pool(), Hosts: []Host{{Name: name, Certificate: certificate, Key: key}}})
	for _, small := range []bool{false, true} {
		if _, _, err := read(t, e, Request{URL: parsed(t, server.URL), Small: small}); err != nil {
			t.Fatal(err)
		}
		if found := <-shown; found != "ann" {
			t.Errorf("expected ann, found %s", found)
		}
		if _, _, err := read(t, e, Request{URL: parsed(t, other.URL), Small: small}); err != nil {
			t.Error(err)
		}
	}
	// Without one the source refuses, and is not silent.
	_, _, err := read(t, direct(Options{RootCAs: ca.pool()}), Request{URL: parsed(t, server.URL)})
	if !errors.Is(err, ErrSource) || Temporary(err) || !strings.Contains(err.Error(), "found that the source refuses it") {
		t.Errorf("without a certificate: found %v", err)
	}
	_, otherKey := files(t, ca.issue(nil))
	for what, h := range map[string]Host{
		"no certificate": {Certificate: t.TempDir(), Key: key}, "no key": {Certificate: certificate, Key: certificate + ".none"},
		"another's key": {Certificate: certificate, Key: otherKey}, "no PEM": {Certificate: certificate, Key: write(t, "key", password)},
		"a long key": {Certificate: certificate, Key: write(t, "key", strings.Repeat(password, maxPEM/7+1))},
	} {
		h.Name = name
		e := direct(Options{RootCAs: ca.pool(), Hosts: []Host{h}})
		if _, _, err := read(t, e, Request{URL: parsed(t, server.URL)}); !errors.Is(err, ErrHost) || !errors.Is(err, ErrSource) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: found %v", what, err)
		}
	}
	// A proxy that is asked by TLS would be shown it, too.
	options := Options{RootCAs: ca.pool(), Proxy: http.ProxyURL(parsed(t, other.URL)), Hosts: []Host{{Name: name, Certificate: certificate, Key: key}}}
	if _, _, err := read(t, New(options), Request{URL: parsed(t, server.URL)}); !errors.Is(err, ErrHost) || !strings.Contains(err.Error(), "expected no proxy, or one that is asked by http") {
		t.Errorf("through a proxy: found %v", err)
	}
	for what, o := range map[string]Options{
		"no certificate": {Proxy: options.Proxy, Hosts: []Host{{Name: name, Connections: 1}}},
		"by http":        {Proxy: http.ProxyURL(parsed(t, "http://127.0.0.1:1")), Hosts: options.Hosts},
	} {
		if _, _, err := read(t, New(o), Request{URL: parsed(t, server.URL)}); !errors.Is(err, ErrSource) || errors.Is(err, ErrHost) {
			t.Errorf("through a proxy, %s: found %v", what, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	o := Options{}.withDefaults()
	if o.UserAgent != "assay" || o.Connect != 10*time.Second || o.Answer != 30*time.Second || o.Idle != 30*time.Second || o.Document != time.Minute ||
		o.Token != 30*time.Second || o.Pace != 16<<10 || o.Redirects != 10 || o.PerHost != 8 || o.Bandwidth != 0 || o.Proxy == nil {
		t.Errorf("found %+v", o)
	}
	if e := New(Options{Idle: time.Hour, PerHost: 3}); e.options.Idle != time.Hour || e.options.PerHost != 3 || e.limiter != nil {
		t.Errorf("found %+v", e.options)
	}
	o = Options{UserAgent: "x", Pace: 5, Redirects: 3, Connect: 1, Answer: 2, Document: 3, Token: 4, Proxy: noProxy}.withDefaults()
	if o.UserAgent != "x" || o.Pace != 5 || o.Redirects != 3 || o.Connect != 1 || o.Answer != 2 || o.Document != 3 || o.Token != 4 {
		t.Errorf("found %+v", o)
	}
}
