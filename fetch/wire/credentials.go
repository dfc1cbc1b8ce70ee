package wire

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// errReadable: credentials would go where others can read them.
var errReadable = errors.New("expected https for a request with credentials, as others can read them on the way, found http")

// credentials are what a request tells of who asks.
type credentials struct {
	header string // of Authorization; empty: there are none
	from   string // for messages
}

// credentials of a request: its own, else those in its URL, else the token, else
// the user of .netrc, as configured for the host that the URL names. They go over TLS, or to this very
// machine, and nowhere else.
func (e *Engine) credentials(ctx context.Context, r Request, proxy *url.URL) (credentials, error) {
	h := hostOf(e.hosts, r.URL)
	var c credentials
	switch {
	case r.Authorization != "":
		c = credentials{r.Authorization, "the request"}
	case r.URL.User != nil:
		password, _ := r.URL.User.Password()
		c = credentials{basic(r.URL.User.Username(), password), "the URL"}
	case h == nil || !h.hasCredentials():
		return c, nil
	}
	if r.URL.Scheme != "https" && (proxy != nil || !isLoopback(r.URL.Hostname())) {
		return credentials{}, errReadable
	}
	switch {
	case c.header != "":
		return c, nil
	case h.hasToken():
		return h.token.get(ctx, h.readToken)
	default:
		return e.fromNetrc(ctx, r.URL.Hostname())
	}
}

// basic is a header with user and password (RFC 7617, 2).
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// isLoopback reports whether a host, as it is written, is this machine: nothing
// that is sent there leaves it (RFC 6761, 6.3).
func isLoopback(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// dropCredentials keeps those of the first request only while every redirect
// has stayed at its origin; what a redirect itself names is never used. Go's
// client alone would send them to every host below the first one's domain.
func dropCredentials(next *http.Request, via []*http.Request) {
	next.URL.User = nil
	first := origin(via[0].URL)
	stayed := origin(next.URL) == first
	for _, hop := range via {
		stayed = stayed && origin(hop.URL) == first
	}
	if !stayed {
		next.Header.Del("Authorization")
	}
}
