package release

import "testing"

func TestIsOurs(t *testing.T) {
	for text, want := range map[string]bool{
		`{"schema":"assay.catalog/v1"}`: true,
		`{"schema":"assay.catalog/v9"}`: true, // refused later, with a reason
		`{"schema":"assay"}`:            false,
		`{"schema":1}`:                  false,
		`{"products":[]}`:               false,
		`[]`:                            false,
		`<html>`:                        false,
		``:                              false,
	} {
		if got := IsOurs([]byte(text)); got != want {
			t.Errorf("%s: expected %v, found %v", text, want, got)
		}
	}
}
