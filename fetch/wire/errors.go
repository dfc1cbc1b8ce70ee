package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"assay/trust"
)

var (
	// ErrSource: a source can't be reached, or answers with something else
	// than what was asked for; see SourceError.
	ErrSource = errors.New("source failed")
	// ErrTooLong: a document is longer than its limit.
	ErrTooLong = errors.New("longer than its limit")
	// ErrRange: a source does not give the part of the file that it was asked
	// for. It comes with ErrSource.
	ErrRange = errors.New("another part of the file than was asked for")
	// ErrNotRegular: what is to be read is no regular file.
	ErrNotRegular = errors.New("expected a regular file")
)

// SourceError says what a source did instead of answering. It is ErrSource.
type SourceError struct {
	URL    string // without credentials and query
	Proxy  string // the proxy that was asked, without credentials; empty: none
	Detail string // expected and found
	Err    error
}

func (e *SourceError) Error() string {
	var b strings.Builder
	b.WriteString(e.URL)
	if e.Proxy != "" {
		fmt.Fprintf(&b, " (through the proxy %s)", e.Proxy)
	}
	b.WriteString(": ")
	b.WriteString(e.Detail)
	if text := errorText(e.Err); text != "" {
		if e.Detail != "" {
			b.WriteString(": ")
		}
		b.WriteString(Clip(text, 600))
	}
	return b.String()
}

// errorText is what an error adds to its message: a StatusError is told in the
// detail already.
func errorText(err error) string {
	if _, told := err.(*StatusError); told || err == nil {
		return ""
	}
	return err.Error()
}

// Unwrap gives ErrSource and the cause.
func (e *SourceError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrSource}
	}
	return []error{ErrSource, e.Err}
}

// StatusError is an answer that says no, by its HTTP status code.
type StatusError struct {
	Code  int
	After time.Duration // Retry-After (RFC 9110, 10.2.3): how long to wait; 0: not said
}

func (e *StatusError) Error() string { return statusText(e.Code) }

// statusText names a code. The text beside the code is the server's own, and not
// for a terminal.
func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// Temporary reports whether the same question may get another answer soon:
// nothing answered, it broke off, or the source is too busy. An answer that says
// no, a certificate of nobody known, or a place that must not be asked stays as
// it is.
func Temporary(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		switch status.Code {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	return errors.Is(err, trust.ErrNoAnswer) || errors.Is(err, errBroken)
}

// errBroken marks an answer that ended early, or was given up.
var errBroken = errors.New("broken off")

// brokenError is errBroken, and does not say so again.
type brokenError struct{ error }

func (e brokenError) Unwrap() []error { return []error{errBroken, e.error} }

// Explain names the URL in an error that is only a cause of giving up. Where it
// was the caller who gave up, no source has failed.
func Explain(caller context.Context, u *url.URL, err error) error {
	if cause := context.Cause(caller); cause != nil {
		return cause
	}
	if errors.Is(err, ErrSource) {
		return err
	}
	return &SourceError{URL: Shown(u), Detail: "given up", Err: err}
}

// Broken explains an error of reading the body: an answer that ended early, or
// was given up.
func (a *Answer) Broken(caller context.Context, err error) error {
	if cause := context.Cause(caller); cause != nil {
		return cause
	}
	detail := "the answer broke off"
	if _, slow := errors.AsType[slowError](err); slow || errors.Is(err, errIdle) {
		detail = "given up"
	}
	return &SourceError{URL: a.URL, Proxy: a.Proxy, Detail: detail, Err: brokenError{err}}
}

// Shown is a URL as messages may have it: without user, password, query and
// fragment, each of which may be a secret, and at most a few lines long.
func Shown(u *url.URL) string {
	plain := *u
	plain.User, plain.RawQuery, plain.ForceQuery, plain.Fragment, plain.RawFragment = nil, "", false, "", ""
	text := Clip(plain.String(), 500)
	if u.RawQuery != "" {
		text += "?…"
	}
	return text
}

// Clip makes text from outside fit for a message: of one line, without what a
// terminal would obey, at most so many bytes.
func Clip(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
