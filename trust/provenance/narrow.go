package provenance

import (
	"fmt"
	"strings"
)

// probes are names that anybody might get, or nobody has: invalid and example
// are reserved domains (RFC 2606). A pattern that matches one of them would match
// whoever comes.
var probes = []string{
	"", "x", "https://issuer.invalid", "https://issuer.invalid/a/b", "nobody@issuer.invalid",
	"https://issuer.invalid/a/b/.github/workflows/c.yml@refs/heads/d", "spiffe://issuer.invalid/a",
	"https://evil.example", "https://evil.example/x", "mallory@evil.example",
	"https://evil.example/a/b/.github/workflows/c.yml@refs/tags/d",
}

// checkSubject refuses a pattern for names that matches everybody, or everybody
// of one form. Text does not: it is one name. A glob must have a literal host
// or, for addresses, a literal domain; an expression is looked at by probes
// alone, as it may leave somebody out by any means.
func (p Pattern) checkSubject() error { return p.checkNarrow(false) }

// checkIssuer is checkSubject for issuers, which are URLs.
func (p Pattern) checkIssuer() error { return p.checkNarrow(true) }

func (p Pattern) checkNarrow(onlyURL bool) error {
	if p.program == nil {
		return nil
	}
	if _, isExpression := expression(p.text); isExpression {
		if i := p.program().probe; i >= 0 {
			return p.tooWide(fmt.Sprintf("which matches %q too", probes[i]))
		}
		return nil
	}
	scheme, rest, isURL := strings.Cut(p.text, "://")
	switch {
	case strings.HasPrefix(p.text, "**"):
		return p.tooWide("which may begin with anything")
	case isURL:
		host, _, _ := strings.Cut(rest, "/")
		if scheme == "" || host == "" || hasWildcard(scheme+host) {
			return p.tooWide("whose host is not written out")
		}
	case onlyURL:
		return p.tooWide("which is no URL with its host written out")
	default:
		return p.checkAddress()
	}
	return nil
}

// checkAddress refuses a glob for addresses whose domain is not written out, and
// one that a URL can match, too: a branch may be called like an address.
func (p Pattern) checkAddress() error {
	at := strings.LastIndexByte(p.text, '@')
	if at < 0 {
		return p.tooWide("which is neither a URL nor an address")
	}
	user, domain := p.text[:at], p.text[at+1:]
	if hasWildcard(domain) || !isDomain(domain) {
		return p.tooWide("whose domain is not written out")
	}
	if strings.Contains(user, "/") || strings.Contains(user, "**") {
		return p.tooWide("whose user may be a path")
	}
	return nil
}

func (p Pattern) tooWide(why string) error {
	return fmt.Errorf("%w: expected one that leaves somebody out, found %s, %s", ErrPattern, quote(p.text), why)
}

func hasWildcard(text string) bool { return strings.ContainsAny(text, "*?") }

// isDomain takes two labels or more.
func isDomain(text string) bool {
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if label == "" || strings.ContainsAny(label, "/@: ") {
			return false
		}
	}
	return len(labels) > 1
}
