package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
	"syscall"
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
	Document  time.Duration // 60 s: for a whole document, metadata for one, or else for Pace
	Pace      int64         // 16 KiB a second: less of a document over Document, and it is given up
	Redirects int           // 10
	// Proxy chooses the proxy of a request; nil: the environment's, that is read
	// once per process.
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs are those that servers must be certified by; nil: the system's.
	RootCAs *x509.CertPool
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
	if o.Pace <= 0 {
		o.Pace = 16 << 10
	}
	if o.Redirects <= 0 {
		o.Redirects = 10
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
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
	return &Engine{options: options, client: &http.Client{
		Transport:     &router{open: options.transport(nil), guarded: options.transport(refuseLocal)},
		CheckRedirect: redirectRule(options.Redirects),
	}}
}

// transport makes a transport whose connections control may refuse.
func (o EngineOptions) transport(control func(network, address string, c syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: o.Connect, Control: control}
	return &http.Transport{
		Proxy:                 o.Proxy,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: o.RootCAs},
		TLSHandshakeTimeout:   o.Connect,
		ResponseHeaderTimeout: o.Answer,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		// Promised lengths and digests are those of the bytes as they lie on
		// the server: nobody may pack or unpack them on the way.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// redirectRule bounds redirects, never lets one leave TLS, and tells the next
// host nothing of the URL before, whose query may be a secret.
func redirectRule(limit int) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if len(via) > limit {
			return fmt.Errorf("expected at most %d redirects, found more", limit)
		}
		from := via[len(via)-1].URL
		if from.Scheme == "https" && next.URL.Scheme != "https" {
			return fmt.Errorf("expected a redirect that keeps https, found one to %s", shown(next.URL))
		}
		next.Header.Del("Referer")
		return nil
	}
}

// answer is an opened file at a source.
type answer struct {
	body        io.ReadCloser
	length      int64 // -1: not announced
	contentType string
	url         string // without credentials and query
	proxy       string
}

// shown is a URL as messages may have it: without user, password, query and
// fragment, each of which may be a secret, and at most a few lines long.
func shown(u *url.URL) string {
	plain := *u
	plain.User, plain.RawQuery, plain.ForceQuery, plain.Fragment, plain.RawFragment = nil, "", false, "", ""
	text := clip(plain.String(), 500)
	if u.RawQuery != "" {
		text += "?…"
	}
	return text
}

// open begins to read a URL. Closing the body frees what it holds. An answer
// "there is none" (404, 403, 410, no such file) is fs.ErrNotExist.
func (e *Engine) open(ctx context.Context, u *url.URL, allowed reach) (*answer, error) {
	switch u.Scheme {
	case "http", "https":
		return e.openHTTP(withReach(ctx, allowed), u)
	case "file":
		if !allowed.local {
			return nil, &SourceError{URL: shown(u), Detail: "cannot ask", Err: errLocal}
		}
		return openFile(u)
	default:
		return nil, &SourceError{URL: shown(u), Detail: fmt.Sprintf("expected http, https or file, found %.40q", u.Scheme)}
	}
}

func (e *Engine) openHTTP(ctx context.Context, u *url.URL) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, &SourceError{URL: shown(u), Detail: "expected a URL that can be asked for"}
	}
	request.Header.Set("User-Agent", e.options.UserAgent)
	// Not even "deflate, if you must": what is not announced is not unpacked.
	request.Header.Set("Accept-Encoding", "identity")
	a := &answer{url: shown(u)}
	proxy, err := e.options.Proxy(request)
	if err != nil { // its text holds the proxy's URL, password and all
		cancel(nil)
		return nil, &SourceError{URL: a.url, Detail: "cannot ask: the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) is not a URL"}
	}
	if proxy != nil {
		a.proxy = proxy.Scheme + "://" + proxy.Host
	}
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
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "expected a certificate of an authority that this machine trusts", Err: err}
	case errors.Is(err, errLocal): // before what it is wrapped in: the dialler's error
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "cannot ask", Err: errLocal}
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &SourceError{URL: a.url, Proxy: a.proxy, Err: fmt.Errorf("%w: %w", trust.ErrNoAnswer, err)}
	}
	return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "no usable answer", Err: err}
}

func (a *answer) checkHead(response *http.Response) error {
	// The text beside the code is the server's own, and not for a terminal.
	status := strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, http.StatusText(response.StatusCode)))
	switch code := response.StatusCode; {
	case code == http.StatusNotFound, code == http.StatusForbidden, code == http.StatusGone:
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "the source answers " + status, Err: fs.ErrNotExist}
	case code != http.StatusOK:
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: "expected 200 OK, found " + status}
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &SourceError{URL: a.url, Proxy: a.proxy, Detail: fmt.Sprintf("expected the bytes as they are, found Content-Encoding %.40q", encoding)}
	}
	return nil
}

// openFile opens a regular file of this machine.
func openFile(u *url.URL) (*answer, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, &SourceError{URL: shown(u), Detail: fmt.Sprintf("expected file:///PATH, found the host %.80q", u.Host)}
	}
	path := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, `\`)
	}
	file, length, err := openRegular(path)
	if errors.Is(err, errNotRegular) {
		return nil, &SourceError{URL: shown(u), Detail: "expected a regular file", Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, &SourceError{URL: shown(u), Detail: "cannot read", Err: err}
	}
	return &answer{body: file, length: length, url: shown(u)}, nil
}

var errNotRegular = errors.New("expected a regular file")

// openRegular opens a file for reading. It looks before it opens, as opening a
// pipe would wait for a writer, and again afterwards.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, errNotRegular)
	}
	if err != nil {
		return nil, 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, errNotRegular)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}
