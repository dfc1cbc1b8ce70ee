package trust

import (
	"errors"
	"strings"
	"testing"
)

// A foreign parser that panics must not take the program with it.
func TestPanicOfAParserIsAnError(t *testing.T) {
	t.Parallel()
	err := guard(func() error {
		var nobody *document
		return nobody.decodeRoot()
	})
	if err == nil || !strings.Contains(err.Error(), "the parser gave up") {
		t.Errorf("expected the panic as an error, found %v", err)
	}
}

// A role that nobody delegates to is verified with nobody's keys, even if a caller
// should ask for one.
func TestKeyringOfAStrangerVerifiesNothing(t *testing.T) {
	t.Parallel()
	for _, d := range []*delegations{
		{bins: &bins{KeyIDs: []string{"a"}, Threshold: 1, BitLength: 2, Prefix: "bin"}},
		{named: map[string]delegation{"team": {Name: "team", KeyIDs: []string{"a"}, Threshold: 1}}},
	} {
		ring := d.ring("stranger")
		if _, err := ring.verify(&document{role: "stranger"}); !errors.Is(err, ErrSignature) || len(ring.ids) > 0 {
			t.Errorf("expected ErrSignature and no keys, found %v, %v", err, ring.ids)
		}
	}
}
