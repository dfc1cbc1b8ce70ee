package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"assay/trust"
)

// roleState is one role, for JSON.
type roleState struct {
	Role      string     `json:"role"`
	Version   int64      `json:"version"`
	Held      bool       `json:"held"` // false: only its version is known
	Expires   *time.Time `json:"expires,omitempty"`
	Accepted  *time.Time `json:"accepted,omitempty"` // when this machine first took this version
	Threshold int        `json:"threshold"`
	Keys      int        `json:"keys"`
	Signers   []string   `json:"signers,omitempty"` // ids of keys
}

func newRoleState(r trust.RoleStatus) roleState {
	utc := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	return roleState{r.Role, r.Version, r.Held, utc(r.Expires), utc(r.Accepted), r.Threshold, r.Keys, r.Signers}
}

func roleStates(v *trust.View) []roleState {
	var list []roleState
	for _, r := range v.Roles() {
		list = append(list, newRoleState(r))
	}
	return list
}

// delegatedStates lists the delegated roles that are held or known of.
func delegatedStates(ctx context.Context, v *trust.View) ([]roleState, error) {
	var list []roleState
	for r, err := range v.DelegatedRoles(ctx) {
		if err != nil {
			return nil, err
		}
		list = append(list, newRoleState(r))
	}
	return list, nil
}

var roleColumns = []string{"ROLE", "VERSION", "AGE", "EXPIRES", "SIGNED BY"}

// roleRow is a role as a line of a table. A table whose longest name is
// channel-deprecated and whose root has two signers fits into 80 columns.
func (a *app) roleRow(r roleState) []string {
	row := []string{r.Role, strconv.FormatInt(r.Version, 10), "-", "not needed yet", "-"}
	if r.Accepted != nil {
		row[2] = brief(a.now().Sub(*r.Accepted))
	}
	if r.Expires != nil {
		row[3] = expiry(*r.Expires, a.now())
	}
	if r.Keys > 0 { // else its delegator is not held
		row[4] = fmt.Sprintf("%d of %d", r.Threshold, r.Keys)
	}
	if len(r.Signers) > 0 {
		var ids []string
		for _, id := range r.Signers {
			ids = append(ids, fmt.Sprintf("%.6s", id))
		}
		row[4] += ": " + strings.Join(ids, " ")
	}
	return row
}

// expiry says when something expires, or has: by the minute where it is less than
// two days away, as a timestamp lives for hours.
func expiry(at, now time.Time) string {
	left := at.Sub(now)
	layout, distance := time.DateOnly, brief(left)
	if left.Abs() < 2*day {
		layout = "2006-01-02 15:04Z"
	}
	if left <= 0 {
		distance = brief(-left) + " ago"
	}
	return at.UTC().Format(layout) + ", " + distance
}

const day = 24 * time.Hour

// brief is a duration in its largest whole unit, and in hours below two days. What
// is negative, as after a change of the clock, is none.
func brief(d time.Duration) string {
	switch {
	case d >= 2*day:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d >= time.Hour:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d >= time.Minute:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	default:
		return strconv.FormatInt(int64(max(d, 0)/time.Second), 10) + "s"
	}
}

// mostRoles is how many delegated roles a table shows.
const mostRoles = 20

// roleTable prints the roles, those that are held first. Of very many it leaves
// out some, and says so.
func (a *app) roleTable(top, delegated []roleState) {
	var rows [][]string
	for _, r := range top {
		rows = append(rows, a.roleRow(r))
	}
	shown := 0
	for _, held := range []bool{true, false} {
		for _, r := range delegated {
			if r.Held == held && shown < mostRoles {
				rows = append(rows, a.roleRow(r))
				shown++
			}
		}
	}
	a.out.table(roleColumns, rows)
	if more := len(delegated) - shown; more > 0 {
		a.out.line("and %d more delegated roles; --json lists them all", more)
	}
}
