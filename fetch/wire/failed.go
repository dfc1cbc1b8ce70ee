package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"assay/trust"
)

// failed explains why there was no answer. Where it was the caller who gave up,
// that is the error; where nothing answered, it is trust.ErrNoAnswer, too.
func (a *Answer) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // its URL may hold a password
	}
	var certificate *tls.CertificateVerificationError
	var operation *net.OpError
	var refused *proxyError
	switch {
	case errors.As(err, &certificate):
		return a.refuse(expectedOf(certificate), err)
	case errors.As(err, &operation) && operation.Op == "remote error": // a TLS alert: an answer, though Go calls it the network's failure
		return a.refuse("expected a TLS connection, found that the source refuses it", err)
	case errors.As(err, &refused):
		return a.refuse(refused.Error(), &StatusError{Code: refused.code})
	case errors.Is(err, errLocal): // before what it is wrapped in: the dialler's error
		return a.refuse("cannot ask", errLocal)
	case errors.Is(err, ErrHost), errors.Is(err, errProxy):
		return a.refuse("cannot ask", err)
	case strings.HasPrefix(err.Error(), "failed to parse Location header"): // and there it is, with its query
		return a.refuse("expected a redirect to a URL, found one to something else", nil)
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return a.refuse("", fmt.Errorf("%w: %w", trust.ErrNoAnswer, err))
	}
	return a.refuse("no usable answer", err)
}

// expectedOf says what a certificate lacks.
func expectedOf(err *tls.CertificateVerificationError) string {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return "expected a certificate for this host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expected a certificate that is valid now"
	default:
		return "expected a certificate of an authority that this machine trusts"
	}
}

// proxyError is a proxy that does not connect to an https source.
type proxyError struct{ code int }

func (e *proxyError) Error() string {
	return "expected the proxy to connect, found " + statusText(e.code)
}

// proxyAnswered keeps the words of the proxy itself out of messages.
func proxyAnswered(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return &proxyError{response.StatusCode}
	}
	return nil
}
