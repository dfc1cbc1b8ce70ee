package wire

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// Options set the bounds of one Engine. Zero fields take the default that their
// comment names.
type Options struct {
	UserAgent string        // "assay"
	Connect   time.Duration // 10 s: to connect, and again for TLS
	Answer    time.Duration // 30 s: from the request to the head of the answer
	Idle      time.Duration // 30 s: without a byte, then a transfer is given up
	Document  time.Duration // 60 s: for a whole document, metadata for one, or else for Pace
	Pace      int64         // 16 KiB a second: less of a document over Document, and it is given up
	Redirects int           // 10
	PerHost   int           // 8: connections to one host at once, for large files and for small ones each
	// Proxy chooses the proxy of a request; nil: the environment's, that is read
	// once per process.
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs are those that servers must be certified by; nil: the system's.
	RootCAs *x509.CertPool
}

func (o Options) withDefaults() Options {
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
	if o.PerHost <= 0 {
		o.PerHost = 8
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	return o
}

// Engine asks http, https and file URLs. It is safe for several goroutines.
type Engine struct {
	options Options
	client  *http.Client
}

// New makes an engine with transports of its own, so that nothing it sets
// reaches http.DefaultClient.
func New(options Options) *Engine {
	options = options.withDefaults()
	return &Engine{options: options, client: &http.Client{
		Transport: &router{
			proxy: options.Proxy,
			bulk:  pair{options.transport(false, nil), options.transport(false, refuseLocal)},
			small: pair{options.transport(true, nil), options.transport(true, refuseLocal)},
		},
		CheckRedirect: redirectRule(options.Redirects),
	}}
}

// Idle is how long a transfer may bring no byte before it is given up.
func (e *Engine) Idle() time.Duration { return e.options.Idle }

// PerHost is how many connections to one host there are at most for large files.
func (e *Engine) PerHost() int { return e.options.PerHost }

// transport makes a transport whose connections control may refuse. HTTP/2 is for
// many small files, which share a connection then; for a large one it costs 1.4
// times the CPU of HTTP/1.1.
func (o Options) transport(http2 bool, control func(network, address string, c syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: o.Connect, Control: control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Transport{
		Proxy:                 o.Proxy,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: o.RootCAs},
		TLSHandshakeTimeout:   o.Connect,
		ResponseHeaderTimeout: o.Answer,
		IdleConnTimeout:       90 * time.Second,
		MaxConnsPerHost:       o.PerHost,
		MaxIdleConnsPerHost:   o.PerHost,
		Protocols:             protocols,
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
			return fmt.Errorf("expected a redirect that keeps https, found one to %s", Shown(next.URL))
		}
		next.Header.Del("Referer")
		return nil
	}
}
