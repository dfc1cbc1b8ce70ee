package wire

import "testing"

// Whatever this machine has, none of it means itself or its link.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, a := range Addresses() {
		if !a.IsValid() || a.Is4In6() || isLocal(a.String()) {
			t.Errorf("found %s", a)
		}
	}
}
