package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/trust"
)

// kindsRecord is, for each kind of proof, which versions of a product had it.
type kindsRecord map[Kind]heldBy

// heldBy is the oldest and the newest version that had a kind of proof. The
// oldest decides: every version after it is newer than one that had it, those
// between the two as well. The newest is for people.
type heldBy struct {
	Since artifact.Version `json:"since"`
	Last  artifact.Version `json:"last"`
}

// binds reports whether a version must have what this one had: each that is
// newer, and each that compares equal and is spelt otherwise. Build metadata has
// no order (SemVer 2.0.0, section 10), so which of two came first can't be told;
// to take it for none the newer would make it a way around. A subject whose path
// tells no version is bound for the same reason.
func (h heldBy) binds(version artifact.Version) bool {
	if version.IsZero() {
		return true
	}
	order := version.Compare(h.Since)
	return order > 0 || order == 0 && version.String() != h.Since.String()
}

func (r *kindsRecord) check() error {
	if *r == nil {
		return fmt.Errorf("kinds of proof, found none")
	}
	for kind, held := range *r {
		if !slices.Contains(kinds(), kind) {
			return fmt.Errorf("a kind of proof, found %s", quote(string(kind)))
		}
		if held.Since.IsZero() || held.Last.IsZero() || held.Since.Compare(held.Last) > 0 {
			return fmt.Errorf("versions in order for %s, found %q to %q", kind, held.Since, held.Last)
		}
	}
	return nil
}

func keyOfKinds(repository, product string) string {
	return keyKinds + escape(repository) + "/" + escape(product)
}

// CheckRatchet asks whether a subject has all kinds of proof that a version older
// than its own had, or one that differs from it in nothing but the build
// metadata. Otherwise it is a WeakerError, unless a waiver for one of its digests
// has not ended at the time now: then it is not checked, and Why tells of the
// waiver. A signature or a provenance counts whoever made it: where no rule names
// signers, a stranger's will do. Versions older than the first with proof, and that one itself, pass.
// What has no product is not checked; what tells no version is asked as if it were the newest.
func CheckRatchet(tx trust.Tx, s Subject, now time.Time) (trust.Check, error) {
	check := trust.Check{ID: trust.CheckRatchet, Result: trust.NotChecked}
	if s.Repository == "" || s.Product == "" {
		check.Why = "it is of no product in a repository"
		return check, nil
	}
	var record kindsRecord
	found, err := get(tx, keyOfKinds(s.Repository, s.Product), &record, (*kindsRecord).check)
	if err != nil {
		return trust.Check{}, err
	}
	if !found {
		check.Why = "no version was seen before"
		return check, nil
	}
	check.Expected, check.Found = record.text(&s), "no proof"
	if has := s.Kinds(); len(has) > 0 {
		check.Found = list(has)
	}
	lacking := record.lacking(&s)
	if len(lacking) == 0 {
		check.Result = trust.Pass
		return check, nil
	}
	waiver, err := waiverFor(tx, s.Digests, now)
	if err != nil {
		return trust.Check{}, err
	}
	if waiver != nil {
		check.Why = waiver.String()
		return check, nil
	}
	check.Result = trust.Fail
	return check, &WeakerError{Repository: s.Repository, Product: s.Product, Version: s.Version, Digests: s.Digests, Lacking: lacking}
}

// asked gives what a version of the kind had if the subject must have it, too.
// Where no rule names rebuilders nobody can tell them from strangers, who can't
// be asked to come again.
func (r kindsRecord) asked(kind Kind, s *Subject) (heldBy, bool) {
	held, ok := r[kind]
	return held, ok && held.binds(s.Version) && (kind != KindRebuild || len(s.Rebuilders) > 0)
}

// lacking lists what a subject should have, in the order of kinds.
func (r kindsRecord) lacking(s *Subject) []Lack {
	var lacking []Lack
	for _, kind := range kinds() {
		if held, asked := r.asked(kind, s); asked && !s.has(kind) {
			lacking = append(lacking, Lack{Kind: kind, Since: held.Since})
		}
	}
	return lacking
}

// text tells what a subject must have.
func (r kindsRecord) text(s *Subject) string {
	var parts []string
	for _, kind := range kinds() {
		switch held, asked := r.asked(kind, s); {
		case !asked:
		case held.Since == held.Last:
			parts = append(parts, fmt.Sprintf("%s, as %s had", kind, held.Since))
		default:
			parts = append(parts, fmt.Sprintf("%s, as %s to %s had", kind, held.Since, held.Last))
		}
	}
	if parts == nil {
		return "nothing, as no older version had any proof"
	}
	return strings.Join(parts, "; ")
}

// recordKinds adds what a subject has. Nothing is ever taken away: a waiver lets
// one version pass, and not those after it.
func recordKinds(tx trust.Tx, s Subject) error {
	if s.Product == "" || s.Version.IsZero() {
		return nil
	}
	key := keyOfKinds(s.Repository, s.Product)
	record := kindsRecord{}
	found, err := get(tx, key, &record, (*kindsRecord).check)
	if err != nil {
		return err
	}
	changed := !found
	for _, kind := range s.Kinds() {
		held, ok := record[kind]
		if !ok || s.Version.Compare(held.Since) < 0 {
			held.Since, changed = s.Version, true
		}
		if !ok || s.Version.Compare(held.Last) > 0 {
			held.Last, changed = s.Version, true
		}
		record[kind] = held
	}
	if !changed {
		return nil
	}
	return put(tx, key, record)
}
