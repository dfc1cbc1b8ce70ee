package mirror

import (
	"slices"
	"time"

	"assay/artifact"
)

// StatusSchema names the form of a Status.
const StatusSchema = "assay.mirror.repository/v1"

// State says in a word how a repository stands.
type State string

// The states.
const (
	Fresh   State = "fresh"   // served, and the metadata has not expired
	Expired State = "expired" // the metadata has expired; served only where the settings say so
	Empty   State = "empty"   // nothing was published yet
)

// Status is how one repository stands, as status.json has it.
type Status struct {
	Schema     string    `json:"schema"`
	Repository string    `json:"repository"`
	Mode       Mode      `json:"mode"`
	State      State     `json:"state"`
	Serving    bool      `json:"serving"`
	Generation int64     `json:"generation"` // counts up; 0: none
	Published  time.Time `json:"published,omitzero"`
	// Roles are the top-level ones of the generation.
	Roles []RoleVersion `json:"roles,omitempty"`
	// Expires is the earliest expiry of them.
	Expires time.Time `json:"expires,omitzero"`
	// Confirmed is when the upstream was last asked and everything accepted.
	Confirmed time.Time `json:"confirmed,omitzero"`
	Targets   Tally     `json:"targets"`
	// Good: it is served, has not expired, and the last run was done. Since is since
	// when it is so, or is not; zero: no run has ended since the start.
	Good  bool      `json:"good"`
	Since time.Time `json:"since,omitzero"`
	// Upstream is what the upstream answered last; nil: nothing since the start.
	Upstream *Answer `json:"upstream,omitempty"`
	// LastRun is the last run that has ended; nil: none since the start.
	LastRun *Run `json:"last_run,omitempty"`
	// Next is when the upstream will be asked again; zero: by hand alone.
	Next time.Time `json:"next,omitzero"`
}

// RoleVersion is the version and expiry of a role; see soonOf for what soon is.
type RoleVersion struct {
	Role    string    `json:"role"`
	Version int64     `json:"version"`
	Expires time.Time `json:"expires"`
	// Soon is from when on it expires soon: in a Status alone.
	Soon time.Time `json:"expires_soon_from,omitzero"`
}

func (r RoleVersion) same(other RoleVersion) bool {
	return r.Role == other.Role && r.Version == other.Version
}

// Answer is what an upstream answered when it was asked for its metadata.
type Answer struct {
	Asked time.Time     `json:"asked"`
	Took  time.Duration `json:"took_ns"` // until all metadata was verified, or refused
	// Roles are those of the last answer that was accepted. They are newer than those of
	// the generation while a run fetches, and after one that has failed.
	Roles []RoleVersion `json:"roles,omitempty"`
}

// Expiry is a role that will expire.
type Expiry struct {
	Repository string `json:"repository"`
	RoleVersion
}

// NextExpiries are the top-level roles of all repositories, the next to expire first;
// those that have expired before them.
func NextExpiries(all []Status) []Expiry {
	list := []Expiry{}
	for _, st := range all {
		for _, role := range st.Roles {
			list = append(list, Expiry{st.Repository, role})
		}
	}
	slices.SortStableFunc(list, func(x, y Expiry) int { return x.Expires.Compare(y.Expires) })
	return list
}

// Tally counts targets.
type Tally struct {
	Promised    int   `json:"promised"` // by the upstream
	Carried     int   `json:"carried"`  // by the mode and the filter
	Held        int   `json:"held"`     // of those carried
	Quarantined int   `json:"quarantined"`
	Missing     int   `json:"missing"` // carried, and neither held nor in quarantine
	Bytes       int64 `json:"bytes"`   // of those held
}

// Outcome is how a run ended.
type Outcome string

// The outcomes. Only Done exits 0.
const (
	Done      Outcome = "done"
	Partial   Outcome = "partial"   // published, but some targets are in quarantine or missing
	Failed    Outcome = "failed"    // nothing new was published
	Cancelled Outcome = "cancelled" // by a person or a stop; nothing new was published
)

// Run is one run of a sync, and what it came to.
type Run struct {
	Repository string        `json:"repository"`
	Began      time.Time     `json:"began"`
	Took       time.Duration `json:"took_ns"`
	Outcome    Outcome       `json:"outcome"`
	// Changed tells whether a new generation was published.
	Changed    bool   `json:"changed"`
	Generation int64  `json:"generation"`
	Reason     string `json:"reason,omitempty"` // why it failed
	// Fetched and Bytes are the targets that came, and their bytes.
	Fetched int     `json:"fetched"`
	Bytes   int64   `json:"bytes"`
	Faults  []Fault `json:"faults,omitempty"` // at most MaxFaults
	Targets Tally   `json:"targets"`
	// Err is why it failed, or what its first fault was; nil: Done.
	Err error `json:"-"`
}

// MaxFaults is how many faults a Run tells of; the Tally counts all.
const MaxFaults = 100

// Fault is a target that could not be carried.
type Fault struct {
	Path        string `json:"path"`
	Reason      string `json:"reason"`
	Quarantined bool   `json:"quarantined"` // it is not served, even if its bytes are held
	Retry       bool   `json:"retry"`       // the next run asks for it again
}

// Quarantined is an object that is not served.
type Quarantined struct {
	Repository string          `json:"repository"`
	Path       string          `json:"path"`
	Digest     artifact.Digest `json:"digest"`
	Reason     string          `json:"reason"`
	Since      time.Time       `json:"since"`
	// ByHand: a person has put it aside. What was not is tried again where its bytes
	// were wrong, see Retry, and when it is released.
	ByHand bool `json:"by_hand,omitempty"`
	// Retry: the upstream sent wrong bytes, or none; each run asks for it again.
	Retry bool `json:"retry,omitempty"`
}

// Plan is what a run would do.
type Plan struct {
	Repository string `json:"repository"`
	Mode       Mode   `json:"mode"`
	// Changed tells whether the upstream has something new.
	Changed bool        `json:"changed"`
	Fetch   []PlanGroup `json:"fetch"` // by product and channel
	Targets int         `json:"targets"`
	Bytes   int64       `json:"bytes"` // to be fetched
	Free    int64       `json:"free"`  // bytes that may still be written, by quota and disk; -1: not known
}

// PlanGroup is what a run would fetch of one product and channel.
type PlanGroup struct {
	Product string `json:"product"` // empty: documents, and what lies outside the release layout
	Channel string `json:"channel"` // empty: no channel lists it
	Targets int    `json:"targets"`
	Bytes   int64  `json:"bytes"`
}
