package trust

import (
	"errors"
	"fmt"
	"strings"
)

// Why repositories do not agree. Each comes in an AgreementError.
var (
	// ErrNotApproved: too few of the repositories that must agree list the
	// target at all; none contradicts.
	ErrNotApproved = errors.New("not approved")
	// ErrDisagree: two of them promise different bytes, or bytes that can't be
	// compared as they share no hash algorithm.
	ErrDisagree = errors.New("repositories disagree")
	// ErrOutside: the map gives the path to other repositories than the one
	// that promises.
	ErrOutside = errors.New("not a repository for this path")
)

// Answer is what one repository says of a path.
type Answer struct {
	Repository string
	Target     Target // zero: it does not list the path
}

// String is like "approvals: 12 bytes, sha256:…".
func (a Answer) String() string {
	if a.Target.IsZero() {
		return a.Repository + ": does not list it"
	}
	var digests []string
	for _, digest := range a.Target.promise.digests {
		digests = append(digests, digest.String())
	}
	return fmt.Sprintf("%s: %d bytes, %s", a.Repository, a.Target.Length(), strings.Join(digests, ", "))
}

// agrees reports whether two promises can be about the same bytes: the same
// length, at least one shared hash algorithm, and all shared ones equal. Custom
// metadata is not compared, as TAP 4 leaves it to the application, and assay
// uses none. The zero Target has no digest, and agrees with none.
func (t Target) agrees(other Target) bool {
	return t.Length() == other.Length() && t.get().digests.Agree(other.get().digests)
}

func tell(answers []Answer) string {
	var texts []string
	for i, answer := range answers {
		text := answer.String()
		for _, before := range answers[:i] {
			if said := (Answer{answer.Repository, before.Target}); !before.Target.IsZero() && text == said.String() {
				text = answer.Repository + ": the same as " + before.Repository
				break
			}
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// AgreementError says who must agree on a path, and who says what. It is
// ErrNotApproved, ErrDisagree or ErrOutside.
type AgreementError struct {
	Path       string
	Repository string  // the one whose promise was to be agreed on; empty: any
	Mapping    Mapping // the last one that was asked
	Answers    []Answer
	kind       error
}

func (e *AgreementError) Error() string {
	if len(e.Mapping.Repositories) == 0 {
		return fmt.Sprintf("%s: %v: the map gives it to none", e.Path, e.kind)
	}
	if e.kind == ErrOutside {
		return fmt.Sprintf("%s: %v: expected %s, to which the map gives it, found %s", e.Path, e.kind, strings.Join(e.Mapping.Repositories, ", "), e.Repository)
	}
	return fmt.Sprintf("%s: %v: expected %s to promise the same, found %s", e.Path, e.kind, e.Mapping, tell(e.Answers))
}

func (e *AgreementError) Unwrap() error { return e.kind }

// Lacking names the repositories that do not list the path.
func (e *AgreementError) Lacking() []string {
	var names []string
	for _, answer := range e.Answers {
		if answer.Target.IsZero() {
			names = append(names, answer.Repository)
		}
	}
	return names
}
