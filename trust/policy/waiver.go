package policy

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"assay/artifact"
	"assay/trust"
)

// MaxWaiver is the longest time for which a waiver lasts.
const MaxWaiver = 90 * 24 * time.Hour

// The longest texts of a waiver, in bytes.
const (
	MaxReason = 1024
	maxBy     = 256
)

// Waiver lets one artifact have less proof than older versions, until it ends.
type Waiver struct {
	Digest artifact.Digest `json:"digest"`
	Reason string          `json:"reason"`
	Until  time.Time       `json:"until"`
	By     string          `json:"by"` // who waived it
	At     time.Time       `json:"at"` // and when
}

// Ended reports whether the waiver counts no more.
func (w Waiver) Ended(now time.Time) bool { return !now.Before(w.Until) }

// String is like "waived by ana until 2026-03-01T00:00:00Z: signing was down".
func (w Waiver) String() string {
	return fmt.Sprintf("waived by %s until %s: %s", w.By, stamp(w.Until), w.Reason)
}

// check is about both, what a person asks for and what was stored.
func (w *Waiver) check() error {
	if w.Digest.IsZero() {
		return fmt.Errorf("a digest, found none")
	}
	if err := checkText("a reason", w.Reason, MaxReason); err != nil {
		return err
	}
	if err := checkText("who waives", w.By, maxBy); err != nil {
		return err
	}
	if lasts := w.Until.Sub(w.At); lasts <= 0 || lasts > MaxWaiver {
		return fmt.Errorf("an end after %s, and at most %s later, found %s", stamp(w.At), Span(MaxWaiver), stamp(w.Until))
	}
	return nil
}

// checkText takes one line of printable text.
func checkText(what, text string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("%s of at most %d bytes, found %d", what, limit, len(text))
	}
	odd := func(r rune) bool { return !unicode.IsGraphic(r) }
	if strings.TrimSpace(text) == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, odd) {
		return fmt.Errorf("%s in one line of printable text, found %s", what, quote(text))
	}
	return nil
}

func keyOfWaiver(digest artifact.Digest) string { return keyWaiver + digest.String() }

// Waive lets the artifact of one digest pass CheckRatchet until a time: after
// now, and at most MaxWaiver later. It helps against nothing else. Reason and by
// are single lines of 1 to MaxReason and 256 bytes. A waiver that there is for
// this digest is replaced. The error wraps ErrWaiver.
func Waive(tx trust.Tx, digest artifact.Digest, reason string, until time.Time, by string, now time.Time) (Waiver, error) {
	w := Waiver{Digest: digest, Reason: reason, Until: until.UTC(), By: by, At: now.UTC()}
	if err := w.check(); err != nil {
		return Waiver{}, fmt.Errorf("%w: expected %w", ErrWaiver, err)
	}
	return w, put(tx, keyOfWaiver(digest), w)
}

// waiverFor finds a waiver that has not ended, for any digest of an artifact.
func waiverFor(tx trust.Tx, digests artifact.Digests, now time.Time) (*Waiver, error) {
	for _, digest := range digests {
		w, err := readWaiver(tx, keyOfWaiver(digest))
		if err != nil {
			return nil, err
		}
		if w != nil && !w.Ended(now) {
			return w, nil
		}
	}
	return nil, nil
}

// readWaiver is nil where there is none.
func readWaiver(tx trust.Tx, key string) (*Waiver, error) {
	var w Waiver
	found, err := get(tx, key, &w, (*Waiver).check)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, nil
	}
	if keyOfWaiver(w.Digest) != key {
		return nil, fmt.Errorf("%w: %s: expected a waiver for that digest, found one for %s", ErrMemory, quote(key), w.Digest)
	}
	return &w, nil
}

// Waivers lists all waivers, those that have ended too, by digest.
func Waivers(tx trust.Tx) ([]Waiver, error) {
	keys, err := tx.Keys(keyWaiver)
	if err != nil {
		return nil, err
	}
	var list []Waiver
	for _, key := range keys {
		w, err := readWaiver(tx, key)
		if err != nil {
			return nil, err
		}
		if w != nil {
			list = append(list, *w)
		}
	}
	return list, nil
}
