package trust_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// Each limit, when it is met, says which one it is, and stays the error that it
// was.
func TestLimitThatIsMetIsNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits trust.Limits
		kind   error
	}{
		"root": {trust.Limits{Root: 100}, trust.ErrTooLarge}, "timestamp": {trust.Limits{Timestamp: 100}, trust.ErrTooLarge},
		"snapshot": {trust.Limits{Snapshot: 100}, trust.ErrTooLarge}, "targets": {trust.Limits{Targets: 100}, trust.ErrTooLarge},
		"depth": {trust.Limits{Depth: 2}, trust.ErrMalformed},
		"roles": {trust.Limits{Roles: 1}, trust.ErrSearchLimit}, "listing": {trust.Limits{Listing: 1}, trust.ErrSearchLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "one", Paths: []string{"a/*"}}))
			must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "two", Paths: []string{"a/*"}}))
			b.publish()
			must(t, b.repo.PublishRoot())
			must(t, b.repo.PublishRoot())
			b.config.Limits = test.limits
			view, err := b.with(&trust.MemStore{}).Refresh(t.Context())
			if err == nil && name == "roles" {
				_, err = view.Target(t.Context(), "a/none")
			}
			if err == nil && name == "listing" {
				for _, err = range view.Targets(t.Context()) {
					if err != nil {
						break
					}
				}
			}
			var limit *trust.LimitError
			if !errors.Is(err, test.kind) || !errors.As(err, &limit) || limit.Limit != name {
				t.Errorf("expected %v by the limit %s, found %v", test.kind, name, err)
			}
		})
	}
}

func TestGivenRootWithinTheLimits(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	large := fmt.Appendf(nil, "%s%s", b.config.Root, strings.Repeat(" ", int(trust.DefaultLimits().Root)))
	var limit *trust.LimitError
	if _, err := trust.CheckRoot(large, trust.Limits{}); !errors.Is(err, trust.ErrTooLarge) || !errors.As(err, &limit) || limit.Limit != "root" {
		t.Errorf("expected %v by the limit root, found %v", trust.ErrTooLarge, err)
	}
	if _, err := trust.CheckRoot(large, trust.Limits{Root: 1 << 20}); err != nil {
		t.Error(err)
	}
	if _, err := trust.CheckRoot(large, trust.Limits{Root: -1}); !errors.Is(err, trust.ErrLimits) {
		t.Errorf("expected %v, found %v", trust.ErrLimits, err)
	}
}
