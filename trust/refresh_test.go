package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestRefreshReachesTheNewestAndAsksLittle(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) {
			b := newBench(t, testrepo.Options{PlainSnapshots: plain})
			view := b.mustRefresh()
			if got := len(view.Changes()); got != 4 {
				t.Errorf("first refresh: expected 4 changed roles, found %d", got)
			}
			target, err := view.Target(t.Context(), "a.txt")
			must(t, err)
			must(t, target.Check([]byte("alpha")))
			b.remote.requests()

			view = b.mustRefresh()
			if got := b.remote.requests(); !slices.Equal(got, []string{"2.root.json", "timestamp.json"}) {
				t.Errorf("warm refresh with nothing new: expected two requests, found %v", got)
			}
			if len(view.Changes()) != 0 {
				t.Errorf("expected no changes, found %v", view.Changes())
			}

			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			view = b.mustRefresh()
			if _, err := view.Target(t.Context(), "b.txt"); err != nil {
				t.Error(err)
			}
			if _, err := view.Target(t.Context(), "c.txt"); !errors.Is(err, trust.ErrNoTarget) {
				t.Errorf("expected ErrNoTarget, found %v", err)
			}
		})
	}
}

func TestEverySchemeAndThreshold(t *testing.T) {
	for _, scheme := range []testrepo.Scheme{testrepo.Ed25519, testrepo.ECDSA, testrepo.RSA} {
		t.Run(string(scheme), func(t *testing.T) {
			b := newBench(t, testrepo.Options{Scheme: scheme, Quorum: map[string]testrepo.Quorum{"timestamp": {Keys: 3, Threshold: 2}}})
			b.mustRefresh()
			must(t, b.repo.Forge("timestamp", testrepo.Forgery{Keys: b.repo.Keys("timestamp")[:1]}))
			must(t, b.repo.PublishTimestamp())
			b.refuses(trust.ErrSignature)
		})
	}
}

func TestRootRotation(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	for range 3 {
		must(t, b.repo.RotateRoot())
	}
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		must(t, b.repo.RotateKey(role))
	}
	b.publish()
	view := b.mustRefresh()
	if got, want := version(view, "root"), b.repo.Version("root"); got != want {
		t.Errorf("root: expected %d, found %d", want, got)
	}
}

func TestRetiredRootIsNotBroughtBackByWithholding(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.RotateKey("timestamp"))
	b.publish()
	b.mustRefresh()
	// The mirror withholds 2.root.json and serves what the retired key signed.
	b.remote.serve(1)
	b.refuses(trust.ErrSignature)
	// The stored root is damaged as well: its floor still stands.
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Put("root/2", []byte("{}")) }))
	err := b.refuses(trust.ErrRollback)
	var rollback *trust.RollbackError
	if !errors.As(err, &rollback) || rollback.Role != "root" || rollback.Held != 2 || rollback.Offered != 1 {
		t.Errorf("expected root 2 held, 1 offered, found %v", err)
	}
	// With the honest mirror back, the damage heals.
	b.remote.serve(0)
	if got := version(b.mustRefresh(), "root"); got != 2 {
		t.Errorf("expected root 2, found %d", got)
	}
}

func TestRootChainAttacks(t *testing.T) {
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	for name, test := range map[string]struct {
		forge testrepo.Forgery
		kind  error
	}{
		"signed by strangers":    {testrepo.Forgery{Keys: []*testrepo.Key{stranger}}, trust.ErrRootChain},
		"signed by too few":      {testrepo.Forgery{Keys: []*testrepo.Key{}}, trust.ErrRootChain},
		"version skipped":        {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Version = 9 }}, trust.ErrRootChain},
		"another specification":  {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).SpecVersion = "2.0.0" }}, trust.ErrMalformed},
		"a role is missing":      {testrepo.Forgery{Signed: func(s any) { delete(s.(*metadata.RootType).Roles, "snapshot") }}, trust.ErrMalformed},
		"a threshold of none":    {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Roles["targets"].Threshold = 0 }}, trust.ErrMalformed},
		"a null":                 {testrepo.Forgery{Bytes: replacing(`"signed": {`, `"signed": {"x":null,`)}, trust.ErrMalformed},
		"a duplicate key":        {testrepo.Forgery{Bytes: replacing(`"signed": {`, `"signed": {"version":1,`)}, trust.ErrMalformed},
		"not JSON":               {testrepo.Forgery{Bytes: func([]byte) []byte { return []byte("<html>") }}, trust.ErrMalformed},
		"too large":              {testrepo.Forgery{Bytes: func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 1<<20)...) }}, trust.ErrTooLarge},
		"an empty signature":     {testrepo.Forgery{Bytes: emptySignatures}, trust.ErrRootChain},
		"a timestamp for a root": {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Type = "timestamp" }}, trust.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.Forge("root", test.forge))
			must(t, b.repo.PublishRoot())
			b.refuses(test.kind)
			if got := version(mustOffline(t, b), "root"); got != 1 {
				t.Errorf("a refused root was stored: %d", got)
			}
		})
	}
}

func mustOffline(t *testing.T, b *bench) *trust.View {
	t.Helper()
	view, err := b.open().Offline(t.Context())
	must(t, err)
	return view
}

func replacing(old, new string) func([]byte) []byte {
	return func(data []byte) []byte {
		if !bytes.Contains(data, []byte(old)) {
			panic("nothing to replace in " + string(data))
		}
		return bytes.Replace(data, []byte(old), []byte(new), 1)
	}
}

// emptySignatures makes every signature "", as real roots have some.
func emptySignatures(data []byte) []byte {
	text := string(data)
	var out strings.Builder
	for {
		head, rest, found := strings.Cut(text, `"sig": "`)
		out.WriteString(head)
		if !found {
			return []byte(out.String())
		}
		out.WriteString(`"sig": "`)
		_, text, _ = strings.Cut(rest, `"`)
		text = `"` + text
	}
}

func TestRootRotationLimit(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.config.Limits.RootRotations = 5
	for range 5 {
		must(t, b.repo.RotateRoot())
	}
	if got := version(b.mustRefresh(), "root"); got != 6 {
		t.Fatalf("five rotations: expected root 6, found %d", got)
	}
	for range 6 {
		must(t, b.repo.RotateRoot())
	}
	b.refuses(trust.ErrRootChain)
	// What was accepted stays, and the next refresh goes on from there.
	if got := version(b.mustRefresh(), "root"); got != 12 {
		t.Fatalf("expected root 12, found %d", got)
	}
}

func TestNextRootAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want error
	}{
		"none":           {fmt.Errorf("404: %w", trust.ErrNoMetadata), nil},
		"no answer":      {fmt.Errorf("dial: %w", trust.ErrNoAnswer), trust.ErrNoAnswer},
		"a server error": {errServer, errServer},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, testrepo.Options{})
			b.remote.fail("2.root.json", nil, test.err)
			if _, err := b.refresh(); !errors.Is(err, test.want) {
				t.Errorf("expected %v, found %v", test.want, err)
			}
		})
	}
}

var errServer = errors.New("500")

func TestExpiryOfEachRole(t *testing.T) {
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{
				"root": 240 * time.Hour, "targets": 240 * time.Hour, "snapshot": 240 * time.Hour, "timestamp": 240 * time.Hour,
			}})
			b.mustRefresh()
			must(t, b.repo.SetExpiry(role, time.Hour))
			b.publish()
			b.now = b.now.Add(time.Hour - time.Second)
			b.mustRefresh()
			b.now = b.now.Add(time.Second)
			err := b.refuses(trust.ErrExpired)
			var expired *trust.ExpiredError
			if !errors.As(err, &expired) || expired.Role != role || !expired.Expires.Equal(start.Add(time.Hour)) {
				t.Errorf("expected %s expired at %s, found %v", role, start.Add(time.Hour), err)
			}
			// Offline, too, nothing resolves, but what is named exactly does.
			view := mustOffline(t, b)
			if _, err := view.Target(t.Context(), "a.txt"); !errors.Is(err, trust.ErrExpired) {
				t.Errorf("offline: expected ErrExpired, found %v", err)
			}
			target, err := view.HeldTarget(t.Context(), "a.txt")
			must(t, err)
			if !errors.Is(target.Stale(), trust.ErrExpired) {
				t.Errorf("expected a stale target, found %v", target.Stale())
			}
		})
	}
}

func TestExpiredTimestampIsNotStored(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.SetExpiry("timestamp", -time.Hour))
	b.publish()
	b.refuses(trust.ErrExpired)
	must(t, b.repo.SetExpiry("timestamp", time.Hour))
	b.publish()
	b.mustRefresh()
}

func TestClockThatWentBack(t *testing.T) {
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": 48 * time.Hour}})
	b.now = start.Add(24 * time.Hour)
	b.publish()
	b.mustRefresh()

	b.now = start.Add(23*time.Hour + time.Minute)
	b.mustRefresh() // less than an hour: judged at the later time
	b.now = start.Add(22 * time.Hour)
	err := b.refuses(trust.ErrClock)
	var clock *trust.ClockError
	if !errors.As(err, &clock) || !clock.Latest.Equal(start.Add(24*time.Hour)) {
		t.Errorf("expected the latest time seen, found %v", err)
	}
	if view := mustOffline(t, b); !errors.Is(view.Stale(), trust.ErrClock) {
		t.Errorf("offline: expected ErrClock, found %v", view.Stale())
	}
	latest, err := b.open().ResetClock(t.Context())
	must(t, err)
	if !latest.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("reset: expected what was forgotten, found %s", latest)
	}
	b.mustRefresh()
}

// A clock that ran ahead once must not lock the client out for longer than the
// metadata of that time lasts.
func TestLatestTimeNeverBeyondTheTimestampsExpiry(t *testing.T) {
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": time.Hour}})
	b.mustRefresh()
	b.now = start.Add(365 * 24 * time.Hour)
	b.refuses(trust.ErrExpired)
	b.now = start.Add(time.Minute)
	b.mustRefresh()
}

func TestTimestampRollback(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.mustRefresh()
	b.remote.serve(1)
	err := b.refuses(trust.ErrRollback)
	var rollback *trust.RollbackError
	if !errors.As(err, &rollback) || rollback.Role != "timestamp" || rollback.Held != 2 || rollback.Offered != 1 {
		t.Errorf("expected timestamp 2 held, 1 offered, found %v", err)
	}
	// The floor outlives the bytes.
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("role/timestamp") }))
	b.refuses(trust.ErrRollback)
}

func TestSnapshotRollbacks(t *testing.T) {
	for name, test := range map[string]struct {
		role   string
		forge  func(any)
		others string
	}{
		"timestamp names a lower snapshot": {"timestamp", func(s any) { s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 1 }, "snapshot"},
		"snapshot names lower targets":     {"snapshot", func(s any) { s.(*metadata.SnapshotType).Meta["targets.json"].Version = 1 }, "targets"},
		"snapshot leaves a role out":       {"snapshot", func(s any) { delete(s.(*metadata.SnapshotType).Meta, "team.json") }, "team"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}}))
			b.publish()
			b.mustRefresh()
			must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
			must(t, b.repo.Forge(test.role, testrepo.Forgery{Signed: test.forge}))
			b.publish()
			err := b.refuses(trust.ErrRollback)
			var rollback *trust.RollbackError
			if !errors.As(err, &rollback) || rollback.Role != test.others {
				t.Errorf("expected a rollback of %s, found %v", test.others, err)
			}
		})
	}
}

func TestSameVersionOtherContent(t *testing.T) {
	for _, role := range []string{"timestamp", "snapshot"} {
		t.Run(role, func(t *testing.T) {
			b := newBench(t, testrepo.Options{NoMetaHashes: true, PlainSnapshots: true})
			b.mustRefresh()
			must(t, b.repo.Forge(role, testrepo.Forgery{Signed: func(s any) {
				switch s := s.(type) {
				case *metadata.TimestampType:
					s.Version = 1
				case *metadata.SnapshotType:
					s.Version = 1
				}
			}}))
			if role == "snapshot" {
				must(t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
					s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 1
				}}))
				// The stored snapshot would do; a fresh one is asked for only without it.
				must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete("role/snapshot") }))
			}
			b.now = b.now.Add(time.Minute)
			must(t, b.repo.Renew())
			b.publish()
			err := b.refuses(trust.ErrRollback)
			if !strings.Contains(err.Error(), "other content") {
				t.Errorf("expected it to say why, found %v", err)
			}
		})
	}
}

func TestMixAndMatch(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	old := b.repo.Files(1)
	b.remote.replace("2.snapshot.json", old["1.snapshot.json"])
	b.refuses(trust.ErrMismatch)
	b.remote.clear()
	b.remote.replace("2.targets.json", old["1.targets.json"])
	b.refuses(trust.ErrMismatch)
	b.remote.clear()
	b.mustRefresh()
}

func TestSignedLengthAboveTheCap(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TimestampType).Meta["snapshot.json"].Length = 1 << 40
	}}))
	must(t, b.repo.PublishTimestamp())
	b.refuses(trust.ErrTooLarge)
	if asked := b.remote.requests(); slices.Contains(asked, "1.snapshot.json") {
		t.Errorf("the snapshot was asked for: %v", asked)
	}
}

func TestFastForwardRecovery(t *testing.T) {
	far := int64(1) << 60
	for _, role := range []string{"timestamp", "snapshot"} {
		t.Run(role, func(t *testing.T) {
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.mustRefresh()
			// The stolen key signs a version that nothing can follow.
			b.remote.replace("timestamp.json", forgedTimestamp(t, b, func(s *metadata.TimestampType) {
				if role == "timestamp" {
					s.Version = far
					return
				}
				s.Version, s.Meta["snapshot.json"].Version = s.Version+1, far
			}))
			_, _ = b.refresh() // a snapshot of that version is not there; the timestamp was accepted
			b.remote.clear()
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			b.publish()
			b.refuses(trust.ErrRollback)

			must(t, b.repo.RotateKey("targets")) // other keys than those that matter
			b.publish()
			if _, err := b.refresh(); !errors.Is(err, trust.ErrRollback) {
				t.Fatalf("after a rotation of other keys: expected ErrRollback, found %v", err)
			}

			must(t, b.repo.RotateKey(role))
			b.publish()
			b.mustRefresh()
			// The floors hold again from there.
			b.remote.serve(b.repo.Generation() - 1)
			if _, err := b.refresh(); err == nil {
				t.Error("after the recovery an older generation was accepted")
			}
		})
	}
}

// forgedTimestamp is the newest timestamp, changed and signed by its keys.
func forgedTimestamp(t *testing.T, b *bench, change func(*metadata.TimestampType)) []byte {
	t.Helper()
	doc := timestampOf(t, b.repo.Files(0)["timestamp.json"])
	change(&doc.Signed)
	return signed(t, doc, b.repo.Keys("timestamp"))
}

func TestInterruptedRefreshIsPickedUp(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.remote.fail("2.targets.json", nil, errServer)
	b.refuses(errServer)
	if _, err := mustOffline(t, b).Target(t.Context(), "a.txt"); err != nil {
		t.Errorf("the set before must still resolve: %v", err)
	}
	b.remote.clear()
	b.mustRefresh()
	if asked := b.remote.requests(); !slices.Equal(asked, []string{"2.root.json", "timestamp.json", "2.targets.json"}) {
		t.Errorf("expected only what was missing to be asked for, found %v", asked)
	}
}

func TestDamagedEntriesHealAndDamagedFloorsDoNot(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	for key, value := range b.store.Entries() {
		for _, damage := range [][]byte{value[:len(value)/2], flipped(value), {}} {
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, damage) }))
			_, err := b.refresh()
			healed := err == nil
			floor := strings.HasPrefix(key, "floor/") || key == "clock" || key == "given" || key == "root/1"
			if healed == floor || floor && !errors.Is(err, trust.ErrState) {
				t.Errorf("damaged %s: expected healing %v, found %v", key, !floor, err)
			}
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, value) }))
		}
	}
}

func flipped(value []byte) []byte {
	out := bytes.Clone(value)
	out[len(out)/2] ^= 1
	return out
}

func TestGraceOnlyWhileNoSourceAnswers(t *testing.T) {
	b := newBench(t, testrepo.Options{Expiry: map[string]time.Duration{"timestamp": time.Hour}})
	b.mustRefresh()
	b.now = start.Add(3 * time.Hour)
	b.refuses(trust.ErrExpired)

	b.config.Grace = 4 * time.Hour
	b.refuses(trust.ErrExpired) // a source answers
	silence := fmt.Errorf("dial: %w", trust.ErrNoAnswer)
	b.remote.fail("2.root.json", nil, silence)
	view := b.mustRefresh()
	if view.Freshness() != trust.Grace {
		t.Errorf("expected grace, found %s", view.Freshness())
	}
	if _, err := view.Target(t.Context(), "a.txt"); err != nil {
		t.Error(err)
	}
	for _, check := range view.Evidence().Checks {
		if check.ID == trust.CheckFreshness && (check.Result != trust.NotChecked || !strings.Contains(check.Why, "grace")) {
			t.Errorf("expected the evidence to show the grace, found %+v", check)
		}
	}
	b.now = start.Add(5*time.Hour + time.Minute)
	b.refuses(trust.ErrExpired) // beyond the grace
	b.now = start.Add(3 * time.Hour)
	b.remote.fail("2.root.json", nil, errServer)
	b.refuses(errServer) // an answer, if a bad one
	b.config.Grace = 8 * 24 * time.Hour
	if _, err := trust.Open(b.config); err == nil {
		t.Error("a grace of more than 7 days was accepted")
	}
}

func TestAnotherRootUnderTheSameName(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.config.Root = newBench(t, testrepo.Options{}).repo.Root()
	if _, err := b.refresh(); !errors.Is(err, trust.ErrRootConflict) {
		t.Errorf("expected ErrRootConflict, found %v", err)
	}
}

func TestManyAtOnceOnOneState(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.RotateRoot())
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			r, err := trust.Open(b.config)
			if err == nil {
				_, err = r.Refresh(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := mustOffline(t, b); version(got, "timestamp") != 2 || version(got, "root") != 2 {
		t.Errorf("expected the newest, found %v", got.Roles())
	}
}

// A slow process that read an older timestamp must neither fail nor store it.
func TestOvertakenByAnotherProcess(t *testing.T) {
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	old := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
	b.publish()
	slow := &remote{repo: b.repo}
	first := true
	slow.answer = map[string]func() ([]byte, error){"timestamp.json": func() ([]byte, error) {
		if !first {
			return b.repo.Files(0)["timestamp.json"], nil
		}
		first = false
		b.mustRefresh() // the other process, in between
		return old, nil
	}}
	config := b.config
	config.Remote = slow
	r, err := trust.Open(config)
	must(t, err)
	view, err := r.Refresh(t.Context())
	must(t, err)
	if got := version(view, "timestamp"); got != 3 {
		t.Errorf("expected timestamp 3, found %d", got)
	}
}
