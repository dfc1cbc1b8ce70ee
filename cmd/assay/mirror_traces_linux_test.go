package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"assay/internal/testrepo"
)

// traced are the spans that a collector has got.
type traced struct {
	mu   sync.Mutex
	all  []*spans.Span
	text bytes.Buffer // all that came, as it came
}

func (c *traced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	request := &collector.ExportTraceServiceRequest{}
	if err == nil {
		err = proto.Unmarshal(body, request)
	}
	if err != nil || r.Header.Get("X-Key") != "k" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(body)
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			c.all = append(c.all, scope.GetSpans()...)
		}
	}
}

// below reports whether a chain of spans is there, each the parent of the next.
func (c *traced) below(names ...string) bool {
	var find func(parent []byte, rest []string) bool
	find = func(parent []byte, rest []string) bool {
		if len(rest) == 0 {
			return true
		}
		for _, span := range c.all {
			if span.GetName() == rest[0] && bytes.Equal(span.GetParentSpanId(), parent) && find(span.GetSpanId(), rest[1:]) {
				return true
			}
		}
		return false
	}
	return find(nil, names)
}

// TestTraces shows the steps of a daemon at work, as a collector gets them.
func TestTraces(t *testing.T) {
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	got := &traced{}
	there := httptest.NewServer(got)
	defer there.Close()
	file := mirrorConfigOf(t, "listen = [\"127.0.0.1:0\"]\notlp_endpoint = \""+there.URL+"\"\n[mirror.upstreams.acme]\nmode = \"lazy\"\n"+
		"[repositories.acme]\nurl = \""+server.URL+"\"\nroot_sha256 = \""+repo.RootSHA256()+"\"\n")
	c, says, log := startUnit(t, file, []string{"OTEL_EXPORTER_OTLP_HEADERS=x-key=k"})
	line, err := says.ReadString('\n')
	if err != nil {
		t.Fatalf("expected it to listen, found %v\n%s", err, log)
	}
	log.waitFor(`"msg":"sync","repository":"acme","outcome":"done"`)
	base, _, _ := strings.Cut(strings.TrimPrefix(line, "listening on "), "REPO/")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"acme/targets/hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz?hunter2", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	request.Header.Set("Authorization", "Bearer hunter3")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("expected the target, found %s\n%s", answer.Status, log)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // by the signal
	got.mu.Lock()
	defer got.mu.Unlock()
	for _, chain := range [][]string{
		{"request", "lookup"},
		{"request", "open", "fetch", "verify", "upstream"},
		{"request", "open", "fetch", "commit"},
		{"sync", "refresh", "upstream"},
		{"sync", "fetch", "verify"},
		{"sync", "publish"},
	} {
		if !got.below(chain...) {
			t.Errorf("expected the spans %v below each other, found none among %d", chain, len(got.all))
		}
	}
	for _, secret := range []string{"hunter2", "hunter3", "0af7651916cd43dd8448eb211c80319c"} {
		if strings.Contains(got.text.String(), secret) {
			t.Errorf("expected no word of %q, found it in a span", secret)
		}
	}
}
