package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 11, 21, 14, 31, 0, 0, time.UTC)
	for _, test := range []struct {
		left time.Duration
		want string
	}{
		{365 * day, "2027-11-21, 365d"},
		{2 * day, "2026-11-23, 2d"},
		{2*day - time.Second, "2026-11-23 14:30Z, 47h"},
		{23 * time.Hour, "2026-11-22 13:31Z, 23h"},
		{time.Hour, "2026-11-21 15:31Z, 1h"},
		{time.Hour - time.Second, "2026-11-21 15:30Z, 59m"},
		{time.Second, "2026-11-21 14:31Z, 1s"},
		{0, "2026-11-21 14:31Z, 0s ago"},
		{-time.Minute, "2026-11-21 14:30Z, 1m ago"},
		{-2*day + time.Second, "2026-11-19 14:31Z, 47h ago"},
		{-2 * day, "2026-11-19, 2d ago"},
	} {
		at := now.Add(test.left).In(time.FixedZone("elsewhere", 3600))
		if got := expiry(at, now); got != test.want {
			t.Errorf("%v: expected %q, found %q", test.left, test.want, got)
		}
	}
}

// TestRoleTable shows that the usual roles fit into 80 columns, and what stands
// where nothing is known.
func TestRoleTable(t *testing.T) {
	now := time.Date(2026, 11, 21, 14, 31, 0, 0, time.UTC)
	var stdout bytes.Buffer
	a := &app{now: func() time.Time { return now }, out: newPrinter(&stdout, &stdout, printSettings{})}
	at := func(d time.Duration) *time.Time { t := now.Add(d); return &t }
	key := strings.Repeat("0123456789abcdef", 4)
	a.roleTable(
		[]roleState{
			{Role: "root", Version: 12, Held: true, Expires: at(365 * day), Accepted: at(-364 * day), Threshold: 2, Keys: 3, Signers: []string{key, key}},
			{Role: "timestamp", Version: 1234567, Held: true, Expires: at(47 * time.Hour), Accepted: at(time.Minute), Threshold: 1, Keys: 1, Signers: []string{key}},
		},
		[]roleState{{Role: "channel-deprecated", Version: 3}, {Role: "outer", Version: 4, Threshold: 1, Keys: 2}},
	)
	want := `ROLE                VERSION  AGE   EXPIRES                 SIGNED BY
root                12       364d  2027-11-21, 365d        2 of 3: 012345 012345
timestamp           1234567  0s    2026-11-23 13:31Z, 47h  1 of 1: 012345
channel-deprecated  3        -     not needed yet          -
outer               4        -     not needed yet          1 of 2
`
	if got := stdout.String(); got != want {
		t.Errorf("expected\n%s\nfound\n%s", want, got)
	}
	for line := range strings.Lines(stdout.String()) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > 80 {
			t.Errorf("expected at most 80 columns, found %d: %s", n, line)
		}
	}
}
