package trust_test

import (
	"context"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// interrupted is a Store that runs something once, after the next View.
type interrupted struct {
	trust.Store
	then func()
}

func (i *interrupted) View(ctx context.Context, fn func(trust.Tx) error) error {
	err := i.Store.View(ctx, fn)
	if then := i.then; then != nil {
		i.then = nil
		then()
	}
	return err
}

// Two goroutines have one Repository: between what the one has read and what it
// makes of it, the other takes over a newer set. The first ends with a whole set
// all the same, the older or the newer one.
func TestOvertakenWithinOneProcess(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(*trust.Repository) (*trust.View, error){
		"offline": func(r *trust.Repository) (*trust.View, error) { return r.Offline(context.Background()) },
		"refresh": func(r *trust.Repository) (*trust.View, error) { return r.Refresh(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			store := &interrupted{Store: b.config.Store}
			r := b.with(store)
			_, err := r.Refresh(t.Context())
			must(t, err)
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			b.publish()
			store.then = func() {
				_, err := r.Refresh(t.Context())
				must(t, err)
			}
			view, err := run(r)
			must(t, err)
			if got := version(view, "timestamp"); got != version(view, "targets") || got < 1 {
				t.Errorf("expected one whole set, found timestamp %d with targets %d", got, version(view, "targets"))
			}
			promisedBy(t, view, "a.txt", "targets")
			if got := version(mustOffline(t, b), "timestamp"); got != 2 {
				t.Errorf("expected timestamp 2 in the end, found %d", got)
			}
		})
	}
}
