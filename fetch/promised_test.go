package fetch_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/artifact"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// distant is a mirror that answers as https://example.com, by way of a proxy, as
// what lies on this machine is refused to a mirrors.json.
type distant struct {
	server *httptest.Server
	asked  atomic.Int64
}

// newDistant serves the repository of f as https://example.com/r/acme, and has f
// ask by way of a proxy that leads there.
func newDistant(t *testing.T, f *fleet) *distant {
	t.Helper()
	d := &distant{}
	files := http.StripPrefix("/r/acme", f.repo.Handler())
	d.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		d.asked.Add(1)
		files.ServeHTTP(w, q)
	}))
	t.Cleanup(d.server.Close)
	proxy := httptest.NewServer(http.HandlerFunc(d.connect))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	must(t, err)
	f.engine.RootCAs = x509.NewCertPool()
	f.engine.RootCAs.AddCert(d.server.Certificate())
	f.engine.Proxy = func(q *http.Request) (*url.URL, error) {
		if q.URL.Hostname() == "example.com" {
			return at, nil
		}
		return nil, nil
	}
	return d
}

// connect joins a client with the server, whatever host it asks for.
func (d *distant) connect(w http.ResponseWriter, q *http.Request) {
	up, err := net.Dial("tcp", d.server.Listener.Addr().String())
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer up.Close()
	down, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		io.Copy(up, down)
		up.Close()
	}()
	io.Copy(down, up)
}

// names has the repository promise a mirrors.json.
func (f *fleet) names(text string) {
	f.t.Helper()
	must(f.t, f.repo.AddTarget("mirrors.json", []byte(text)))
	must(f.t, f.repo.Publish())
}

const namesDistant = `{"schema": "assay.mirrors/v1", "mirrors": [{"url": "https://example.com/r/acme/", "region": "eu-west"}]}`

func TestMirrorsJSON(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 0)
	d := newDistant(t, f)
	f.names(namesDistant)
	f.gets("hello")
	f.quiet()
	if n := bytesAsked(f.server); n != 1 {
		t.Errorf("expected mirrors.json alone from the origin, found %v", f.server.Requests())
	}
	if d.asked.Load() == 0 {
		t.Error("the mirror was not asked")
	}
	// Once it is held, it costs no request.
	f.gets("hello")
	if n := len(f.server.Requests()); n != 2 {
		t.Errorf("expected two requests, found %v", f.server.Requests())
	}
	// Where all else is silent, the mirrors of before are asked how new they are.
	f.hurry()
	f.server.Silent()
	must(t, f.repo.SetStatus("hello", "stable", "1.5.0", "revoked", "by a test", ""))
	must(t, f.repo.Publish())
	f.knowsRevoked("hello@1.5.0")
	// Grace does not come before them.
	f.grace, f.now = 48*time.Hour, f.now.Add(30*time.Hour)
	must(t, f.repo.Renew())
	must(t, f.repo.Publish())
	view, err := f.run().View(t.Context(), "acme")
	must(t, err)
	if view.Freshness() != trust.Fresh {
		t.Errorf("expected the mirror to be asked before grace is used, found %s", view.Freshness())
	}
	f.offline = true
	must(t, f.view())
	if list := f.source.Report(); len(list) != 2 || list[0].Origin != "mirrors.json" || !strings.Contains(list[0].Why, "named by the repository, in the region eu-west") {
		t.Errorf("offline: expected the mirror to be told of, found %+v", list)
	}
}

// knowsRevoked expects the revocation to be known.
func (f *fleet) knowsRevoked(ref string) {
	f.t.Helper()
	if _, err := f.run().Get(f.t.Context(), request(f.t, ref)); err == nil || !strings.Contains(err.Error(), "revoked") {
		f.t.Errorf("get %s: expected it to be revoked, found %v", ref, err)
	}
}

func (f *fleet) view() error {
	_, err := f.run().View(f.t.Context(), "acme")
	return err
}

// A repository must not be able to send requests to this machine, or to its link,
// nor in the clear; what it says otherwise is told, and nothing fails.
func TestMirrorsJSONThatPointsAtThisMachine(t *testing.T) {
	t.Parallel()
	victim := newBench(t, testrepo.Options{})
	port := victim.server.URL[strings.LastIndexByte(victim.server.URL, ':'):]
	for _, base := range []string{
		"https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://169.254.169.254/latest", "https://127.1" + port,
		"https://[::ffff:127.0.0.1]" + port, "http://mirror.example", "file:///etc", "https://ann:hunter2@mirror.example",
	} {
		f := newFleet(t, 0)
		f.names(fmt.Sprintf(`{"schema": "assay.mirrors/v1", "mirrors": [{"url": %q}]}`, base))
		f.gets("hello")
		if text := strings.Join(f.said, "\n"); !strings.Contains(text, "acme: the mirrors that it names are not used: mirrors.json") || strings.Contains(text, "hunter2") {
			t.Errorf("%s: found the warnings %q", base, text)
		}
		if list := f.source.Report(); len(list) != 1 {
			t.Errorf("%s: found the mirrors %+v", base, list)
		}
	}
	if asked := victim.server.Requests(); len(asked) > 0 {
		t.Errorf("requests came through: %v", asked)
	}
	// A name that leads here is refused by the dialler.
	f := newFleet(t, 0)
	f.names(`{"schema": "assay.mirrors/v1", "mirrors": [{"url": "https://example.com/"}]}`)
	must(t, f.view())
	for _, r := range f.source.Report() {
		if !r.Own {
			checkUnreachable(t, f, r.URL)
		}
	}
}

// checkUnreachable expects that a place of the mirror may not lead to this machine.
func checkUnreachable(t *testing.T, f *fleet, base string) {
	t.Helper()
	client := f.run()
	selection, err := client.SelectTarget(t.Context(), "acme", "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz")
	must(t, err)
	places, err := f.source.Places(t.Context(), selection.Target)
	must(t, err)
	for _, p := range places {
		if strings.HasPrefix(p.URL.String(), base) && p.Reach != (wire.Reach{}) {
			t.Errorf("%s may reach %+v", p.URL, p.Reach)
		}
	}
}

func TestMirrorsJSONThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	// Another program's is passed over, silently.
	f := newFleet(t, 0)
	f.names(`{"mirrors": "elsewhere"}`)
	f.gets("hello")
	f.quiet()
	// One that a delegated role lists does not count.
	f = newFleet(t, 0)
	must(t, f.repo.Delegate("targets", testrepo.DelegatedRole{Name: "more", Paths: []string{"mirrors.json"}}))
	must(t, f.repo.AddTarget("mirrors.json", []byte(namesDistant), "more"))
	must(t, f.repo.Publish())
	f.gets("hello")
	f.quiet()
	if list := f.source.Report(); len(list) != 1 {
		t.Errorf("found the mirrors %+v", list)
	}
	// With mirrors_only it is not looked at, nor are artifacts elsewhere.
	f = newFleet(t, 1)
	f.only = true
	f.names(namesDistant)
	f.gets("hello")
	if list := f.source.Report(); len(list) != 2 {
		t.Errorf("mirrors_only: found %+v", list)
	}
	for _, path := range f.mirrors[0].Requests() {
		if strings.Contains(path, "mirrors.json") {
			t.Errorf("mirrors_only: mirrors.json was asked for")
		}
	}
	windows := request(t, "ferry")
	windows.Platform.OS = "windows"
	if _, err := f.run().Get(t.Context(), windows); err == nil || !strings.Contains(err.Error(), "mirrors_only keeps to the configured mirrors") {
		t.Errorf("an artifact elsewhere: found %v", err)
	}
	if asked := f.server.Requests(); len(asked) > 0 {
		t.Errorf("the origin was asked: %v", asked)
	}
	// One that can't be had is told of.
	f = newFleet(t, 0)
	f.names(namesDistant)
	f.server.Status("mirrors.json", 404)
	f.gets("hello")
	if text := strings.Join(f.said, "\n"); !strings.Contains(text, "the mirrors that it names are not used: mirrors.json is promised by acme, but no source has it") {
		t.Errorf("found the warnings %q", text)
	}
}

// The root that trust begins with comes from a mirror, too, and by its digest.
func TestRootFromAMirror(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.only = true
	f.mirrors[0].Replace("1.root.json", []byte("{}"))
	f.run()
	raw, err := f.source.ReadRoot(t.Context(), 1, artifact.DigestOf(artifact.SHA256, f.repo.Root()))
	if err != nil || string(raw) != string(f.repo.Root()) {
		t.Errorf("expected the root from the other mirror, found %v", err)
	}
	f.warned(0)
	f.run()
	f.mirrors[1].Replace("1.root.json", []byte("{}"))
	f.forget()
	f.run()
	if _, err := f.source.ReadRoot(t.Context(), 1, artifact.DigestOf(artifact.SHA256, f.repo.Root())); err == nil || !strings.Contains(err.Error(), "from the mirror") {
		t.Errorf("found %v", err)
	}
	if raw, err := f.source.ReadMetadata(t.Context(), "timestamp.json", 1<<14); err != nil || len(raw) == 0 {
		t.Errorf("ReadMetadata: %v", err)
	}
}

// A mirror that lies otherwise than its repository, or carries targets alone.
func TestLayoutOfAMirror(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.mirrors[1].Status(".json$", 404) // no metadata, and no documents
	moved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		rest, ok := strings.CutPrefix(q.URL.Path, "/metadata")
		if !ok && !strings.HasPrefix(q.URL.Path, "/targets/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		q.URL.Path = rest
		f.repo.Handler().ServeHTTP(w, q)
	}))
	t.Cleanup(moved.Close)
	f.only = true
	own := f.mirrors[0].URL
	f.mirrors[0].URL = moved.URL
	f.gets("hello")
	f.mirrors[0].URL = own
	if layout := f.memory.Record(moved.URL).Layout; layout != "metadata" {
		t.Errorf("expected the layout to be remembered, found %q", layout)
	}
	asked := 0
	for _, path := range f.mirrors[1].Requests() {
		if strings.HasSuffix(path, "timestamp.json") {
			asked++
		}
	}
	if asked != 2 || f.report(1).Out != nil {
		t.Errorf("the mirror without metadata: expected it to be looked for in two places once, found %v, %v", f.mirrors[1].Requests(), f.report(1).Out)
	}
}
