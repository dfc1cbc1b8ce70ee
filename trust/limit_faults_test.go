package trust_test

import (
	"errors"
	"fmt"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// Only what is too large is said to meet a limit, and of two limits the one that
// the Remote has named, as it read something else first.
func TestErrorOfTheRemoteAndItsLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err, kind error
		limit     string
	}{
		"silence":           {trust.ErrNoAnswer, trust.ErrNoAnswer, ""},
		"too large":         {fmt.Errorf("by a mirror: %w", trust.ErrTooLarge), trust.ErrTooLarge, "timestamp"},
		"too large a root":  {&trust.LimitError{Limit: "root", Err: trust.ErrTooLarge}, trust.ErrTooLarge, "root"},
		"no such timestamp": {trust.ErrNoMetadata, trust.ErrNoMetadata, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			b.remote.fail("timestamp.json", nil, test.err)
			err := b.refuses(test.kind)
			var limit *trust.LimitError
			if met := errors.As(err, &limit); met != (test.limit != "") || met && limit.Limit != test.limit {
				t.Errorf("expected the limit %q, found %v", test.limit, err)
			}
		})
	}
}
