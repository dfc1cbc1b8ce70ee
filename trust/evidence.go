package trust

import (
	"fmt"
	"time"
)

// Result is how a check ended.
type Result string

// The results of a check. What was not checked says why in Check.Why.
const (
	Pass       Result = "pass"
	Fail       Result = "fail"
	NotChecked Result = "not checked"
)

// The ids of checks. They are stable: scripts and stored receipts name them.
const (
	CheckRootChain = "tuf.root"      // the chain of roots, from the given one
	CheckTimestamp = "tuf.timestamp" // signed by the root's keys, not lower than before
	CheckSnapshot  = "tuf.snapshot"  // as the timestamp promises
	CheckTargets   = "tuf.targets"   // as the snapshot promises
	CheckFreshness = "tuf.freshness" // a source was asked, nothing has expired
	CheckPromise   = "tuf.promise"   // the target path, and the role that lists it
	CheckAgreement = "tuf.agreement" // the repositories that must promise the same do
	CheckStatus    = "release.status"
	CheckManifest  = "release.manifest"
	CheckLength    = "bytes.length"
	CheckDigest    = "bytes.digest"
	CheckSignature = "signature"
)

// Check is one step of a proof.
type Check struct {
	ID     string `json:"id"`
	Result Result `json:"result"`
	// Repository is the one whose metadata was checked, where several must
	// agree and it is another than the Evidence's own.
	Repository string `json:"repository,omitempty"`
	Expected   string `json:"expected,omitempty"`
	Found      string `json:"found,omitempty"`
	Why        string `json:"why,omitempty"`
}

// Evidence is why something is believed: checks in the order they were made.
type Evidence struct {
	Repository string  `json:"repository"`
	Checks     []Check `json:"checks"`
}

// Add appends a check.
func (e *Evidence) Add(c Check) { e.Checks = append(e.Checks, c) }

// Evidence tells what was checked so that this view came to be.
func (v *View) Evidence() *Evidence {
	e := &Evidence{Repository: v.repository.name}
	ids := []string{CheckRootChain, CheckTimestamp, CheckSnapshot, CheckTargets}
	for i, role := range v.Roles() {
		e.Add(Check{
			ID: ids[i], Result: Pass,
			Expected: fmt.Sprintf("%d of %d keys", role.Threshold, role.Keys),
			Found:    fmt.Sprintf("version %d, expires %s", role.Version, role.Expires.UTC().Format(time.RFC3339)),
		})
	}
	if v.twin {
		e.Checks[1].Found += "; a timestamp of the same version with other content was offered and discarded"
	}
	fresh := Check{ID: CheckFreshness, Result: Pass, Found: "checked at " + v.checked.UTC().Format(time.RFC3339)}
	switch {
	case v.stale != nil:
		fresh.Result, fresh.Why = NotChecked, fmt.Sprintf("not checked since %s: %v", v.checked.UTC().Format(time.RFC3339), v.stale)
	case v.freshness == Grace:
		fresh.Result, fresh.Why = NotChecked, fmt.Sprintf("no source answers; a grace of %s covers it", v.tolerance)
	case v.freshness == Unchecked:
		fresh.Result, fresh.Why = NotChecked, "not checked since "+v.checked.UTC().Format(time.RFC3339)+": offline"
	}
	e.Add(fresh)
	return e
}
