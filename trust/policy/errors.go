package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/shown"
	"assay/trust"
)

// The kinds of refusal.
var (
	// ErrRule: a rule, or an entry of the table of builders, that can't be; see
	// RuleError.
	ErrRule = errors.New("not a rule")
	// ErrRefused: what is proven is not good enough; see Refusal.
	ErrRefused = errors.New("refused by policy")
	// ErrChanged: there were other bytes under this path; see ChangedError.
	ErrChanged = errors.New("published bytes changed")
	// ErrWeaker: an older version had more proof; see WeakerError.
	ErrWeaker = errors.New("weaker proof than before")
	// ErrWaiver: a waiver without a digest, a reason or an end, or one that
	// lasts too long.
	ErrWaiver = errors.New("not a waiver")
	// ErrMemory: what was remembered is damaged.
	ErrMemory = errors.New("the memory of proofs is damaged")
)

// The tables that a RuleError may be about.
const (
	TablePolicy   = "policy"
	TableBuilders = "builders"
)

// RuleError says which rule is wrong. It is ErrRule.
type RuleError struct {
	Table  string // TablePolicy or TableBuilders
	Rule   int    // from 0
	Field  string // dotted, as configuration spells it, with indexes from 0: signers.2; empty: the whole
	Detail string // expected and found
}

func (e *RuleError) Error() string {
	place := fmt.Sprintf("%s.%d", e.Table, e.Rule+1)
	if e.Field != "" {
		place += ": " + e.Field
	}
	return place + ": " + e.Detail
}

func (e *RuleError) Unwrap() error { return ErrRule }

// Refusal has the checks that fail. It is ErrRefused.
type Refusal struct {
	Checks []trust.Check
}

func (e *Refusal) Error() string {
	var parts []string
	for _, c := range e.Checks {
		parts = append(parts, fmt.Sprintf("%s: expected %s, found %s", c.ID, c.Expected, c.Found))
	}
	return fmt.Sprintf("%v: %s", ErrRefused, strings.Join(parts, "; "))
}

func (e *Refusal) Unwrap() error { return ErrRefused }

// ChangedError has both digests. It is ErrChanged.
type ChangedError struct {
	Repository string
	Path       string
	Seen       artifact.Digests // first
	At         time.Time        // when that was
	Found      artifact.Digests // now
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s: %s: %v: expected %s, as seen first at %s, found %s", e.Repository, quote(e.Path), ErrChanged,
		digestText(e.Seen), stamp(e.At), digestText(e.Found))
}

func (e *ChangedError) Unwrap() error { return ErrChanged }

// WeakerError says what is lacking. It is ErrWeaker.
type WeakerError struct {
	Repository string
	Product    string
	Version    artifact.Version // may be zero: the path tells none
	Digests    artifact.Digests // what a waiver would be for
	Lacking    []Lack
}

// Lack is a kind of proof that an older version had.
type Lack struct {
	Kind  Kind
	Since artifact.Version // the oldest version seen with it
}

func (e *WeakerError) Error() string {
	version := e.Version.String()
	if e.Version.IsZero() {
		version = "of no version that its path tells"
	}
	return fmt.Sprintf("%s: %s %s: %v: expected %s, found none", e.Repository, e.Product, version, ErrWeaker, lackText(e.Lacking))
}

func (e *WeakerError) Unwrap() error { return ErrWeaker }

func lackText(lacking []Lack) string {
	var parts []string
	for _, l := range lacking {
		parts = append(parts, fmt.Sprintf("%s, as %s had", l.Kind, l.Since))
	}
	return strings.Join(parts, "; ")
}

func digestText(digests artifact.Digests) string {
	var parts []string
	for _, d := range digests {
		parts = append(parts, d.String())
	}
	return strings.Join(parts, " ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 160) }

// several quotes the first few texts of a list, and counts the rest.
func several(texts []string) string {
	const shown = 5
	var parts []string
	for _, text := range texts[:min(shown, len(texts))] {
		parts = append(parts, quote(text))
	}
	if more := len(texts) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
