package trust

import (
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
