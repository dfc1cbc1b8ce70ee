package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/mirror"
	"assay/mirror/counters"
)

// A mirror is what is steered.
var _ Mirror = (*mirror.Mirror)(nil)

// fake is a mirror of one repository, acme.
type fake struct {
	mu     sync.Mutex
	calls  []string
	notes  []string
	ready  error
	failed error         // of a run
	begun  chan struct{} // if it is set, a run never ends
}

func (f *fake) call(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fake) note(_ context.Context, action, detail string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, action+": "+detail)
}

func (f *fake) known(repository string) error {
	if repository != "acme" {
		return fmt.Errorf("%s: %w", repository, mirror.ErrNoRepository)
	}
	return nil
}

var moment = time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)

func (f *fake) Statuses() []mirror.Status {
	return []mirror.Status{{Schema: mirror.StatusSchema, Repository: "acme", Mode: mirror.Full, State: mirror.Fresh, Generation: 3, Published: moment}}
}

func (f *fake) Sync(ctx context.Context, repository string) (mirror.Run, error) {
	if err := f.known(repository); err != nil {
		return mirror.Run{}, err
	}
	f.call("sync %s", repository)
	if f.begun != nil {
		close(f.begun)
		<-ctx.Done()
		f.call("left")
		return mirror.Run{}, ctx.Err()
	}
	run := mirror.Run{Repository: repository, Outcome: mirror.Done, Changed: true, Generation: 4, Bytes: 5}
	if f.failed != nil {
		run.Outcome, run.Reason, run.Err = mirror.Failed, f.failed.Error(), f.failed
	}
	return run, nil
}

func (f *fake) Plan(_ context.Context, repository string) (mirror.Plan, error) {
	return mirror.Plan{Repository: repository, Mode: mirror.Lazy, Targets: 7, Free: -1, Fetch: []mirror.PlanGroup{{Product: "hello", Bytes: 9}}}, f.known(repository)
}

func (f *fake) Quarantine(repository string) ([]mirror.Quarantined, error) {
	if repository == "" {
		return nil, nil
	}
	digest, err := artifact.ParseDigest("sha256:" + strings.Repeat("ab", 32))
	return []mirror.Quarantined{{Repository: repository, Path: "a/b", Digest: digest, Reason: "wrong", Since: moment}}, errors.Join(err, f.known(repository))
}

func (f *fake) Cancel(repository string) (bool, error) {
	f.call("cancel %s", repository)
	return true, f.known(repository)
}

func (f *fake) Release(_ context.Context, repository, path string) error {
	f.call("release %s %s", repository, path)
	return f.known(repository)
}

func (f *fake) Hold(_ context.Context, repository, path, reason string) error {
	f.call("hold %s %s %s", repository, path, reason)
	return f.known(repository)
}

func (f *fake) Storage(context.Context) (mirror.StorageStatus, error) {
	return mirror.StorageStatus{Quota: 5, Used: 4, Objects: 3, Free: -1, Scrub: mirror.Scrub{Ended: moment, Checked: 2, Damaged: 1}}, nil
}

func (f *fake) ScrubNow(_ context.Context, rate int64) (int, error) {
	f.call("scrub at %d", rate)
	return 1, f.failed
}

func (f *fake) Ready() error { return f.ready }

// start serves a mirror at an address until the test ends.
func start(t *testing.T, config Config, address string) (where string, stop func() error) {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	if where = address; !strings.HasPrefix(address, unixPrefix) {
		where = listener.Addr().String()
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return where, stop
}

func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "admin") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "run", "s")
}

func client(t *testing.T, address, tokenFile string) *Client {
	t.Helper()
	c, err := NewClient(address, tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientAndServer(t *testing.T) {
	f, reloaded := &fake{}, 0
	set := &counters.Set{}
	set.Counter("assay_mirror_syncs_total", "outcome", "done").Add(2)
	address, _ := start(t, Config{
		Mirror: f, Counters: set, Note: f.note, Code: func(error) int { return 13 },
		Reload: func(context.Context) error { reloaded++; return nil },
	}, unixPrefix+socket(t))
	c, ctx := client(t, address, ""), t.Context()

	if found, err := c.Statuses(ctx); err != nil || !reflect.DeepEqual(found, f.Statuses()) {
		t.Errorf("statuses: found %+v, %v", found, err)
	}
	want, err := f.Storage(ctx)
	if found, failed := c.Storage(ctx); err != nil || failed != nil || found != want {
		t.Errorf("storage: expected %+v, found %+v, %v", want, found, failed)
	}
	plan, err := f.Plan(ctx, "acme")
	if found, failed := c.Plan(ctx, "acme"); err != nil || failed != nil || !reflect.DeepEqual(found, plan) {
		t.Errorf("plan: expected %+v, found %+v, %v", plan, found, failed)
	}
	if run, err := c.Sync(ctx, "acme"); err != nil || run.Err != nil || run.Generation != 4 {
		t.Errorf("sync: found %+v, %v", run, err)
	}
	list, err := f.Quarantine("acme")
	if found, failed := c.Quarantine(ctx, "acme"); err != nil || failed != nil || !slices.Equal(found, list) {
		t.Errorf("quarantine: expected %+v, found %+v, %v", list, found, failed)
	}
	if found, err := c.Quarantine(ctx, ""); err != nil || len(found) != 0 {
		t.Errorf("quarantine of all: found %+v, %v", found, err)
	}
	if err := errors.Join(c.Release(ctx, "acme", "a/b", "alice"), c.Hold(ctx, "acme", "c", "looks odd", ""), c.Reload(ctx), c.Ready(ctx)); err != nil || reloaded != 1 {
		t.Errorf("found %v, %d reloads", err, reloaded)
	}
	if found, err := c.Cancel(ctx, "acme"); err != nil || !found {
		t.Errorf("cancel: found %v, %v", found, err)
	}
	if damaged, scrub, err := c.Scrub(ctx); err != nil || damaged != 1 || scrub != want.Scrub {
		t.Errorf("scrub: found %d, %+v, %v", damaged, scrub, err)
	}
	if found, err := c.Counters(ctx); err != nil || !reflect.DeepEqual(found, set.Samples()) {
		t.Errorf("counters: found %+v, %v", found, err)
	}

	who := peerName(t)
	if want := []string{"sync acme", "release acme a/b", "hold acme c looks odd", "cancel acme", "scrub at 0"}; !slices.Equal(f.calls, want) {
		t.Errorf("expected the calls %q, found %q", want, f.calls)
	}
	if want := []string{
		"mirror.sync: acme, asked by " + who, "mirror.release: acme: a/b, asked by alice, " + who,
		"mirror.hold: acme: c, asked by " + who + ": looks odd", "mirror.reload: asked by " + who, "mirror.cancel: acme, asked by " + who, "mirror.scrub: asked by " + who,
	}; !slices.Equal(f.notes, want) {
		t.Errorf("expected the notes %q, found %q", want, f.notes)
	}
}

// peerName is how this process is called at the other end of a socket.
func peerName(t *testing.T) string {
	t.Helper()
	mine, theirs := net.Pipe()
	defer mine.Close()
	defer theirs.Close()
	if peerOf(mine) != "somebody" {
		return peerOf(mine)
	}
	return fmt.Sprintf("user %d", os.Getuid())
}

// What fails keeps its identity, and its exit code.
func TestErrorsTravel(t *testing.T) {
	f := &fake{ready: mirror.ErrNotReady, failed: errors.New("a signature is wrong")}
	address, _ := start(t, Config{Mirror: f, Note: f.note, Code: func(error) int { return 14 }}, unixPrefix+socket(t))
	c, ctx := client(t, address, ""), t.Context()

	_, err := c.Plan(ctx, "other")
	var remote *RemoteError
	if !errors.Is(err, mirror.ErrNoRepository) || !errors.As(err, &remote) || remote.Code != 14 || err.Error() != "other: no such repository" {
		t.Errorf("plan: expected %v, found %v", mirror.ErrNoRepository, err)
	}
	if _, err := c.Sync(ctx, "other"); !errors.Is(err, mirror.ErrNoRepository) {
		t.Errorf("sync: expected %v, found %v", mirror.ErrNoRepository, err)
	}
	if _, err := c.Sync(ctx, "No Such"); !errors.Is(err, ErrRequest) {
		t.Errorf("sync: expected %v, found %v", ErrRequest, err)
	}
	if run, err := c.Sync(ctx, "acme"); err != nil || run.Outcome != mirror.Failed || !errors.As(run.Err, &remote) || remote.Code != 14 || remote.Message != "a signature is wrong" {
		t.Errorf("sync: expected a run that failed, found %+v, %v", run, err)
	}
	if err := c.Ready(ctx); !errors.Is(err, mirror.ErrNotReady) {
		t.Errorf("ready: expected %v, found %v", mirror.ErrNotReady, err)
	}
	if err := c.Hold(ctx, "acme", "x", "", ""); !errors.Is(err, ErrRequest) {
		t.Errorf("hold without a reason: expected %v, found %v", ErrRequest, err)
	}
	if err := c.Reload(ctx); !errors.Is(err, ErrRequest) {
		t.Errorf("reload: expected %v, found %v", ErrRequest, err)
	}
	if err := c.Release(ctx, "other", "x", ""); !errors.Is(err, mirror.ErrNoRepository) {
		t.Errorf("release: expected %v, found %v", mirror.ErrNoRepository, err)
	}
	if last := f.notes[len(f.notes)-1]; !strings.HasPrefix(last, "mirror.release: other: x") || !strings.HasSuffix(last, ": failed: other: no such repository") {
		t.Errorf("expected a note of the failure, found %q", f.notes)
	}
}

func TestHungUp(t *testing.T) {
	f := &fake{begun: make(chan struct{})}
	address, stop := start(t, Config{Mirror: f, Note: f.note}, unixPrefix+socket(t))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-f.begun; cancel() }()
	if _, err := client(t, address, "").Sync(ctx, "acme"); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	if err := stop(); err != nil { // it waits for the handler
		t.Error(err)
	}
	if want := []string{"sync acme", "left"}; !slices.Equal(f.calls, want) {
		t.Errorf("expected %q, found %q", want, f.calls)
	}
}

func TestStopEndsRequests(t *testing.T) {
	f := &fake{begun: make(chan struct{})}
	address, stop := start(t, Config{Mirror: f, Note: f.note}, unixPrefix+socket(t))
	answers := make(chan error, 1)
	go func() {
		run, err := client(t, address, "").Sync(t.Context(), "acme")
		answers <- errors.Join(err, run.Err)
	}()
	<-f.begun
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := <-answers; !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
}

// What a page of another site can have a browser ask, and other nonsense.
func TestRequestsRefused(t *testing.T) {
	f := &fake{}
	server, err := New(Config{Mirror: f, Note: f.note, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	const hold, rebound = "/v1/quarantine/acme/hold", "/v1/storage"
	for _, test := range []struct {
		method, path, kind, origin, body string
		status                           int
		says                             string
	}{
		{"POST", hold, "text/plain", "", `{"path":"x","reason":"y"}`, 400, "expected Content-Type: application/json"},
		{"POST", hold, "", "", `{"path":"x","reason":"y"}`, 400, "expected Content-Type: application/json"},
		{"POST", hold, "application/json", "https://evil.example", `{"path":"x","reason":"y"}`, 400, "another origin"},
		{"POST", hold, "application/json", "null", `{"path":"x","reason":"y"}`, 400, "another origin"},
		{"GET", "/v1/status", "", "https://evil.example", "", 400, "another origin"},
		{"POST", hold, "application/json", "", `{"path":"x","reason":"y","path":"z"}`, 400, "not a request"},
		{"POST", hold, "application/json", "", `{"path":"x","reason":"y","more":"z"}`, 400, "unknown field"},
		{"POST", hold, "application/json", "", `{"path":"x","reason":7}`, 400, "not a request"},
		{"POST", hold, "application/json", "", `{"reason":"y"}`, 400, "expected a path, found none"},
		{"POST", hold, "application/json", "", `{"path":"x\u0000","reason":"y"}`, 400, "path: expected at most 4096 bytes without control characters"},
		{"POST", hold, "application/json", "", `{"path":"x","reason":"` + strings.Repeat("y", maxReason+1) + `"}`, 400, "reason: expected at most 1000 bytes"},
		{"POST", hold, "application/json", "", `{"path":"` + strings.Repeat("y", maxBody) + `"}`, 400, "not a request"},
		{"GET", rebound, "", "http://rebound.example:9090", "", 400, "expected the host localhost"},
		{"POST", "/v1/quarantine/%2e%2e/hold", "application/json", "", `{"path":"x","reason":"y"}`, 400, "not a request"},
		{"GET", "/v1/sync/acme", "", "", "", 400, `there is no GET \"/v1/sync/acme\"`},
		{"POST", "/v1/nothing", "application/json", "", "", 400, "there is no POST"},
		{"POST", hold, "application/json; charset=utf-8", "http://mirror", `{"path":"x","reason":"y"}`, 200, `{"ok":true}`},
	} {
		request := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		request.Host = "mirror"
		if test.path == rebound {
			request.Host = "rebound.example:9090"
		}
		request.Header.Set("Content-Type", test.kind)
		if test.origin != "" {
			request.Header.Set("Origin", test.origin)
		}
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, request)
		if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.says) {
			t.Errorf("%s %s %s %.60q: expected %d, %q, found %d, %q", test.method, test.path, test.kind, test.body, test.status, test.says, answer.Code, answer.Body)
		}
		if test.status != 200 && len(f.calls)+len(f.notes) > 0 {
			t.Fatalf("%s %s: was done all the same: %q, %q", test.method, test.path, f.calls, f.notes)
		}
	}
}

func TestProfiles(t *testing.T) {
	address, _ := start(t, Config{Mirror: &fake{}}, unixPrefix+socket(t))
	response, err := client(t, address, "").http.Get("http://mirror/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(text), "goroutine profile") {
		t.Errorf("found %d, %.80q, %v", response.StatusCode, text, err)
	}
}
