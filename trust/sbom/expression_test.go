package sbom

import (
	"slices"
	"strings"
	"testing"
)

func TestExpression(t *testing.T) {
	for _, c := range []struct {
		text  string
		valid bool
		ids   string // with spaces between them
	}{
		{"MIT", true, "MIT"},
		{"MIT OR Apache-2.0", true, "MIT Apache-2.0"},
		{"(MIT and mit) or GPL-2.0+ with Classpath-exception-2.0", true, "MIT GPL-2.0+"},
		{"LicenseRef-a.b AND DocumentRef-x:LicenseRef-y", true, "LicenseRef-a.b DocumentRef-x:LicenseRef-y"},
		{"((MIT))", true, "MIT"},
		{"(MIT)OR(ISC)", true, "MIT ISC"},
		{"", false, ""},
		{" NOASSERTION ", false, ""},
		{"NONE", false, ""},
		{"MIT AND NOASSERTION", false, "MIT AND NOASSERTION"},
		{"none OR MIT", false, "none OR MIT"},
		{"MIT License", false, "MIT License"},
		{"MIT OR", false, "MIT OR"},
		{"(MIT", false, "(MIT"},
		{"MIT)", false, "MIT)"},
		{"()", false, "()"},
		{"OR", false, "OR"},
		{"MIT WITH", false, "MIT WITH"},
		{"MIT WITH a+", false, "MIT WITH a+"},
		{"(MIT OR ISC) WITH x", false, "(MIT OR ISC) WITH x"},
		{"MIT++", false, "MIT++"},
		{"+", false, "+"},
		{"MIT/X11", false, "MIT/X11"},
		{"AND MIT", false, "AND MIT"},
		{"AND", false, "AND"},
		{"WITH", false, "WITH"},
		{"MIT{", false, "MIT{"},
		{"MIT[", false, "MIT["},
		{"MIT:", false, "MIT:"},
		{strings.Repeat("(", 64) + "MIT" + strings.Repeat(")", 64), true, "MIT"},
	} {
		e := ParseExpression(c.text)
		want := strings.Fields(c.ids)
		if !c.valid && c.ids != "" {
			want = []string{c.ids}
		}
		if e.Valid() != c.valid || !slices.Equal(e.IDs(), want) || e.IsZero() != (c.ids == "") {
			t.Errorf("%q: found valid %v, ids %q; expected %v, %q", c.text, e.Valid(), e.IDs(), c.valid, want)
		}
	}
	if deep := strings.Repeat("(", 65) + "MIT" + strings.Repeat(")", 65); ParseExpression(deep).Valid() {
		t.Error("65 brackets: found an expression; expected none")
	}
	if long := "MIT" + strings.Repeat(" AND MIT", maxLicense/8); ParseExpression(long).Valid() {
		t.Error("a long text: found an expression; expected none")
	}
}

func TestSatisfiesAndMentions(t *testing.T) {
	for _, c := range []struct {
		text, list           string // the list's entries are split by commas
		satisfied, mentioned bool
	}{
		{"MIT", "mit", true, true},
		{"MIT", "ISC", false, false},
		{"MIT", "", false, false},
		{"", "MIT", false, false},
		{"NOASSERTION", "NOASSERTION", false, false},
		{"MIT OR AGPL-3.0-only", "MIT", true, false},
		{"MIT OR AGPL-3.0-only", "AGPL-3.0-only", true, false},
		{"MIT OR AGPL-3.0-only", "AGPL-3.0-only,MIT", true, true},
		{"MIT AND AGPL-3.0-only", "MIT", false, true},
		{"MIT AND AGPL-3.0-only", "MIT,AGPL-3.0-only", true, true},
		{"MIT OR ISC AND Zlib", "ISC", false, false},
		{"MIT OR ISC AND Zlib", "ISC,MIT", true, true},
		{"(MIT OR ISC) AND Zlib", "ISC,Zlib", true, true},
		{"(MIT OR ISC) AND Zlib", "MIT", false, false},
		{"GPL-2.0", "GPL-2.0-only", true, true},
		{"GPL-2.0-only", "GPL-2.0", true, true},
		{"GPL-2.0+", "gpl-2.0-or-later", true, true},
		{"LGPL-2.1-or-later", "LGPL-2.1+", true, true},
		{"GPL-2.0-or-later", "GPL-2.0-only", false, false},
		{"Apache-1.1+", "Apache-1.1", true, true},
		{"Apache-1.1+", "Apache-1.1+", true, true},
		{"Apache-1.1", "Apache-1.1+", false, false},
		{"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", true, true},
		{"GPL-2.0-only WITH Classpath-exception-2.0", "gpl-2.0 with  classpath-exception-2.0", true, true},
		{"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH GCC-exception-2.0", false, false},
		{"GPL-2.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", false, false},
		{"Apache-1.1+ WITH x", "Apache-1.1 WITH x", true, true},
		{"My Own License", "my own license", true, true},
		{"AGPL-3.0-only OR", "AGPL-3.0-only", false, true},
		{"AGPL-3.0+, see COPYING", "AGPL-3.0-or-later", false, true},
		{"see [AGPL-3.0-only]", "AGPL-3.0-only", false, true},
		{"MIT/AGPL", "AGPL", false, false},
		{"see Foo-1+", "Foo-1+", false, true},
		{"see Foo-1+", "Foo-1", false, true},
		{"Apache-1.1+ WITH x", "Apache-1.1+ WITH x", true, true},
		{"Apache-1.1 WITH x", "Apache-1.1+ WITH x", false, false},
	} {
		var list []string
		if c.list != "" {
			list = strings.Split(c.list, ",")
		}
		e := ParseExpression(c.text)
		if got := e.Satisfies(list); got != c.satisfied {
			t.Errorf("%q satisfies %q: found %v, expected %v", c.text, list, got, c.satisfied)
		}
		if got := e.Mentions(list); got != c.mentioned {
			t.Errorf("%q mentions %q: found %v, expected %v", c.text, list, got, c.mentioned)
		}
	}
	if e := (Expression{}); e.Satisfies([]string{""}) || e.Mentions([]string{""}) {
		t.Error("an empty entry satisfies or denies a licence that is not stated")
	}
}

// TestWithin: several lists have to agree on one choice.
func TestWithin(t *testing.T) {
	for _, c := range []struct {
		text, deny, allow string // entries are split by commas, lists by semicolons
		within            bool
	}{
		{"MIT", "", "", true},
		{"MIT", "ISC", "", true},
		{"MIT", "mit", "", false},
		{"MIT OR AGPL-3.0-only", "MIT", "", true},
		{"MIT OR AGPL-3.0-only", "MIT,AGPL-3.0-only", "", false},
		{"MIT OR AGPL-3.0-only", "", "MIT", true},
		{"MIT OR AGPL-3.0-only", "", "MIT;AGPL-3.0-only", false},
		{"MIT OR AGPL-3.0-only", "", "MIT,AGPL-3.0-only;AGPL-3.0-only", true},
		{"MIT OR AGPL-3.0-only", "AGPL-3.0-only", "MIT,AGPL-3.0-only;AGPL-3.0-only", false},
		{"MIT AND ISC", "", "MIT,ISC;ISC,MIT", true},
		{"MIT AND ISC", "", "MIT,ISC;ISC", false},
		{"MIT OR GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", false},
		{"Apache-1.1+", "", "Apache-1.1;Apache-1.1+", true},
		{"LicenseRef-x", "AGPL-3.0-only", "", true},
		{"AGPLv3", "AGPL-3.0-only", "", true},
		{"My Own License", "", "My Own License", false},
		{"GNU Affero General Public License v3.0", "AGPL-3.0-only", "", false},
		{"MIT/AGPL-3.0-only", "AGPL-3.0-only", "", false},
		{"", "MIT", "", false},
		{"NONE", "", "", false},
	} {
		split := func(text, by string) (list []string) {
			if text != "" {
				list = strings.Split(text, by)
			}
			return list
		}
		var allow [][]string
		for _, list := range split(c.allow, ";") {
			allow = append(allow, split(list, ","))
		}
		if got := ParseExpression(c.text).Within(split(c.deny, ","), allow...); got != c.within {
			t.Errorf("%q without %q and with %q: found %v, expected %v", c.text, c.deny, c.allow, got, c.within)
		}
	}
}

// FuzzExpression holds that the ids of an expression satisfy it, that denying
// them all denies it, that one of an OR of two suffices, and that Within agrees.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"MIT", "(A OR B) AND C+ WITH d", "a b", "NONE", "GPL-2.0+ OR LicenseRef-x", "((", "A AND"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := ParseExpression(text)
		ids := e.IDs()
		if e.IsZero() != (len(ids) == 0) {
			t.Fatalf("%q: ids %q, but IsZero is %v", text, ids, e.IsZero())
		}
		if e.IsZero() {
			return
		}
		if !e.Satisfies(ids) || !e.Mentions(ids) {
			t.Fatalf("%q: its own ids %q satisfy it: %v, deny it: %v", text, ids, e.Satisfies(ids), e.Mentions(ids))
		}
		if e.Satisfies(nil) || e.Mentions(nil) {
			t.Fatalf("%q: an empty list satisfies or denies it", text)
		}
		if !e.Valid() {
			if e.Within(nil) || e.Within(nil, ids) {
				t.Fatalf("%q: no expression, and within something", text)
			}
			return
		}
		if !e.Within(nil) || !e.Within(nil, ids, ids) || e.Within(ids) || e.Within(ids[:1], ids[:1]) {
			t.Fatalf("%q: expected it to be within its own ids, and not without them", text)
		}
		if either := ParseExpression("(" + text + ") OR X-y-z"); either.Valid() && (!either.Satisfies([]string{"x-Y-z"}) || !either.Satisfies(ids)) {
			t.Fatalf("%q: neither side of an OR suffices", text)
		}
	})
}
