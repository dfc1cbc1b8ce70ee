package mirror

import (
	"testing"
	"time"
)

const testDay = 24 * time.Hour

func TestSoonOf(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		role        string
		lives, soon time.Duration // after it began, and before it expires
	}{
		{"timestamp", testDay, 6 * time.Hour},
		{"timestamp", 7 * testDay, 42 * time.Hour},
		{"timestamp", 30 * testDay, 3 * testDay},
		{"snapshot", 365 * testDay, 3 * testDay},
		{"targets", 4 * testDay, testDay},
		{"targets", 365 * testDay, 14 * testDay},
		{"root", 365 * testDay, 14 * testDay},
		{"root", 10 * testDay, 14 * testDay}, // a mirror that began to follow it late
		{"timestamp", -testDay, 0},           // published after its expiry, as an operator may choose
	} {
		role := RoleVersion{Role: test.role, Expires: began.Add(test.lives)}
		role.Soon = soonOf(role, began)
		if found := role.Expires.Sub(role.Soon); found != test.soon {
			t.Errorf("%s of %v: expected it to be soon %v before, found %v", test.role, test.lives, test.soon, found)
		}
		if role.ExpiresSoon(role.Soon.Add(-1)) || !role.ExpiresSoon(role.Soon) || !role.ExpiresSoon(role.Expires.Add(testDay)) {
			t.Errorf("%s of %v: expected it to expire soon from %v on, and not before", test.role, test.lives, role.Soon)
		}
	}
	if (RoleVersion{Role: "root", Expires: began}).ExpiresSoon(began) {
		t.Error("expected nothing of a role that was not judged, found that it expires soon")
	}
}

// TestSoonOfOldVersion shows that a role does not become younger by what is published
// of the others: with a new timestamp each hour it would be soon only at the last moment.
func TestSoonOfOldVersion(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	targets := RoleVersion{Role: "targets", Version: 3, Expires: began.Add(8 * testDay)}
	var now *generation
	for hour := range 7 * 24 {
		made := began.Add(time.Duration(hour) * time.Hour)
		next := &generation{Made: made, Roles: []RoleVersion{targets, {Role: "timestamp", Version: int64(hour + 1), Expires: made.Add(testDay)}}}
		next.age(now)
		now = next
	}
	standing := now.standing()
	if want := began.Add(6 * testDay); !standing[0].Soon.Equal(want) {
		t.Errorf("expected the targets to expire soon from %v on, found %v", want, standing[0].Soon)
	}
	if want := now.Made.Add(18 * time.Hour); !standing[1].Soon.Equal(want) {
		t.Errorf("expected the timestamp to expire soon from %v on, found %v", want, standing[1].Soon)
	}
	if !now.Roles[0].Soon.IsZero() {
		t.Error("expected the generation to keep what was signed alone, found what was judged")
	}
	// One that was written before this was noted.
	old := &generation{Made: began, Roles: []RoleVersion{targets}}
	if want := began.Add(6 * testDay); !old.standing()[0].Soon.Equal(want) {
		t.Errorf("expected a generation without times to count from when it was made, %v, found %v", want, old.standing()[0].Soon)
	}
}
