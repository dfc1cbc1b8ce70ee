package provenance

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"assay/artifact"
	"assay/internal/shown"
)

// The reasons for which Verify refuses a bundle; each *VerifyError wraps exactly
// one of them. Where a bundle has several faults, the first in the order of
// signature, certificate, log, time is told, and ErrDigest or ErrAlgorithm only
// where there is no other.
var (
	// ErrMalformed: the bytes are no bundle, or one of another version, or the
	// statement in it is none.
	ErrMalformed = errors.New("not a Sigstore bundle")
	// ErrTooLarge: the bundle, or a part of it, is longer than its limit, or has
	// more parts than that.
	ErrTooLarge = errors.New("bundle too large")
	// ErrCertificate: the certificate is none of the profile's authorities, may
	// not sign code, or lacks a signed certificate timestamp.
	ErrCertificate = errors.New("certificate not trusted")
	// ErrLog: too few entries in the profile's transparency logs, or one that is
	// not proven, or that is about another signature.
	ErrLog = errors.New("not proven by a transparency log")
	// ErrTime: nobody whom the profile believes says when it was signed, or it was
	// signed when the certificate was not valid.
	ErrTime = errors.New("time of signing not proven")
	// ErrSignature: the signature is not by the certificate's key, or by the key
	// that the bundle names.
	ErrSignature = errors.New("wrong signature")
	// ErrDigest: a signature, but over other bytes than those asked for.
	ErrDigest = errors.New("vouches for other bytes")
	// ErrAlgorithm: a signature over bytes that it names by another algorithm than
	// any digest that was asked for. Whether they are the bytes is not known.
	ErrAlgorithm = errors.New("vouches under another algorithm")
	// ErrKey: no key of the profile made this signature.
	ErrKey = errors.New("not signed by a key of the profile")
	// ErrInapplicable: the profile can't judge such a bundle: it judges
	// certificates, and this is by a plain key, or the reverse.
	ErrInapplicable = errors.New("not for this trust profile")
)

// Errors of what is configured, not of bundles.
var (
	// ErrProfile: a Profile can't work: its trusted root or a key is malformed, or
	// its root lacks what its thresholds ask for.
	ErrProfile = errors.New("unusable trust profile")
	// ErrPattern: text that is no pattern, or one that would match everything.
	ErrPattern = errors.New("unusable pattern")
	// ErrIdentity: an Identity that says too little, or two things at once.
	ErrIdentity = errors.New("unusable identity")
)

// VerifyError says why a bundle was refused. Text from the bundle in it is
// quoted and clipped, so that it may be printed.
type VerifyError struct {
	Kind     error           // one of the sentinels
	Bundle   artifact.Digest // SHA-256 of the bundle; zero for one that is too large to be hashed
	Expected string
	Found    string
	Detail   string // what the library said, if it did
}

// Error gives all of it on one line.
func (e *VerifyError) Error() string {
	var b strings.Builder
	b.WriteString("bundle")
	if !e.Bundle.IsZero() {
		fmt.Fprintf(&b, " sha256:%.12s…", e.Bundle.Hex())
	}
	fmt.Fprintf(&b, ": %v: expected %s, found %s", e.Kind, e.Expected, e.Found)
	if e.Detail != "" {
		fmt.Fprintf(&b, " (%s)", e.Detail)
	}
	return b.String()
}

// Unwrap makes errors.Is work with the sentinels.
func (e *VerifyError) Unwrap() error { return e.Kind }

// refuse makes a VerifyError; Verify adds the bundle's digest.
func refuse(kind error, expected, found string) *VerifyError {
	return &VerifyError{Kind: kind, Expected: expected, Found: found}
}

// because adds what the library said, in which there may be text of the bundle.
func (e *VerifyError) because(err error) *VerifyError {
	e.Detail = clip(err.Error())
	return e
}

// clip makes one short, printable line of a library's message.
func clip(text string) string {
	const limit = 300
	text = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit]) + "…"
	}
	return text
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 80) }

// guarded makes an error of a panic in code that is not ours and works on bytes
// from outside.
func guarded(work func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a panic: %s", quote(fmt.Sprint(r)))
		}
	}()
	return work()
}

// count spells a number of things that are expected.
func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
