package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"assay/mirror/tracing"
)

// collect is a collector: it keeps the spans that come, by name.
func collect(t *testing.T, status int) (url string, found func() map[string]*spans.Span) {
	t.Helper()
	var mu sync.Mutex
	all := map[string]*spans.Span{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		request := &collector.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(body, request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: expected spans at /v1/traces, found %v", r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					all[span.GetName()] = span
				}
			}
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() map[string]*spans.Span {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestSpansReachTheCollector(t *testing.T) {
	url, found := collect(t, http.StatusOK)
	tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	ctx, request := tracer.Start(t.Context(), "request")
	life := tracer.Join(context.Background(), ctx)
	inner, fetch := tracer.Start(life, "fetch")
	fetch.Text("target", strings.Repeat("é", 1024))
	fetch.Number("bytes", 7)
	began := time.Now().Add(-time.Minute)
	tracer.Past(inner, "upstream", began).End(nil)
	fetch.End(errors.New("broken \xff"))
	request.End(nil)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := found()
	for child, parent := range map[string]string{"fetch": "request", "upstream": "fetch"} {
		if all[child] == nil || all[parent] == nil || !bytes.Equal(all[child].GetParentSpanId(), all[parent].GetSpanId()) {
			t.Fatalf("expected %s below %s, found %v", child, parent, all)
		}
	}
	if status := all["fetch"].GetStatus(); status.GetCode() != spans.Status_STATUS_CODE_ERROR || status.GetMessage() != "broken \uFFFD" {
		t.Errorf("the one that failed: expected its error, found %v", status)
	}
	if text := all["fetch"].GetAttributes()[0].GetValue().GetStringValue(); len(text) > 1100 {
		t.Errorf("a long text: expected it to be cut, found %d bytes", len(text))
	}
	if at := int64(all["upstream"].GetStartTimeUnixNano()); at != began.UnixNano() {
		t.Errorf("what is over: expected it to begin at %d, found %d", began.UnixNano(), at)
	}
}

// TestEnvironmentDoesNotSayWhere shows that spans go where the configuration says.
func TestEnvironmentDoesNotSayWhere(t *testing.T) {
	other, strays := collect(t, http.StatusOK)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", other)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", other)
	url, found := collect(t, http.StatusOK)
	tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "request")
	span.End(nil)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(found()) != 1 || len(strays()) != 0 {
		t.Errorf("expected the span at the configured place alone, found %d there and %d elsewhere", len(found()), len(strays()))
	}
}

// TestCollectorLeadsNowhere shows that a collector that redirects gets neither spans nor
// headers sent to another place.
func TestCollectorLeadsNowhere(t *testing.T) {
	var strays atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strays.Add(1) }))
	defer other.Close()
	for _, code := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		collector := httptest.NewServer(http.RedirectHandler(other.URL+"/v1/traces", code))
		defer collector.Close()
		var log bytes.Buffer
		tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: collector.URL, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		_, span := tracer.Start(t.Context(), "request")
		span.End(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err = tracer.Close(ctx)
		cancel()
		if text := fmt.Sprint(err) + log.String(); !strings.Contains(text, "redirects to another place") || strays.Load() != 0 {
			t.Errorf("%d: expected it to be refused, found %d requests elsewhere, and %s", code, strays.Load(), text)
		}
	}
}

func TestLostSpansAreLogged(t *testing.T) {
	url, _ := collect(t, http.StatusForbidden)
	var log bytes.Buffer
	tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: url, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "request")
	span.End(nil)
	err = tracer.Close(t.Context())
	if text := log.String(); err == nil && !strings.Contains(text, "spans were lost") {
		t.Errorf("expected the loss to be told, found %v and %q", err, text)
	}
}

func TestNilCostsNothing(t *testing.T) {
	var tracer *tracing.Tracer
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		inner, span := tracer.Start(ctx, "request")
		span.Text("a", "b")
		span.Number("c", 1)
		tracer.Past(inner, "upstream", time.Time{}).End(nil)
		tracer.Join(ctx, inner)
		span.End(nil)
	}); n != 0 {
		t.Errorf("expected no allocation, found %v", n)
	}
	if err := tracer.Close(ctx); err != nil {
		t.Error(err)
	}
}
