package policy

import "assay/artifact/release"

// Span is a span of time as rules write it, which is as release documents do: a
// whole number above 0 and one unit of s, m, h, d (24 hours) and w (7 days).
type Span = release.Duration

// MaxSpan is the longest Span: a hundred years of 365.25 days.
const MaxSpan = release.MaxDuration

// ErrSpan is wrapped by every error about the form of a Span.
var ErrSpan = release.ErrDuration

// ParseSpan reads a text like "72h" or "90d". The error wraps ErrSpan.
func ParseSpan(s string) (Span, error) { return release.ParseDuration(s) }
