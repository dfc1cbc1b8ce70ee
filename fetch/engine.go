package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"assay/trust"
)

// EngineOptions set the bounds of one Engine. Zero fields take the default that
// their comment names.
type EngineOptions struct {
	UserAgent string        // "assay"
	Connect   time.Duration // 10 s: to connect, and again for TLS
	Answer    time.Duration // 30 s: from the request to the head of the answer
	Idle      time.Duration // 30 s: without a byte, then a transfer is given up
	Document  time.Duration // 60 s: for a whole small document, metadata for one
	Redirects int           // 10
}

func (o EngineOptions) withDefaults() EngineOptions {
	if o.UserAgent == "" {
		o.UserAgent = "assay"
	}
	for _, d := range []struct {
		field    *time.Duration
		fallback time.Duration
	}{
		{&o.Connect, 10 * time.Second}, {&o.Answer, 30 * time.Second},
		{&o.Idle, 30 * time.Second}, {&o.Document, 60 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.fallback
		}
	}
	if o.Redirects <= 0 {
		o.Redirects = 10
	}
	return o
}

// Engine moves bytes from http, https and file URLs. It verifies nothing: that
// is for those who read from it. It is safe for several goroutines.
type Engine struct {
	options EngineOptions
	client  *http.Client
}

// NewEngine makes an engine with a transport of its own, so that nothing it
// sets reaches http.DefaultClient.
func NewEngine(options EngineOptions) *Engine {
	options = options.withDefaults()
	dialer := &net.Dialer{Timeout: options.Connect}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   options.Connect,
		ResponseHeaderTimeout: options.Answer,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		// Promised lengths and digests are those of the bytes as they lie on
		// the server: nobody may pack or unpack them on the way.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &Engine{options: options, client: &http.Client{
		Transport:     transport,
		CheckRedirect: redirectRule(options.Redirects),
	}}
}

// redirectRule bounds redirects and never lets one leave TLS.
func redirectRule(limit int) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if len(via) > limit {
			return fmt.Errorf("expected at most %d redirects, found more", limit)
		}
		from := via[len(via)-1].URL
		if from.Scheme == "https" && next.URL.Scheme != "https" {
			return fmt.Errorf("expected a redirect that keeps https, found one to %s", next.URL.Redacted())
		}
		return nil
	}
}

// answer is an opened file at a source.
type answer struct {
	body        io.ReadCloser
	length      int64 // -1: not announced
	contentType string
	url         string // without credentials
	proxy       string
}

// open begins to read a URL. Closing the body frees what it holds. An answer
// "there is none" (404, 403, 410, no such file) is fs.ErrNotExist.
func (e *Engine) open(ctx context.Context, raw string) (*answer, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &SourceError{URL: "URL", Detail: "expected a URL", Err: errors.Unwrap(err)}
	}
	switch u.Scheme {
	case "http", "https":
		return e.openHTTP(ctx, u)
	case "file":
		return openFile(u)
	default:
		return nil, &SourceError{URL: u.Redacted(), Detail: fmt.Sprintf("expected http, https or file, found %q", u.Scheme)}
	}
}

func (e *Engine) openHTTP(ctx context.Context, u *url.URL) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, &SourceError{URL: u.Redacted(), Detail: "cannot ask", Err: err}
	}
	request.Header.Set("User-Agent", e.options.UserAgent)
	// Not even "deflate, if you must": what is not announced is not unpacked.
	request.Header.Set("Accept-Encoding", "identity")
	a := &answer{url: u.Redacted(), proxy: proxyOf(request)}
	response, err := e.client.Do(request)
	if err != nil {
		err = a.failed(ctx, err)
		cancel(nil)
		return nil, err
	}
	a.length = response.ContentLength
	a.contentType = response.Header.Get("Content-Type")
	a.body = newIdleBody(ctx, cancel, response.Body, e.options.Idle)
	if err := a.checkHead(response); err != nil {
		a.body.Close()
		return nil, err
	}
	return a, nil
}

// proxyOf names the proxy that a request goes through, without its password.
func proxyOf(request *http.Request) string {
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.Scheme + "://" + proxy.Host
}

// failed explains why there was no answer. Where it was the caller who gave up,
// that is the error; where nothing answered, it is trust.ErrNoAnswer, too.
func (a *answer) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errIdle) {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // its URL may hold a password
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "no answer", Err: fmt.Errorf("%w: %w", trust.ErrNoAnswer, err)}
	}
	return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "no usable answer", Err: err}
}

func (a *answer) checkHead(response *http.Response) error {
	switch code := response.StatusCode; {
	case code == http.StatusNotFound, code == http.StatusForbidden, code == http.StatusGone:
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "the source answers " + response.Status, Err: fs.ErrNotExist}
	case code != http.StatusOK:
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "expected 200 OK, found " + response.Status}
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: fmt.Sprintf("expected the bytes as they are, found Content-Encoding %.40q", encoding)}
	}
	return nil
}

// openFile opens a regular file of this machine.
func openFile(u *url.URL) (*answer, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, &SourceError{URL: u.Redacted(), Detail: fmt.Sprintf("expected file:///PATH, found the host %q", u.Host)}
	}
	path := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, `\`)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, &SourceError{URL: u.Redacted(), Detail: "cannot read", Err: err}
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, &SourceError{URL: u.Redacted(), Detail: "expected a regular file", Err: fs.ErrNotExist}
	}
	return &answer{body: file, length: info.Size(), url: u.Redacted()}, nil
}

// errIdle is the cause of a transfer that was given up for want of bytes.
var errIdle = errors.New("no bytes came")

// idleBody gives a transfer up when no byte comes for a while, and tells it
// apart from a caller who has given up.
type idleBody struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	idle   time.Duration
	timer  *time.Timer
}

func newIdleBody(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, idle time.Duration) *idleBody {
	b := &idleBody{ctx: ctx, cancel: cancel, body: body, idle: idle}
	b.timer = time.AfterFunc(idle, func() { cancel(fmt.Errorf("%w for %s", errIdle, idle)) })
	return b
}

func (b *idleBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if n > 0 {
		b.timer.Reset(b.idle)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(b.ctx); cause != nil {
			return n, cause
		}
	}
	return n, err
}

func (b *idleBody) Close() error {
	b.timer.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}
