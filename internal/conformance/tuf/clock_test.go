package main

import (
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestClockIsThatOfDate(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": 48 * time.Hour}})
	b.refresh()
	b.now = start.Add(48*time.Hour - time.Second)
	b.refresh()
	b.now = start.Add(48 * time.Hour)
	b.refreshFails(trust.ErrExpired.Error(), "timestamp")
	b.publish()
	b.refresh()
	b.expectVersions("root 1 timestamp 2 snapshot 2 targets 1")
	// The clock goes back further than an hour.
	b.now = start.Add(24 * time.Hour)
	b.refreshFails("the clock is 24h0m0s behind")
	b.expectVersions("root 1 timestamp 2 snapshot 2 targets 1")
}

// Without a time nothing is asked: expiry could not be judged.
func TestNoTimeNoRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for name, script := range map[string]string{
		"fails": "echo 1772366400; exit 3", "prints words": "echo noon", "prints nothing": ":", "is before 1970": "echo -1", "has a fraction": "echo 1.5",
	} {
		b.date(script)
		code, stderr := b.runAsIs(b.refreshArgs()...)
		b.refused(code, stderr, []string{errNoTime.Error()})
		if t.Failed() {
			t.Fatalf("date %s", name)
		}
		b.expectAsked()
		b.expectVersions("root 1")
	}
}

// The real program date.
func TestRealClock(t *testing.T) {
	t.Parallel()
	before := time.Now().Truncate(time.Second)
	now, err := askClock(t.Context())
	must(t, err)
	if now.Before(before) || now.After(time.Now()) {
		t.Errorf("expected about %s, found %s", before, now)
	}
}

func TestExpiredRoleIsNotAccepted(t *testing.T) {
	t.Parallel()
	for role, after := range map[string]string{
		"root":      "root 2 timestamp 1 snapshot 1 targets 1", // 5.3.10: judged after it was stored
		"timestamp": "root 1 timestamp 1 snapshot 1 targets 1",
		"snapshot":  "root 1 timestamp 2 snapshot 1 targets 1",
		"targets":   "root 1 timestamp 2 snapshot 2 targets 1",
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.refresh()
			must(t, b.repo.SetExpiry(role, -time.Hour))
			b.publish()
			b.refreshFails(trust.ErrExpired.Error(), role)
			b.expectVersions(after)
			must(t, b.repo.SetExpiry(role, 24*time.Hour))
			b.publish()
			b.refresh()
		})
	}
}

// Expired metadata that is held is no obstacle to its successor.
func TestHeldMetadataExpired(t *testing.T) {
	t.Parallel()
	week := 7 * 24 * time.Hour
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"root": week, "timestamp": week, "snapshot": week, "targets": week}})
	b.refresh()
	b.now = start.Add(18 * 24 * time.Hour)
	b.refreshFails(trust.ErrExpired.Error(), "root")
	must(t, b.repo.PublishRoot())
	must(t, b.repo.Renew("targets"))
	b.publish()
	b.refresh()
	b.expectVersions("root 2 timestamp 2 snapshot 2 targets 2")
}
