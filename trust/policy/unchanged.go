package policy

import (
	"errors"
	"fmt"
	"time"

	"assay/artifact"
	"assay/trust"
)

// seenRecord is which bytes were first seen under a path. Digests of another
// algorithm are added as they become known.
type seenRecord struct {
	Digests artifact.Digests `json:"digests"`
	At      time.Time        `json:"at"`
}

func (r *seenRecord) check() error {
	if len(r.Digests) == 0 || r.At.IsZero() {
		return errors.New("digests and when they were seen, found one without the other")
	}
	return nil
}

func keyOfSeen(repository, path string) string {
	return keySeen + escape(repository) + "/" + escape(path)
}

// CheckUnchanged asks whether the bytes under a target path are those that were
// first seen there: one algorithm or more in common, and all those equal.
// Otherwise it is a ChangedError, and no waiver helps. A path that was not seen
// before is not checked.
func CheckUnchanged(tx trust.Tx, repository, path string, digests artifact.Digests) (trust.Check, error) {
	if err := checkPlace(repository, path, digests); err != nil {
		return trust.Check{}, err
	}
	check := trust.Check{ID: trust.CheckUnchanged, Result: trust.NotChecked, Found: digestText(digests), Why: "not seen before"}
	var seen seenRecord
	found, err := get(tx, keyOfSeen(repository, path), &seen, (*seenRecord).check)
	if err != nil {
		return trust.Check{}, err
	}
	if !found {
		return check, nil
	}
	check.Why = ""
	check.Expected = fmt.Sprintf("%s, as seen first at %s", digestText(seen.Digests), stamp(seen.At))
	if !seen.Digests.Agree(digests) {
		check.Result = trust.Fail
		return check, &ChangedError{Repository: repository, Path: path, Seen: seen.Digests, At: seen.At, Found: digests}
	}
	check.Result = trust.Pass
	return check, nil
}

// checkPlace refuses what would be remembered as something else.
func checkPlace(repository, path string, digests artifact.Digests) error {
	if repository == "" || path == "" || len(digests) == 0 {
		return fmt.Errorf("policy: expected a repository, a target path and digests, found %s, %s and %d digests", quote(repository), quote(path), len(digests))
	}
	return nil
}

func recordSeen(tx trust.Tx, repository, path string, digests artifact.Digests, now time.Time) error {
	if err := checkPlace(repository, path, digests); err != nil {
		return err
	}
	key := keyOfSeen(repository, path)
	var seen seenRecord
	found, err := get(tx, key, &seen, (*seenRecord).check)
	if err != nil {
		return err
	}
	if !found {
		return put(tx, key, seenRecord{Digests: digests, At: now.UTC()})
	}
	if !seen.Digests.Agree(digests) {
		return &ChangedError{Repository: repository, Path: path, Seen: seen.Digests, At: seen.At, Found: digests}
	}
	more := false
	for _, d := range digests {
		if _, known := seen.Digests.Of(d.Algorithm()); !known {
			seen.Digests, more = append(seen.Digests, d), true
		}
	}
	if !more {
		return nil
	}
	return put(tx, key, seen)
}
