package page

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The bounds of a request that changes something.
const (
	maxForm  = 16 << 10         // bytes of its body
	formTime = 10 * time.Second // to send it
)

// errForm: the request does not come from a form of this page.
var errForm = errors.New("this is no request of a form of this page; load the page anew, and try again")

// AllowedHost refuses a request whose Host is not this machine's: with a name of its
// own that leads to loopback, a page elsewhere could read what is answered here. Over
// a socket "mirror" is one, too, which is how the command line calls it.
func AllowedHost(r *http.Request) error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") || strings.EqualFold(host, "mirror") {
		return nil
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("expected the host localhost or one of its addresses, found %.80q", r.Host)
}

// readForm reads the form of a request that a page of this origin has made.
func (p *Page) readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if err := p.origins.Check(r); err != nil {
		return nil, fmt.Errorf("%w (%w)", errForm, err)
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, fmt.Errorf("%w (of another type)", errForm)
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(formTime)) // a writer of a test has none
	data, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(data) > maxForm {
		return nil, fmt.Errorf("%w (longer than %d bytes, or cut off)", errForm, maxForm)
	}
	_ = control.SetReadDeadline(time.Time{})
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, fmt.Errorf("%w (not a form)", errForm)
	}
	return form, nil
}

// head writes the headers that bound what a browser does with an answer.
func head(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	// With no-referrer a browser would send "Origin: null" with the page's own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}
