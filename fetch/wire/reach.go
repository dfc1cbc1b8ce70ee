package wire

import (
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

// errProxy stands for an error that holds the proxy's URL, password and all.
var errProxy = errors.New("the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) is not a URL")

// Reach is what a request, and the redirects that follow from it, may reach
// besides hosts elsewhere.
type Reach struct {
	Host  string // this one, with its port, wherever its name leads: it is configured
	Local bool   // all of this machine, as whoever sends there is on it, too
}

// ReachOf is the reach of a URL that was configured.
func ReachOf(u *url.URL) Reach {
	return Reach{Host: u.Host, Local: u.Scheme == "file" || isLocal(u.Hostname())}
}

// route is how a request, and the redirects that follow from it, are sent.
type route struct {
	reach Reach
	small bool
}

type routeKey struct{}

// pair are two transports of a kind. The guarded one looks at addresses after
// names were resolved.
type pair struct{ open, guarded *http.Transport }

// lanes are the transports for large files and for many small ones.
type lanes struct{ bulk, small pair }

// router sends each request, redirected ones too, by the transport that its
// route allows.
type router struct {
	proxy   func(*http.Request) (*url.URL, error)
	hosts   []*host // with settings of their own
	general lanes
}

// send sends a request by the transport that it may take.
func (r *router) send(request *http.Request) (*http.Response, error) {
	way, _ := request.Context().Value(routeKey{}).(route)
	proxy, err := r.proxy(request)
	if err != nil {
		return nil, errProxy
	}
	chosen, err := r.choose(request, proxy)
	if err != nil {
		return nil, err
	}
	transports := chosen.bulk
	if way.small {
		transports = chosen.small
	}
	if way.reach.Local || way.reach.Host != "" && request.URL.Host == way.reach.Host {
		return transports.open.RoundTrip(request)
	}
	if isLocal(request.URL.Hostname()) {
		return nil, errLocal
	}
	if proxy != nil {
		return transports.open.RoundTrip(request) // the proxy resolves the name, and may itself be on this machine
	}
	return transports.guarded.RoundTrip(request)
}

// choose gives the transports for the host that is asked.
func (r *router) choose(request *http.Request, proxy *url.URL) (lanes, error) {
	h := hostOf(r.hosts, request.URL)
	if h == nil {
		return r.general, nil
	}
	own, err := h.own()
	if err != nil || own == nil {
		return r.general, err
	}
	// Go shows a client certificate to a proxy that it asks by TLS, too.
	if h.Certificate != "" && proxy != nil && proxy.Scheme == "https" {
		return lanes{}, h.wrong("certificate", "expected no proxy, or one that is asked by http, found %s", Shown(proxy))
	}
	return *own, nil
}

// refuseLocal is a net.Dialer's Control: address is resolved already.
func refuseLocal(_, address string, _ syscall.RawConn) error {
	host, _, _ := net.SplitHostPort(address) // of what is no address nothing is left, and that is local
	if isLocal(host) {
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
		addr = inner(addr.WithZone("").Unmap())
		return addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || isCloudsOwn(addr)
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || last == "" || last[0] >= '0' && last[0] <= '9'
}

// inner is the IPv4 address that a translator (RFC 6052) or a relay (RFC 3056) makes
// of an IPv6 one.
func inner(addr netip.Addr) netip.Addr {
	bytes := addr.As16()
	switch {
	case !addr.Is6():
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[12:16]))
	case netip.MustParsePrefix("2002::/16").Contains(addr):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return addr
}

// isCloudsOwn reports whether a cloud's services for its machines lie at an address
// that is no link's: AWS over IPv6, Alibaba, Azure.
func isCloudsOwn(addr netip.Addr) bool {
	switch addr.String() {
	case "fd00:ec2::254", "100.100.100.200", "168.63.129.16":
		return true
	}
	return false
}
