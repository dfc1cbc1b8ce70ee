package sbom

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// TestSeveralLicenses of a CycloneDX component: none gets better by the company
// of another, and none is lost to whoever looks for it.
func TestSeveralLicenses(t *testing.T) {
	for name, c := range map[string]struct {
		licenses string
		want     string
		valid    bool
		ids      []string
	}{
		"one":                     {`{"license":{"id":"MIT"}}`, "MIT", true, []string{"MIT"}},
		"two":                     {`{"license":{"id":"MIT"}},{"license":{"name":"ISC"}}`, "MIT AND ISC", true, []string{"MIT", "ISC"}},
		"an expression in it":     {`{"expression":"MIT OR ISC"},{"license":{"id":"0BSD"}}`, "(MIT OR ISC) AND 0BSD", true, []string{"MIT", "ISC", "0BSD"}},
		"a text alone":            {`{"license":{"name":"GNU AGPL v3"}}`, "GNU AGPL v3", false, []string{"GNU AGPL v3"}},
		"a text beside one":       {`{"license":{"name":"GNU AGPL v3"}},{"license":{"id":"MIT"}}`, `"GNU AGPL v3" AND MIT`, false, []string{"GNU AGPL v3", "MIT"}},
		"a text behind one":       {`{"license":{"id":"MIT"}},{"license":{"name":"GNU AGPL v3"}}`, `MIT AND "GNU AGPL v3"`, false, []string{"MIT", "GNU AGPL v3"}},
		"two texts":               {`{"license":{"name":"A B"}},{"license":{"name":"A B"}}`, `"A B" AND "A B"`, false, []string{"A B"}},
		"brackets across":         {`{"license":{"name":"(MIT OR (AGPL-3.0-only"}},{"license":{"name":"X))"}}`, `"(MIT OR (AGPL-3.0-only" AND "X))"`, false, []string{"(MIT OR (AGPL-3.0-only", "X))"}},
		"quotes of its own":       {`{"license":{"name":"\" AND (MIT OR \""}},{"license":{"name":")"}}`, `"' AND (MIT OR '" AND ")"`, false, []string{"' AND (MIT OR '", ")"}},
		"not asserted beside one": {`{"license":{"name":"NOASSERTION"}},{"license":{"id":"MIT"}}`, `"NOASSERTION" AND MIT`, false, []string{"MIT"}},
		"an empty name":           {`{"license":{"name":" "}},{"license":{"id":"MIT"}}`, `"NOASSERTION" AND MIT`, false, []string{"MIT"}},
		"none at all":             {`{"license":{"name":"NONE"}},{"license":{"name":""}}`, "", false, nil},
		"nothing":                 {``, "", false, nil},
	} {
		data, err := json.Marshal(map[string]any{
			"bomFormat": "CycloneDX", "specVersion": "1.6",
			"components": []any{map[string]any{"type": "library", "name": "x", "licenses": json.RawMessage("[" + c.licenses + "]")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		found := doc.Components[0].License
		e := ParseExpression(found)
		if found != c.want || e.Valid() != c.valid || !slices.Equal(e.IDs(), c.ids) {
			t.Errorf("%s: expected %s, valid %t, %q, found %s, %t, %q", name, c.want, c.valid, c.ids, found, e.Valid(), e.IDs())
		}
	}
}

// FuzzSeveralLicenses: what is no expression makes none of the whole, and an
// expression beside it is still found.
func FuzzSeveralLicenses(f *testing.F) {
	f.Add("MIT", "GNU AGPL v3")
	f.Add("(MIT OR (AGPL-3.0-only", "X))")
	f.Add(`" AND MIT`, `"`)
	f.Add("NOASSERTION", "MIT OR ISC")
	f.Fuzz(func(t *testing.T, a, b string) {
		joined := joinLicenses(cyclonedx.Licenses{{License: &cyclonedx.License{Name: a}}, {License: &cyclonedx.License{Name: b}}})
		x, y, both := ParseExpression(plain(a)), ParseExpression(plain(b)), ParseExpression(joined)
		if both.Valid() && !(x.Valid() && y.Valid()) {
			t.Errorf("%q and %q: %s is an expression", a, b, joined)
		}
		for _, one := range []Expression{x, y} {
			for _, id := range one.IDs() {
				same := func(other string) bool { return strings.EqualFold(id, other) }
				if one.Valid() && len(joined) <= maxLicense && !slices.ContainsFunc(both.IDs(), same) {
					t.Errorf("%q and %q: %s does not tell of %s, but of %q", a, b, joined, id, both.IDs())
				}
			}
		}
	})
}
