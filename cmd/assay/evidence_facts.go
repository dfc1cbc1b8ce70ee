package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"assay/trust"
)

// evidenceFacts tells who built it, from what, who signed, and until when it is
// fresh: what a person looks for first.
func (a *app) evidenceFacts(e *trust.Evidence) {
	a.buildFacts(e)
	if len(e.Signatures) == 0 {
		a.fact("signed by", "the repository's keys alone")
	}
	for _, signer := range signersOf(e) {
		a.fact("signed by", signatureText(e, signer))
	}
	for _, check := range e.Checks {
		if check.ID == trust.CheckAdvisories && check.Result == trust.NotChecked && check.Found != "" {
			a.fact("known faults", check.Found)
		}
	}
	fresh := "unknown"
	if !e.FreshUntil.IsZero() {
		fresh = "until " + a.moment(e.FreshUntil)
		if !a.now().Before(e.FreshUntil) {
			fresh = "no longer, since " + a.moment(e.FreshUntil)
		}
	}
	if e.FreshBy != "" {
		fresh += ", by " + e.FreshBy
	}
	if stale := staleness(e); stale != "" {
		fresh += "; " + stale
	}
	a.fact("fresh", fresh)
	if !e.Policy.IsZero() {
		a.fact("policy", longDigest.ReplaceAllString(e.Policy.String(), "$1…"))
	}
	var claims []string
	for _, c := range e.Claims {
		claims = append(claims, c.What+" "+c.Value)
	}
	if len(claims) > 0 {
		a.fact("claimed", strings.Join(claims, "; "))
	}
}

func (a *app) buildFacts(e *trust.Evidence) {
	if len(e.Builds) == 0 {
		a.fact("built by", "not known: no verified statement tells")
	}
	for _, b := range e.Builds {
		level := "no SLSA level: the table of builders does not have it"
		if b.Level > 0 {
			level = fmt.Sprintf("SLSA build level %d", b.Level)
		}
		a.fact("built by", fmt.Sprintf("%s (%s)", orUnknown(b.Builder), level))
		a.fact("from", strings.TrimSpace(orUnknown(b.Source)+" "+b.Ref+atRevision(b.Revision)))
		if b.EntryPoint != "" {
			a.fact("by way of", b.EntryPoint)
		}
		if !b.Finished.IsZero() {
			a.fact("finished", a.moment(b.Finished))
		}
	}
}

// signatureText tells of a signer once: who vouches for the name, when it signed
// first, where logs have that, and whether anybody here asked for this signer.
func signatureText(e *trust.Evidence, signer string) string {
	text := signer
	var logged []string
	told := false
	for _, s := range e.Signatures {
		if s.Signer != signer {
			continue
		}
		if !told && s.Issuer != "" {
			text += ", vouched for by " + s.Issuer
		}
		if !told && !s.Signed.IsZero() {
			text += ", " + s.Signed.UTC().Format(time.DateOnly)
		}
		told = true
		for _, entry := range s.Logged {
			logged = append(logged, strconv.FormatInt(entry.Index, 10))
		}
	}
	if len(logged) > 0 {
		text += ", log index " + listed(logged)
	}
	return text + strangerText(e, signer)
}

// strangerText is a caveat where nothing says that a signer is the right one: a
// stranger's signature is as valid.
func strangerText(e *trust.Evidence, signer string) string {
	asked := false
	for _, c := range e.Checks {
		if c.ID != trust.CheckIdentity || c.Result == trust.NotChecked {
			continue
		}
		asked = true // by a rule, or on the command line
		if c.Result == trust.Pass && slices.ContainsFunc(e.Signatures, func(s trust.Signature) bool { return s.Signer == signer && s.Of == c.Of }) {
			return ""
		}
	}
	if asked {
		return "; no rule here accepts that signer"
	}
	return "; nobody here says whether that is the right one"
}

// listed puts words into a sentence.
func listed(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// fact is a line of the head: what it is about, and the fact.
func (a *app) fact(name, text string) {
	head := fmt.Sprintf("  %-9s ", name)
	a.out.hang(styled(head), strings.Repeat(" ", len(head)), text)
}

func orUnknown(text string) string {
	if text == "" {
		return "an unnamed one"
	}
	return text
}

func atRevision(revision string) string {
	if revision == "" {
		return ""
	}
	return " at " + revision
}
