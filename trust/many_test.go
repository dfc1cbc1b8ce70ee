package trust_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// Eight processes on one state, each at a mirror that serves now the newest and
// now some older generation. Whoever begins after another has ended gets nothing
// older than that one got, or an error; and nothing that is stored goes back
// (which is the police's to say).
func TestEightProcessesNeverGoBackwards(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}})
	for i := range 6 {
		if i == 2 {
			must(t, b.repo.RotateRoot())
		}
		if i == 4 {
			must(t, b.repo.RotateKey("timestamp"))
		}
		must(t, b.repo.AddTarget("a.txt", []byte{byte(i)}))
		b.publish()
	}
	newest := b.repo.Generation()
	var reached atomic.Int64
	var all sync.WaitGroup
	for process := range 8 {
		all.Go(func() {
			dice := rand.New(rand.NewPCG(7, uint64(process)))
			config := b.config
			mirror := &remote{repo: b.repo}
			config.Remote = mirror
			r, err := trust.Open(config)
			if err != nil {
				t.Error(err)
				return
			}
			for range 6 {
				mirror.serve(1 + dice.IntN(newest))
				atLeast := reached.Load()
				view, err := r.Refresh(t.Context())
				switch {
				case err == nil:
				case errors.Is(err, trust.ErrRollback), errors.Is(err, trust.ErrBusy), errors.Is(err, trust.ErrSignature):
					continue
				default:
					t.Errorf("expected the newest or a refusal to go back, found %v", err)
					continue
				}
				got := version(view, "timestamp")
				if got < atLeast {
					t.Errorf("timestamp %d after another process had %d", got, atLeast)
				}
				for before := reached.Load(); before < got && !reached.CompareAndSwap(before, got); before = reached.Load() {
				}
			}
		})
	}
	all.Wait()
	if reached.Load() == 0 {
		t.Fatal("nobody got anything: the test tests nothing")
	}
	want := b.repo.Version("timestamp")
	if got := version(b.mustRefresh(), "timestamp"); got != want {
		t.Errorf("expected timestamp %d in the end, found %d", want, got)
	}
	if got := version(mustOffline(t, b), "timestamp"); got != want {
		t.Errorf("offline: expected timestamp %d in the end, found %d", want, got)
	}
}
