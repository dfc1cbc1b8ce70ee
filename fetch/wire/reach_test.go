package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"assay/trust"
)

func TestIsLocal(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "0.0.0.0": true, "::": true, "169.254.169.254": true,
		"fe80::1": true, "fe80::1%eth0": true, "::ffff:127.0.0.1": true, "224.0.0.1": true, "localhost": true,
		"LOCALHOST.": true, "a.localhost": true, "127.1": true, "2130706433": true, "0x7f000001": true, "": true,
		"fd00:ec2::254": true, "100.100.100.200": true, "168.63.129.16": true, "64:ff9b::7f00:1": true, "64:ff9b::a9fe:a9fe": true,
		"2002:7f00:1::": true, "64:ff9b::c000:201": false, "2002:c000:201::": false, "100.100.100.201": false, "fd00:ec2::255": false,
		"example.com": false, "192.0.2.1": false, "10.0.0.1": false, "2001:db8::1": false, "local.example": false, "example.-x": false,
	} {
		if got := isLocal(host); got != want {
			t.Errorf("%q: expected %v, found %v", host, want, got)
		}
	}
}

// site is a server that counts, and an engine for which every name under
// .example leads to it, past no guard but the engine's own.
type site struct {
	*httptest.Server
	asked  atomic.Int64
	engine *Engine
}

func newSite(t *testing.T, redirect string) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.asked.Add(1)
		if redirect != "" && q.URL.Path == "/go" {
			http.Redirect(w, q, redirect, http.StatusFound)
			return
		}
		io.WriteString(w, "here")
	}))
	t.Cleanup(s.Close)
	s.engine = New(Options{Connect: 5 * time.Second, Proxy: noProxy})
	r := s.engine.client.Transport.(*router)
	address := s.Listener.Addr().String()
	resolve := func(control *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, name string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(name); err == nil && !isLocal(host) {
				name = address
			}
			return control.DialContext(ctx, network, name)
		}
	}
	for _, p := range []pair{r.general.bulk, r.general.small} {
		p.open.DialContext = resolve(&net.Dialer{})
		p.guarded.DialContext = resolve(&net.Dialer{Control: refuseLocal})
	}
	return s
}

func parsed(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// refusesLocal expects a request to fail because of where it leads.
func refusesLocal(t *testing.T, e *Engine, raw string, allowed Reach) {
	t.Helper()
	a, err := e.Open(t.Context(), Request{URL: parsed(t, raw), Reach: allowed})
	if err == nil {
		a.Body.Close()
	}
	if !errors.Is(err, errLocal) || !errors.Is(err, ErrSource) || errors.Is(err, trust.ErrNoAnswer) {
		t.Errorf("%s: expected it to be refused as local, found %v", raw, err)
	}
}

func reaches(t *testing.T, e *Engine, raw string, allowed Reach) {
	t.Helper()
	a, err := e.Open(t.Context(), Request{URL: parsed(t, raw), Reach: allowed})
	if err != nil {
		t.Errorf("%s: %v", raw, err)
		return
	}
	a.Body.Close()
}

func TestSourceElsewhereCannotPointAtThisMachine(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	refusesLocal(t, s.engine, s.URL+"/x", Reach{})
	refusesLocal(t, s.engine, "http://169.254.169.254/latest/meta-data", Reach{})
	refusesLocal(t, s.engine, "http://rebound.example/x", Reach{}) // a name that leads here
	refusesLocal(t, s.engine, "file:///etc/hostname", Reach{})
	refusesLocal(t, s.engine, "http:///x", Reach{})
	if n := s.asked.Load(); n != 0 {
		t.Fatalf("the local server was asked %d times", n)
	}
	// What was configured may lie anywhere.
	reaches(t, s.engine, s.URL+"/x", ReachOf(parsed(t, s.URL)))
	reaches(t, s.engine, "http://tunnel.example/x", ReachOf(parsed(t, "http://tunnel.example")))
	refusesLocal(t, s.engine, "http://other.example/x", ReachOf(parsed(t, "http://tunnel.example")))
	reaches(t, s.engine, s.URL+"/x", ReachOf(parsed(t, "file:///srv/repository")))
}

func TestRedirectCannotPointAtThisMachine(t *testing.T) {
	t.Parallel()
	victim := newSite(t, "")
	s := newSite(t, victim.URL+"/x")
	refusesLocal(t, s.engine, "http://repository.example/go", ReachOf(parsed(t, "http://repository.example")))
	if n := victim.asked.Load(); n != 0 {
		t.Errorf("the local server was asked %d times", n)
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("expected the repository to be asked once, found %d", n)
	}
	reaches(t, s.engine, s.URL+"/go", ReachOf(parsed(t, s.URL))) // from this machine to this machine
	same := newSite(t, "/x")
	reaches(t, same.engine, "http://tunnel.example/go", ReachOf(parsed(t, "http://tunnel.example")))
}

// A proxy may itself be on this machine, and resolves names on its own; what is
// plainly local does not even reach it.
func TestLocalAddressThroughAProxy(t *testing.T) {
	t.Parallel()
	proxy := newSite(t, "")
	e := New(Options{Proxy: http.ProxyURL(parsed(t, proxy.URL))})
	refusesLocal(t, e, "http://169.254.169.254/x", Reach{})
	if n := proxy.asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
	reaches(t, e, "http://elsewhere.example/x", Reach{})
}
