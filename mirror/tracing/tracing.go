// Package tracing tells a collector what a mirror did, and how long each step took, as
// OpenTelemetry spans by OTLP over HTTP. It is the only user of that library.
//
// The spans, below each other:
//
//	request ─► lookup, open ─► fetch ─► verify ─► upstream
//	                                 └► commit
//	sync ─► refresh ─► upstream
//	    ├─► fetch, as above
//	    └─► publish
//
// Parties: the collector, which the operator names in the configuration. It gets
// routes, paths of targets, hosts and errors; no header of a client, no token, no
// query. What it answers is not read but for whether it took the spans. Nothing of a
// client's request decides about a trace: a traceparent is not looked at.
//
// A nil Tracer, and the nil Span that it gives, do nothing and allocate nothing. A
// collector that hangs or is gone costs spans and a line in the log, never a request:
// at most some thousands wait.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// maxText bounds the text of an attribute or an error, in bytes.
const maxText = 1024

// Config says where spans go. Endpoint is required.
type Config struct {
	// Endpoint is the collector's base URL, http or https: spans go to v1/traces below it.
	Endpoint string
	Version  string       // of this program
	Log      *slog.Logger // is told of spans that were lost; nil: nobody
}

// Tracer makes spans. It is safe for several goroutines.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Span is a step under way. It is for one goroutine.
type Span struct{ span trace.Span }

// New makes a tracer. It asks nothing yet. The variables OTEL_* of the environment say
// the rest: headers and certificates for the collector, the share that is sampled, the
// size of batches; but not where it is.
func New(ctx context.Context, c Config) (*Tracer, error) {
	place, err := url.Parse(strings.TrimSuffix(c.Endpoint, "/") + "/v1/traces")
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(place.String()), otlptracehttp.WithProxy(proxyTo(place)))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	// What stands behind the others wins, so that OTEL_SERVICE_NAME does.
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "assay-mirror"), attribute.String("service.version", c.Version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	// The library has one place for errors of the whole process, which would go to
	// stderr as they are.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("spans were lost", "error", clip(err.Error()))
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return &Tracer{provider, provider.Tracer("assay/mirror")}, nil
}

// errElsewhere: the collector leads to another place.
var errElsewhere = errors.New("the collector redirects to another place, which the configuration does not name")

// proxyTo finds the proxy of the environment for what goes to the collector, and
// refuses all else: the library follows redirects, and would take the headers along,
// with the collector's token, to wherever they lead. It is asked before each request.
func proxyTo(place *url.URL) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != place.Scheme || r.URL.Host != place.Host {
			return nil, errElsewhere
		}
		return http.ProxyFromEnvironment(r)
	}
}

// Close sends what waits, for as long as ctx lets it.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Start begins a step below that of ctx.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, &Span{span}
}

// Past notes a step below that of ctx that is over. More may be said of it before End.
func (t *Tracer) Past(ctx context.Context, name string, began time.Time) *Span {
	if t == nil {
		return nil
	}
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(began))
	return &Span{span}
}

// Join gives ctx the step of another, for what goes on without whoever asked for it.
func (t *Tracer) Join(ctx, other context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, trace.SpanFromContext(other))
}

// Text says something of the step; a long text is cut.
func (s *Span) Text(key, value string) {
	if s != nil {
		s.span.SetAttributes(attribute.String(key, clip(value)))
	}
}

// Number says a number of the step.
func (s *Span) Number(key string, value int64) {
	if s != nil {
		s.span.SetAttributes(attribute.Int64(key, value))
	}
}

// End ends the step; an error says that it failed.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, clip(err.Error()))
	}
	s.span.End()
}

// clip keeps a text within its bound, and is valid UTF-8, as protobuf wants it.
func clip(text string) string {
	if len(text) > maxText {
		text = text[:maxText] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
