package trust_test

import (
	"errors"
	"sync"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// One Repository in several goroutines, as a daemon has it: the repository
// changes, views of before live on, and whoever looks up gets what his view says.
func TestOneRepositoryInManyGoroutines(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}})
	b.delegate("targets",
		testrepo.DelegatedRole{Name: "left", Paths: []string{"l/*"}},
		testrepo.DelegatedRole{Name: "right", Paths: []string{"r/*"}},
	)
	b.delegate("left", testrepo.DelegatedRole{Name: "shared", Paths: []string{"*/*"}})
	b.delegate("right", testrepo.DelegatedRole{Name: "shared", Paths: []string{"*/*"}})
	paths := []string{"l/f", "r/f"}
	for i := range 4 {
		for _, path := range paths {
			must(t, b.repo.AddTarget(path, []byte{byte(i)}, "shared"))
		}
		b.publish()
	}
	first := b.repo.Generation() - 3
	b.remote.serve(first)
	r := b.open()
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for round := range 4 {
				if worker == 0 {
					b.remote.serve(first + round)
				}
				view, err := r.Refresh(t.Context())
				if errors.Is(err, trust.ErrRollback) || errors.Is(err, trust.ErrBusy) || errors.Is(err, trust.ErrMismatch) {
					continue // the mirror changed under it
				}
				if err != nil {
					t.Error(err)
					continue
				}
				content := []byte{byte(version(view, "snapshot") - 2)}
				for i := range paths {
					target, err := view.Target(t.Context(), paths[(i+worker)%2])
					if err != nil {
						t.Error(err)
					} else if err := target.Check(content); err != nil {
						t.Errorf("another view's target: %v", err)
					}
				}
				count := 0
				for _, err := range view.Targets(t.Context()) {
					if err != nil {
						t.Error(err)
					}
					count++
				}
				if count != 3 {
					t.Errorf("expected 3 targets, found %d", count)
				}
				if offline, err := r.Offline(t.Context()); err != nil {
					t.Error(err)
				} else if got := version(offline, "timestamp"); got < version(view, "timestamp") {
					t.Errorf("offline: timestamp %d, though %d was seen", got, version(view, "timestamp"))
				}
			}
		})
	}
	all.Wait()
	b.remote.serve(0)
	if got, want := version(b.mustRefresh(), "timestamp"), b.repo.Version("timestamp"); got != want {
		t.Errorf("expected timestamp %d in the end, found %d", want, got)
	}
}
