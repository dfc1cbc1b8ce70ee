package fetch

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"assay/trust"
)

// The kinds of refusal that are this package's own; those of trust and cache
// come through wrapped.
var (
	// ErrSource: a source can't be reached, or answers with something else
	// than what was asked for; see SourceError.
	ErrSource = errors.New("source failed")
	// ErrUnknown: no such product, channel, version, platform or target.
	ErrUnknown = errors.New("not found")
	// ErrAmbiguous: more than one answer fits, and none is guessed.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrRevoked: the publisher has revoked the release.
	ErrRevoked = errors.New("revoked")
	// ErrTooOld: a channel's index is older than its max_age.
	ErrTooOld = errors.New("channel is too old")
	// ErrOffline: it would take the network, which --offline forbids.
	ErrOffline = trust.ErrNotHeld
	// ErrExists: a file is in the way that holds other bytes.
	ErrExists = errors.New("file exists")
	// ErrInput: the file to look at is none that can be read.
	ErrInput = errors.New("not a file to read")
	// ErrOutput: the output can't be written.
	ErrOutput = errors.New("cannot write the output")
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
	if e.Err != nil {
		if e.Detail != "" {
			b.WriteString(": ")
		}
		b.WriteString(clip(e.Err.Error(), 600))
	}
	return b.String()
}

// Unwrap gives ErrSource and the cause.
func (e *SourceError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrSource}
	}
	return []error{ErrSource, e.Err}
}

// clip makes text from outside fit for a message: of one line, without what a
// terminal would obey, at most so many bytes.
func clip(text string, limit int) string {
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
