package sbom

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	// Each line is in order, the oldest first; "=" joins equal ones.
	for _, c := range []struct{ kind, line string }{
		{"golang", "v0.0.0-20220101000000-abcdef012345 v0.3.7 v0.3.8-rc.1 0.3.8 v1.0.0=v1.0.0+incompatible v1.10.0"},
		{"npm", "1.0.0-0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta 1.0.0=1.0=1 1.0.1-foo 1.0.1 1.2"},
		{"", "1.0.0-rc.1 1.0.0 1.0.1-any 1.0.1"},
		{"", "1.0.2 1.0.2a 1.0.2n 1.1"},
		{"deb", "1.0~rc1-1 1.0~rc1-2 1.0=1.0-0 1.0-1 1.0-1+deb11u1 1.0-1+deb11u2 1.0+dfsg-1 1.0.1-1 1:0.9-1"},
		{"deb", "1.1.1k-1 1.1.1n-0+deb11u3 1.1.1n-0+deb11u10 1.1.1w-0 3.0.2"},
		{"rpm", "1.0~rc1-1 1.0-1 1.0-1.el8 1.0-2.el8 1.0^git1-1 1.0.1-1 1.10-1 1:0.1-1"},
		{"rpm", "1.0a 1.0b 1.0.1=1_0_1=1{0.1 2.0"},
		{"rpm", "1.0~a 1.0 1.0^a 1.0^b 1.0a"},
		{"", "1a 1b 123abc"},
		{"maven", "1.0.Final 1.0.Final-redhat-1 1.0.1"},
		{"pypi", "1.0.dev1 1.0a1 1.0a2 1.0b1 1.0rc1=1.0c1 1.0=1.0.0=1 1.0.post1 1.0.1 1!0.5"},
		{"maven", "1.0-alpha-1=1.0a1 1.0-beta-1 1.0-M1=1.0-milestone-1 1.0-rc1=1.0-CR1 1.0-SNAPSHOT 1.0=1.0.0.Final=1.0-GA 1.0-jre=1.0.jre 1.1"},
		{"maven", "2.9 2.14.1 2.15.0-rc2 2.15.0 2.17.1"},
		{"apk", "1.2.3_alpha1 1.2.3_rc1 1.2.3-r0 1.2.3-r1 1.2.3-r10 1.2.4-r0"},
		{"gem", "1.0.0.beta1 1.0.0.rc2 1.0.0 1.0.0.1"},
		{"nuget", "1.0.0-beta 1.0.0=1.0.0.0 1.0.0.1"},
		{"generic", "9.3p1 9.3p2 9.4 00010"},
	} {
		var groups [][]string
		for group := range strings.FieldsSeq(c.line) {
			groups = append(groups, strings.Split(group, "="))
		}
		for i, group := range groups {
			for j, other := range groups {
				for _, a := range group {
					for _, b := range other {
						order, known := Compare(c.kind, a, b)
						if !known || (order < 0) != (i < j) || (order > 0) != (i > j) {
							t.Errorf("Compare(%q, %q, %q) = %d, %v; expected the order of %d and %d", c.kind, a, b, order, known, i, j)
						}
					}
				}
			}
		}
	}
}

func TestCompareKnowsWhatItCannot(t *testing.T) {
	for _, text := range []string{"", "latest", "(devel)", "3f2a9b1c", "1234567890abcdef1234567890abcdef12345678", "1.0\x1b[2J", "1é", "1 2", strings.Repeat("1", 129), "v"} {
		if _, known := Compare("golang", text, "1.2.3"); known {
			t.Errorf("Compare(%q) is known; expected not", text)
		}
		if _, known := Compare("deb", "1.2.3", text); known {
			t.Errorf("Compare(…, %q) is known; expected not", text)
		}
	}
	if order, known := Compare("", "latest", "latest"); order != 0 || !known {
		t.Errorf("two equal texts: found %d, %v; expected equal", order, known)
	}
	if order, known := Compare("", "1234567", "1234568"); order >= 0 || !known {
		t.Errorf("long numbers: found %d, %v; expected a version, and no commit", order, known)
	}
}

// FuzzCompare holds that every order is one: each version equals itself, turning
// the sides turns the result, and what is between two others is.
func FuzzCompare(f *testing.F) {
	for _, s := range [][4]string{
		{"deb", "1:1.0~rc1-1", "1.0-1", "1.0+dfsg-1"}, {"rpm", "1.0^a-1", "1.0~b-1", "1.0-"}, {"pypi", "1!1.0a1", "1.0.post1", "1.0.dev"},
		{"maven", "1.0-SNAPSHOT", "1.0.Final", "1.0"}, {"generic", "1.0.~", "1.0~0", "1.00"}, {"generic", "1.a1", "1.a", "1.a0"},
	} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	f.Fuzz(func(t *testing.T, kind, a, b, c string) {
		ab, known := Compare(kind, a, b)
		ba, knownToo := Compare(kind, b, a)
		if known != knownToo || sign(ab) != -sign(ba) {
			t.Fatalf("%q and %q: %d (%v) one way, %d (%v) the other", a, b, ab, known, ba, knownToo)
		}
		if kind != "deb" && kind != "rpm" {
			kind = "generic" // the others mix two orders
		}
		if kind == "rpm" && strings.Contains(a+b+c, "-") {
			return // a missing release equals every one
		}
		ab, k1 := Compare(kind, a, b)
		bc, k2 := Compare(kind, b, c)
		ac, k3 := Compare(kind, a, c)
		if k1 && k2 && k3 && ab <= 0 && bc <= 0 && (ac > 0 || ac == 0 && (ab < 0 || bc < 0)) {
			t.Fatalf("%s: %q, %q, %q: %d, %d, but %d", kind, a, b, c, ab, bc, ac)
		}
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
