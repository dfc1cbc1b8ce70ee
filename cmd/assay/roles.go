package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

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

var roleColumns = []string{"ROLE", "VERSION", "SINCE", "EXPIRES", "SIGNED BY"}

// roleRow is a role as a line of a table.
func (a *app) roleRow(r roleState) []string {
	row := []string{r.Role, strconv.FormatInt(r.Version, 10), "-", "not needed yet", fmt.Sprintf("%d of %d", r.Threshold, r.Keys)}
	if r.Accepted != nil {
		row[2] = humanize.RelTime(*r.Accepted, a.now(), "ago", "from now")
	}
	if r.Expires != nil {
		row[3] = r.Expires.Format(time.DateOnly) + ", " + humanize.RelTime(*r.Expires, a.now(), "ago", "from now")
	}
	if len(r.Signers) > 0 {
		var ids []string
		for _, id := range r.Signers {
			ids = append(ids, fmt.Sprintf("%.8s", id))
		}
		row[4] += ": " + strings.Join(ids, " ")
	}
	return row
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
