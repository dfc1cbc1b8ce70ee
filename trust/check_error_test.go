package trust_test

import (
	"errors"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// TestErrorsNameTheirCheck: whatever a refresh refuses says by which check.
func TestErrorsNameTheirCheck(t *testing.T) {
	t.Parallel()
	junk := []byte(`{"signed":{},"signatures":[]}`)
	for _, test := range []struct {
		id   string
		kind error
		harm func(b *bench)
	}{
		{trust.CheckRootChain, trust.ErrMalformed, func(b *bench) { b.remote.replace("2.root.json", junk) }},
		{trust.CheckTimestamp, trust.ErrMalformed, func(b *bench) { b.remote.replace("timestamp.json", junk) }},
		{trust.CheckTimestamp, trust.ErrRollback, func(b *bench) { b.mustRefresh(); b.remote.serve(1) }},
		{trust.CheckSnapshot, trust.ErrMismatch, func(b *bench) { b.remote.replace("2.snapshot.json", junk) }},
		{trust.CheckTargets, trust.ErrMismatch, func(b *bench) { b.remote.replace("2.targets.json", junk) }},
		{trust.CheckFreshness, trust.ErrExpired, func(b *bench) { b.now = b.now.Add(100 * 24 * time.Hour) }},
		{trust.CheckFreshness, trust.ErrClock, func(b *bench) { b.mustRefresh(); b.now = b.now.Add(-2 * time.Hour) }},
		{"", trust.ErrNoAnswer, func(b *bench) { b.remote.fail("timestamp.json", nil, trust.ErrNoAnswer) }},
	} {
		b := newBench(t, testrepo.Options{})
		must(t, b.repo.AddTarget("b.txt", []byte("beta")))
		b.publish()
		test.harm(b)
		_, err := b.refresh()
		var at *trust.CheckError
		if !errors.Is(err, test.kind) || errors.As(err, &at) != (test.id != "") {
			t.Errorf("%s: expected %v, found %v", test.id, test.kind, err)
		}
		if at != nil && at.ID != test.id {
			t.Errorf("%v: expected the check %s, found %s", err, test.id, at.ID)
		}
	}
}
