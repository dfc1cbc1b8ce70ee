package wire

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/time/rate"
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
	Retries   int           // 2: of a document, where a source is too busy or breaks off; less than 0: none
	Pause     time.Duration // 250 ms: before the first of them; it doubles, with jitter
	// PerHost (8) is how many connections to one host there are at once, for large
	// files and for small ones each. Where a server has HTTP/2 but allows few
	// requests at once in a connection, Go opens more of these.
	PerHost   int
	Bandwidth int64         // bytes a second, of all bodies together; 0: as fast as they come
	Token     time.Duration // 30 s: for a command that gives a token
	Hosts     []Host        // what is configured for some
	// Warn is told, once each, of files with secrets that others can read; it may
	// be nil.
	Warn func(text string)
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
		{&o.Idle, 30 * time.Second}, {&o.Document, 60 * time.Second}, {&o.Token, 30 * time.Second},
		{&o.Pause, 250 * time.Millisecond},
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
	o.Retries = max(cmp.Or(o.Retries, 2), 0)
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
	hosts   []*host
	netrc   kept[[]login]
	limiter *rate.Limiter // nil: there is no limit
	client  *http.Client

	documents documents // that were read lately
}

// New makes an engine with transports of its own, so that nothing it sets
// reaches http.DefaultClient.
func New(options Options) *Engine {
	options = options.withDefaults()
	e := &Engine{options: options, netrc: newKept[[]login](), limiter: newLimiter(options.Bandwidth)}
	for _, h := range options.Hosts {
		e.hosts = append(e.hosts, &host{Host: h, options: options, token: newKept[credentials]()})
	}
	e.client = &http.Client{
		Transport:     &router{proxy: options.Proxy, hosts: e.hosts, general: options.lanes(&tls.Config{RootCAs: options.RootCAs})},
		CheckRedirect: redirectRule(options.Redirects),
	}
	return e
}

// Connections is how many connections to the host of a URL there are at most for
// large files.
func (e *Engine) Connections(u *url.URL) int {
	if h := hostOf(e.hosts, u); h != nil && h.Connections > 0 {
		return h.Connections
	}
	return e.options.PerHost
}

// lanes makes transports that share a TLS configuration.
func (o Options) lanes(config *tls.Config) lanes {
	of := func(http2 bool) pair {
		return pair{o.transport(config, http2, nil), o.transport(config, http2, refuseLocal)}
	}
	return lanes{bulk: of(false), small: of(true)}
}

// transport makes a transport whose connections control may refuse. HTTP/2 is for
// many small files, which share a connection then; for a large one it costs 1.4
// times the CPU of HTTP/1.1.
func (o Options) transport(config *tls.Config, http2 bool, control func(network, address string, c syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: o.Connect, Control: control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Transport{
		Proxy:                 o.Proxy,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       config.Clone(),
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
		OnProxyConnectResponse: proxyAnswered,
	}
}

// redirectRule bounds redirects, never lets one leave TLS, and tells the next
// host nothing of the URL before, whose query may be a secret, and no credentials.
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
		dropCredentials(next, via)
		return nil
	}
}
