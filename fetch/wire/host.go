package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// Host is what is configured for one host. What its files hold is read when a
// request first needs it, once in an Engine's life.
type Host struct {
	// Name is a host, host:port, or *.domain for all hosts below it, in lower
	// case. Without a port it is about the scheme's own (443, 80). Of several
	// that fit, one host's comes before a domain's, a longer domain before a
	// shorter, and one with a port before one without.
	Name string
	// TokenFile and TokenCommand give a token, which is sent as "Bearer": one
	// line. The command is run as it is, without a shell, once, for at most
	// Options.Token; what it writes is bounded.
	TokenFile    string
	TokenCommand []string
	// Netrc has user and password looked up in the file that NETRC names, else
	// in .netrc of the home folder. It counts where there is no token.
	Netrc bool
	// Certificate and Key are PEM files of a client certificate.
	Certificate, Key string
	// CA is a PEM file of authorities that this host may be certified by, too.
	CA          string
	Connections int // at once, in place of Options.PerHost; 0: that
}

// ErrHost: what is configured for a host cannot be used. It comes with ErrSource.
var ErrHost = errors.New("the settings of a host cannot be used")

// hostError is ErrHost, in words of its own. It has no cause: that a file of the
// configuration is missing must not be taken for a source that has none.
type hostError struct{ text string }

func (e *hostError) Error() string { return e.text }
func (e *hostError) Unwrap() error { return ErrHost }

func hostErrorf(format string, args ...any) error {
	return &hostError{Clip(fmt.Sprintf(format, args...), 400)}
}

// wrong is what is wrong with one of the host's settings.
func (h *host) wrong(setting, format string, args ...any) error {
	return hostErrorf("the settings of %s: %s: %s", h.Name, setting, fmt.Sprintf(format, args...))
}

// host is a Host at work.
type host struct {
	Host
	options Options
	token   kept[credentials]

	once  sync.Once
	lanes *lanes
	err   error
}

// hostOf is the host that a URL's settings come from; nil: there are none.
func hostOf(hosts []*host, u *url.URL) *host {
	var best *host
	most := 0
	for _, h := range hosts {
		if rank := h.rank(u); rank > most {
			best, most = h, rank
		}
	}
	return best
}

// rank says how closely the name fits a URL; 0: not at all.
func (h *Host) rank(u *url.URL) int {
	mine := url.URL{Host: h.Name}
	name, port := mine.Hostname(), mine.Port()
	rank := 2 * len(name)
	if port != "" {
		rank++
	} else {
		port = portOf(&url.URL{Scheme: u.Scheme})
	}
	if port != portOf(u) {
		return 0
	}
	asked := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if asked == name {
		return rank + 1<<16 // names are at most 255 long
	}
	if domain, ok := strings.CutPrefix(name, "*"); ok && strings.HasPrefix(domain, ".") && strings.HasSuffix(asked, domain) && asked != domain {
		return rank
	}
	return 0
}

// portOf is the port that a URL leads to.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"https": "443", "http": "80"}[u.Scheme]
}

// origin is what credentials belong to: scheme, host and port (RFC 6454, 4).
func origin(u *url.URL) string {
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + portOf(u)
}

// own are the host's own transports; nil: it needs none.
func (h *host) own() (*lanes, error) {
	if h.Certificate == "" && h.CA == "" && h.Connections == 0 {
		return nil, nil
	}
	h.once.Do(func() {
		config := &tls.Config{RootCAs: h.options.RootCAs}
		if h.err = h.trust(config); h.err == nil {
			h.err = h.identify(config)
		}
		options := h.options
		if h.Connections > 0 {
			options.PerHost = h.Connections
		}
		own := options.lanes(config)
		h.lanes = &own
	})
	return h.lanes, h.err
}

// maxPEM bounds a file of certificates, in bytes.
const maxPEM = 1 << 20

// trust adds the host's authorities to those that count everywhere.
func (h *host) trust(config *tls.Config) error {
	if h.CA == "" {
		return nil
	}
	data, err := readSmall(h.CA, maxPEM)
	if err != nil {
		return h.wrong("ca", "%v", err)
	}
	pool := config.RootCAs
	if pool == nil {
		if pool, err = x509.SystemCertPool(); err != nil {
			return h.wrong("ca", "the system's certificates: %v", err)
		}
	}
	pool = pool.Clone() // all others go by the one it was
	if !pool.AppendCertsFromPEM(data) {
		return h.wrong("ca", "%s: expected certificates in PEM, found none", h.CA)
	}
	config.RootCAs = pool
	return nil
}

// identify gives TLS the host's client certificate.
func (h *host) identify(config *tls.Config) error {
	if h.Certificate == "" {
		return nil
	}
	certificate, err := readSmall(h.Certificate, maxPEM)
	if err != nil {
		return h.wrong("certificate", "%v", err)
	}
	key, err := h.options.readSecret(h.Key, maxPEM)
	if err != nil {
		return h.wrong("key", "%v", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return h.wrong("certificate", "expected it and its key, without a passphrase, in %s and %s: %v", h.Certificate, h.Key, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return nil
}
