package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"assay/artifact/release"
	"assay/cache"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// State is what has become of an artifact that was proven once.
type State string

// The states, the best first.
const (
	Good       State = "good"
	Deprecated State = "deprecated" // its publisher advises against it
	Outlived   State = "outlived"   // too old, or its channel has ended
	Affected   State = "affected"   // an advisory speaks of one of its components
	Unknown    State = "unknown"    // it could not be judged today
	Withdrawn  State = "withdrawn"  // it is promised no longer
	Weakened   State = "weakened"   // what is proven of it is not good enough today
	Replaced   State = "replaced"   // other bytes are promised under its path
	Revoked    State = "revoked"    // by its publisher
	Changed    State = "changed"    // its bytes on this disk are not what they were
)

// Graver reports whether a state is worse than another.
func (s State) Graver(than State) bool {
	order := []State{Good, Deprecated, Outlived, Affected, Unknown, Withdrawn, Weakened, Replaced, Revoked, Changed}
	return slices.Index(order, s) > slices.Index(order, than)
}

// Standing is how an artifact that is held is judged today.
type Standing struct {
	Receipt  *proof.Receipt // of the judgement before
	State    State
	Err      error // why; nil where it is Good, Deprecated or Outlived
	Detail   string
	Evidence *trust.Evidence // of today's judgement, as far as it came
	// Listed is how its manifest lists it; the zero value: none does, or that is not known.
	Listed release.Artifact
}

// JudgeHeld judges an artifact again, today: its bytes in the cache, what its
// repository says of it, its signatures, and the policy; what is promised no longer by
// what is held of it, see JudgeAgain. It is remembered like any judgement. cache.ErrMissing says that the cache does not hold it any more;
// any other error is that the caller gave up.
func (c *Client) JudgeHeld(ctx context.Context, receipt *proof.Receipt) (Standing, error) {
	s := Standing{Receipt: receipt, State: Good}
	blob, err := c.cache.Get(receipt.Digests.Primary())
	if errors.Is(err, cache.ErrMissing) && !errors.Is(err, cache.ErrDamaged) {
		return s, err
	}
	if err == nil {
		err = rehash(ctx, blob)
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return s, cause
		}
		return s.because(Changed, err), nil
	}
	selection, err := c.SelectTarget(ctx, receipt.Repository, receipt.Target)
	var found *proof.Proof
	if err == nil {
		s.Evidence, s.Listed = selection.Evidence, selection.item.Artifact
		if err := selection.SameBytes(receipt.Digests); err != nil {
			return c.revised(ctx, s.because(Replaced, err)), nil
		}
		if len(selection.Target.Digests()) > 1 {
			if err := proveAll(ctx, blob, selection.Target, io.Discard); err != nil {
				return s.because(Changed, err), nil
			}
		}
		if found, err = c.prove(ctx, &selection, papers{fetch: true}); err != nil {
			err = c.refused(ctx, err)
		}
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return s, cause
		}
		if s = s.because(stateOf(err), err); s.State == Withdrawn {
			s = c.withdrawn(ctx, s, receipt)
		}
		return c.revised(ctx, s), nil
	}
	addProof(selection.Evidence, selection.Target)
	if _, err := c.record(ctx, found); err != nil {
		return s.because(Unknown, err), nil
	}
	s.graded(selection, found)
	return s, nil
}

func (s Standing) because(state State, err error) Standing {
	s.State, s.Err, s.Detail = state, err, err.Error()
	return s
}

// revocationIn is ErrRevoked where a receipt remembers that its release was revoked;
// nil: it does not. A channel that lists the release as something else takes that
// back; that no channel lists it any more, or that its files are gone, does not.
func revocationIn(r *proof.Receipt) error {
	if failed, is := r.Evidence.Failed(); r.Outcome != proof.Refused || !is || failed.ID != trust.CheckStatus {
		return nil
	}
	return &revokedBefore{r.Reason, r.At}
}

// revokedBefore is a revocation that is remembered. It is ErrRevoked.
type revokedBefore struct {
	reason string
	at     time.Time
}

func (r *revokedBefore) Error() string {
	return fmt.Sprintf("%s; so it was found at %s, and no channel takes it back", r.reason, r.at.UTC().Format(time.RFC3339))
}

func (r *revokedBefore) Unwrap() error { return ErrRevoked }

// still is what stays of an earlier refusal when the publisher clears its release
// away, which makes nothing better: its receipt stays as it is, and what was revoked
// is so still. It reports whether there was one.
func (s Standing) still() (Standing, bool) {
	failed, is := s.Receipt.Evidence.Failed()
	if !is || s.Receipt.Outcome != proof.Refused || failed.ID == trust.CheckPromise {
		return s, false
	}
	by := revocationIn(s.Receipt)
	switch {
	case by != nil && (s.State == Withdrawn || s.State == Replaced || errors.As(s.Err, new(*revokedBefore))):
		s = s.because(Revoked, by)
	case s.State != Withdrawn:
		return s, false
	}
	s.Evidence = s.Receipt.Evidence
	return s, true
}

// revised remembers a judgement that no proof came to, so that it is explained
// like any other.
func (c *Client) revised(ctx context.Context, s Standing) Standing {
	if s, is := s.still(); is {
		return s
	}
	id := map[State]string{Revoked: trust.CheckStatus, Withdrawn: trust.CheckPromise, Replaced: trust.CheckUnchanged}[s.State]
	if id == "" || c.prover == nil {
		return s
	}
	s.Evidence = &trust.Evidence{Repository: s.Receipt.Repository, Judged: c.now().UTC()}
	if view, err := c.View(ctx, s.Receipt.Repository); err == nil {
		s.Evidence = view.Evidence()
	}
	s.Evidence.Add(trust.Check{ID: id, Result: trust.Fail, Of: s.Receipt.Target, Expected: "as it was when it was proven", Found: s.Detail})
	if err := c.prover.Revise(context.WithoutCancel(ctx), s.Receipt, s.Evidence, s.Err); err != nil {
		c.warn(fmt.Sprintf("that %s is %s can't be remembered: %v", s.Receipt.Target, s.State, err))
	}
	return s
}

// rehash reads a blob whole; what it reads is compared with the digest that it
// is stored under.
func rehash(ctx context.Context, blob cache.Blob) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	return copyBytes(ctx, discard{}, reader, nil)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// stateOf tells what an error makes of an artifact.
func stateOf(err error) State {
	var refusal *proof.Refusal
	var age *policy.Refusal
	switch {
	case errors.Is(err, ErrRevoked):
		return Revoked
	case errors.Is(err, trust.ErrNoTarget) && !errors.As(err, &refusal): // else it is a document beside it that is gone
		return Withdrawn
	case errors.Is(err, policy.ErrChanged):
		return Replaced
	case errors.As(err, &age) && tooOld(age):
		return Outlived
	case errors.As(err, &refusal), errors.Is(err, trust.ErrNotApproved), errors.Is(err, trust.ErrDisagree):
		return Weakened
	}
	return Unknown
}

// tooOld reports whether nothing but its age speaks against an artifact.
func tooOld(refusal *policy.Refusal) bool {
	for _, check := range refusal.Checks {
		if !policy.IsTooOld(check) {
			return false
		}
	}
	return true
}

// graded tells of what is no refusal, and still to be known.
func (s *Standing) graded(selection Selection, found *proof.Proof) {
	switch item := selection.item; {
	case found != nil && len(found.Affected()) > 0:
		s.State, s.Detail = Affected, strings.Join(found.Affected(), "; ")
	case item.Status == release.StatusDeprecated:
		s.State, s.Detail = Deprecated, selection.deprecated
	case selection.outlived != "":
		s.State, s.Detail = Outlived, selection.outlived
	}
}
