package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// errLocal: a source far away points at this machine, or at its own link, where
// services lie that count on nobody else reaching them (a cloud's metadata
// service for one). A repository must not be able to send requests there.
var errLocal = errors.New("expected a host elsewhere, found an address of this machine or of its own link, that a source elsewhere must not point at")

// reach is what a request, and the redirects that follow from it, may reach
// besides hosts elsewhere.
type reach struct {
	host  string // this one, with its port, wherever its name leads: it is configured
	local bool   // all of this machine, as whoever sends there is on it, too
}

// reachOf is the reach of a URL that was configured.
func reachOf(u *url.URL) reach {
	return reach{host: u.Host, local: u.Scheme == "file" || isLocal(u.Hostname())}
}

type reachKey struct{}

func withReach(ctx context.Context, r reach) context.Context {
	return context.WithValue(ctx, reachKey{}, r)
}

// router sends each request, redirected ones too, by the transport that its
// reach allows. The guarded one looks at addresses after names were resolved.
type router struct {
	open, guarded *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (r *router) RoundTrip(request *http.Request) (*http.Response, error) {
	allowed, _ := request.Context().Value(reachKey{}).(reach)
	if allowed.local || allowed.host != "" && request.URL.Host == allowed.host {
		return r.open.RoundTrip(request)
	}
	if isLocal(request.URL.Hostname()) {
		return nil, errLocal
	}
	if proxy, err := r.open.Proxy(request); err != nil || proxy != nil {
		return r.open.RoundTrip(request) // the proxy resolves the name, and may itself be on this machine
	}
	return r.guarded.RoundTrip(request)
}

// refuseLocal is a net.Dialer's Control: address is resolved already.
func refuseLocal(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || isLocal(host) {
		return errLocal
	}
	return nil
}

// isLocal reports whether a host, as it is written, means this machine or its
// link. A last label that begins with a digit makes a number of the whole host
// for some resolvers (127.1, 0x7f000001), so such a host must be an address.
func isLocal(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = addr.Unmap()
		return addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified()
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || last == "" || last[0] >= '0' && last[0] <= '9'
}
