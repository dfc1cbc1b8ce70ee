package trust

import (
	"errors"
	"fmt"
	"time"

	"assay/artifact"
)

// The kinds of refusal. Every error of this package wraps one of them (or an
// error of the Remote or the Store), so that a caller can tell them apart with
// errors.Is. Two are wrapped where one is the reason of the other: ErrNotHeld
// because of ErrRollback, say.
var (
	// ErrMalformed: metadata is not what the TUF specification 1.0 describes:
	// not JSON, a null or a duplicate key, a wrong type, another major
	// spec_version, a delegated role with a top-level name.
	ErrMalformed = errors.New("malformed metadata")
	// ErrTooLarge: metadata is longer than its limit. A Remote returns it, too.
	ErrTooLarge = errors.New("metadata is too large")
	// ErrSignature: fewer valid signatures than the threshold of the role.
	ErrSignature = errors.New("not enough valid signatures")
	// ErrRootChain: the chain of roots does not hold together, or is longer
	// than the limit of rotations for one refresh.
	ErrRootChain = errors.New("broken root chain")
	// ErrRotations: there are more new roots than one refresh may accept; those
	// up to the limit were, and the next refresh goes on from there. It comes
	// with ErrRootChain.
	ErrRotations = errors.New("too many new roots")
	// ErrRootConflict: a root was given that is not the one this repository
	// was added with.
	ErrRootConflict = errors.New("another root")
	// ErrExpired: metadata has expired; see ExpiredError.
	ErrExpired = errors.New("expired")
	// ErrClock: this machine's clock is more than an hour behind a time that
	// an earlier refresh has seen; see ClockError.
	ErrClock = errors.New("clock is behind")
	// ErrRollback: a version is lower than one that was accepted before, a
	// role has vanished from the snapshot, or a version has other content than
	// it had; see RollbackError.
	ErrRollback = errors.New("rollback")
	// ErrMismatch: length or hash differ from what signed metadata promises.
	ErrMismatch = errors.New("length or digest mismatch")
	// ErrNoTarget: no role that may promise this path does.
	ErrNoTarget = errors.New("no such target")
	// ErrSearchLimit: the delegations were not searched to their end, as there
	// are more than Limits.Roles of them on the way.
	ErrSearchLimit = errors.New("too many delegations")
	// ErrManifest: a release manifest disagrees with the target it describes,
	// or a document names one that no role promises.
	ErrManifest = errors.New("documents disagree")
	// ErrNoMetadata is returned by a Remote whose source says that it has no
	// such file (HTTP 404, 403 or 410).
	ErrNoMetadata = errors.New("no such metadata")
	// ErrNoAnswer is returned by a Remote none of whose sources answered at
	// all. It is the only failure that a configured grace covers.
	ErrNoAnswer = errors.New("no source answers")
	// ErrNotHeld: it would take the network, and this view is offline.
	ErrNotHeld = errors.New("offline and not held")
	// ErrNoRoot: no root was ever given, so there is nothing that trust could
	// begin with. It comes with ErrNotHeld.
	ErrNoRoot = errors.New("no root was given yet")
	// ErrBusy: other processes stored newer state each time before this one
	// could; trying again later is safe.
	ErrBusy = errors.New("the trust state changes faster than it can be read")
	// ErrLimits: a limit in Config is negative, or above MaxLimits.
	ErrLimits = errors.New("limit out of bounds")
	// ErrState: the stored trust state is damaged in a part that can't be
	// fetched again: the given root, a version floor, the clock.
	ErrState = errors.New("stored trust state is damaged")
)

// errOvertaken says that another process has stored newer state between our
// reading and our writing. Refresh starts over, and gives up with ErrBusy.
var errOvertaken = errors.New("another process was faster")

// ExpiredError says which role expired and when. It is ErrExpired.
type ExpiredError struct {
	Repository string
	Role       string
	Version    int64
	Expires    time.Time
	Now        time.Time // the time it was judged at
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("%s: %s %d expired at %s (%s ago)", e.Repository, e.Role, e.Version,
		e.Expires.UTC().Format(time.RFC3339), span(e.Now.Sub(e.Expires)))
}

func (e *ExpiredError) Unwrap() error { return ErrExpired }

// ClockError says how far the clock is behind. It is ErrClock.
type ClockError struct {
	Repository string
	Now        time.Time
	Latest     time.Time // the latest time that an accepted refresh has seen
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("%s: this machine's clock says %s, but metadata was accepted at %s: the clock is %s behind", e.Repository,
		e.Now.UTC().Format(time.RFC3339), e.Latest.UTC().Format(time.RFC3339), span(e.Latest.Sub(e.Now)))
}

func (e *ClockError) Unwrap() error { return ErrClock }

// span is a duration for people: whole days from two on, else to the second.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.Round(time.Second).String()
}

// RollbackError says what went backwards. It is ErrRollback.
type RollbackError struct {
	Repository string
	Role       string
	Held       int64 // the lowest version that is still acceptable
	Offered    int64 // 0: the role is missing
	Detail     string
}

func (e *RollbackError) Error() string {
	if e.Detail != "" {
		return fmt.Sprintf("%s: rollback of %s: %s", e.Repository, e.Role, e.Detail)
	}
	return fmt.Sprintf("%s: rollback of %s: expected version %d or later, found %d", e.Repository, e.Role, e.Held, e.Offered)
}

func (e *RollbackError) Unwrap() error { return ErrRollback }

// MismatchError says which promise some bytes break. It is ErrMismatch.
type MismatchError struct {
	What     string // the file
	Expected string
	Found    string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: expected %s, found %s", e.What, e.Expected, e.Found)
}

func (e *MismatchError) Unwrap() error { return ErrMismatch }

// LimitError says which of the Limits was met. It is what it wraps: ErrTooLarge,
// ErrSearchLimit or ErrMalformed (depth). Too many new roots are ErrRotations.
type LimitError struct {
	Limit string // "root", "timestamp", "snapshot", "targets", "roles", "listing", "depth"
	Err   error
}

func (e *LimitError) Error() string { return e.Err.Error() }
func (e *LimitError) Unwrap() error { return e.Err }

// CheckError says which check an error of Refresh is about, by its id. It reads
// as what it wraps.
type CheckError struct {
	ID  string
	Err error
}

func (e *CheckError) Error() string { return e.Err.Error() }
func (e *CheckError) Unwrap() error { return e.Err }

// atCheck says so of an error. What has expired is no fault of the role's, but of
// its freshness; what nobody answered to was not checked.
func atCheck(id string, err error) error {
	switch {
	case errors.Is(err, errOvertaken), errors.Is(err, ErrNoAnswer):
		return err
	case errors.Is(err, ErrExpired):
		id = CheckFreshness
	}
	return &CheckError{id, err}
}

// tooLarge names the limit by which a Remote was asked, if err is about that. A
// Remote that had to read something else first may have named another.
func tooLarge(limit string, err error) error {
	var named *LimitError
	if !errors.Is(err, ErrTooLarge) || errors.As(err, &named) {
		return err
	}
	return &LimitError{limit, err}
}

// checkBytes compares data with a promised length (0: none is promised) and
// every promised digest.
func checkBytes(what string, data []byte, length int64, digests artifact.Digests) error {
	if length != 0 && int64(len(data)) != length {
		return &MismatchError{What: what, Expected: fmt.Sprintf("%d bytes", length), Found: fmt.Sprintf("%d", len(data))}
	}
	for _, want := range digests {
		if got := artifact.DigestOf(want.Algorithm(), data); got != want {
			return &MismatchError{What: what, Expected: want.String(), Found: got.String()}
		}
	}
	return nil
}
