package release

import (
	"errors"
	"strings"
	"testing"
)

func TestCrowds(t *testing.T) {
	for _, team := range []string{
		"The community", "community", "COMMUNITY", " the  Community! ", "the hello community", "Contributors", "The Hello contributors", "hello-contributors",
		"The Go Authors", "volunteers", "everyone", "N/A", "n.a.", "none", "nobody", "unknown", "Anonymous", "TBD", "todo", "-", "???", "12345", "the", "", "   ",
		"Team", "the team", "maintainers", "The Publisher",
	} {
		if !isCrowd(team) && !isPlaceholder(team) {
			t.Errorf("%q passed for a team", team)
		}
	}
	for _, team := range []string{
		"Hello release team", "Community Release Team", "Acme GmbH", "The Guardian Project", "hello maintainers", "Ferry & Sons", "发布团队", "37signals", "Team Hello", "Theo",
	} {
		if isCrowd(team) || isPlaceholder(team) {
			t.Errorf("%q passed for nobody in particular", team)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, " - ": true, "TODO": true, "t.b.d.": false, "N/A": true, "?": true, "24/7": false, "none": false, "unknown to us": false,
	} {
		if isPlaceholder(text) != want {
			t.Errorf("%q: expected %v", text, want)
		}
	}
}

func TestRevisions(t *testing.T) {
	for length, want := range map[int]bool{0: false, 7: false, 39: false, 40: true, 41: false, 63: false, 64: true, 65: false} {
		if text := strings.Repeat("a", length); isRevision(text) != want {
			t.Errorf("%d digits: expected %v", length, want)
		}
	}
	for _, bad := range []string{strings.Repeat("A", 40), strings.Repeat("g", 40), strings.Repeat(" ", 64)} {
		if isRevision(bad) {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"https://hello.example/bugs": true, "http://hello.example": true, "mailto:help@hello.example": true, "help@hello.example": true, "ssh://git.example/x": true,
		"": false, "hello.example": false, "/bugs": false, "see the README": false, "@hello": false, "help@": false, "help@localhost": false, "a b@hello.example": false,
		"https://": false, "https:hello.example": false, "help@a.example@b.example": false, "help@.": false, "git@git.example:hello/hello": false, "//hello.example/bugs": false, "@hello.example": false,
	} {
		if isAddress(text) != want {
			t.Errorf("%q: expected %v", text, want)
		}
	}
	for text, want := range map[string]bool{
		"write to <help@hello.example>.": true, "see https://hello.example/help, or ask": true, "security fixes only": false, "": false,
	} {
		if hasAddress(text) != want {
			t.Errorf("%q: expected %v", text, want)
		}
	}
}

func TestLicense(t *testing.T) {
	for _, good := range []string{
		"MIT", "Apache-2.0", "GPL-2.0+", "GPL-2.0-only WITH Classpath-exception-2.0", "MIT OR Apache-2.0", "MIT AND (LGPL-2.1-or-later OR BSD-3-Clause)",
		"(MIT)", "((MIT OR X11)AND Zlib)", "LicenseRef-Acme", "DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2", "mit or apache-2.0", "0BSD",
		"GPL-3.0-only WITH AdditionRef-mine", "GPL-3.0-only WITH DocumentRef-x:AdditionRef-mine", "  MIT  ",
		strings.Repeat("(", maxLicenseDepth) + "MIT" + strings.Repeat(")", maxLicenseDepth),
	} {
		if err := checkLicense(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", " ", "Apache 2.0", "MIT/Apache-2.0", "MIT, BSD", "AND", "MIT AND", "OR MIT", "MIT OR OR X11", "MIT WITH", "MIT WITH AND", "WITH x", "(MIT", "MIT)", "()", "(AND)", "LicenseRef-x_y", "DocumentRef-x_y:LicenseRef-z", "MIT (X11)",
		"NONE", "NOASSERTION", "LicenseRef-", "DocumentRef-:LicenseRef-x", "DocumentRef-x", "DocumentRef-x:MIT", "MIT\x00", "Größe", "+", "MIT + X11", "MIT And X11",
		"MIT WITH LicenseRef-a/b", "see https://hello.example/licence", "GPL-2.0++",
		strings.Repeat("(", maxLicenseDepth+1) + "MIT" + strings.Repeat(")", maxLicenseDepth+1), strings.Repeat("(", 1000),
	} {
		if err := checkLicense(bad); !errors.Is(err, errLicense) || unprintable(err.Error()) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestPURL(t *testing.T) {
	for good, want := range map[string]string{
		"pkg:golang/golang.org/x/text@v0.30.0": "v0.30.0", "pkg:npm/%40angular/animation@12.3.1": "12.3.1", "pkg:npm/@angular/animation": "",
		"pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie": "7.50.3-1", "pkg:golang/google.golang.org/genproto#googleapis/api/annotations": "",
		"pkg:pypi/django": "", "pkg:docker/cassandra@sha256%3A244fd47e07d1004f0aed9c": "sha256:244fd47e07d1004f0aed9c", "pkg:a.b+c-1/x": "",
	} {
		if got, err := checkPURL(good); err != nil || got != want {
			t.Errorf("%s: got %q, %v, expected %q", good, got, err, want)
		}
	}
	for _, bad := range []string{
		"", "pkg:", "pkg:golang", "pkg:golang/", "pkg:/x", "golang/x", "PKG:golang/x", "pkg:Golang/x", "pkg:aB/x", "pkg:a{b/x", "pkg:a!b/x", "pkg:a_b/x", "pkg:1x/y", "pkg:go lang/x", "pkg:npm//x", "pkg:npm/x/", "pkg:npm/x@",
		"pkg:npm/%zz", "pkg:npm/x@%zz", "pkg:npm/x?", "pkg:npm/x?a", "pkg:npm/x?=b", "pkg:npm/x?a=%z", "pkg:npm/x#%z", "pkg:npm/@1", "pkg:npm/x y",
	} {
		if got, err := checkPURL(bad); !errors.Is(err, errPURL) || got != "" || unprintable(err.Error()) {
			t.Errorf("%q: got %q, %v", bad, got, err)
		}
	}
}

func FuzzLicense(f *testing.F) {
	for _, text := range []string{"MIT OR (Apache-2.0 AND GPL-2.0+ WITH Classpath-exception-2.0)", "DocumentRef-x:LicenseRef-y", "((", "mit and", "MIT)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := checkLicense(text)
		if err != nil {
			if !errors.Is(err, errLicense) || unprintable(err.Error()) {
				t.Fatalf("%q: got %v", text, err)
			}
			return
		}
		// What is an expression is one as an operand, too.
		if err := checkLicense("X11 AND (" + text + ") OR " + text); err != nil && strings.Count(text, "(") < maxLicenseDepth {
			t.Fatalf("%q passed alone, but not within another: %v", text, err)
		}
		if strings.Count(text, "(") != strings.Count(text, ")") || strings.ContainsAny(text, "/,;\"'") {
			t.Fatalf("%q passed", text)
		}
	})
}

func FuzzPURL(f *testing.F) {
	for _, text := range []string{"pkg:golang/golang.org/x/text@v0.30.0?a=b#c", "pkg:npm/%40a/b", "pkg:npm/@1", "pkg:a/b@%00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		version, err := checkPURL(text)
		if err != nil {
			if !errors.Is(err, errPURL) || version != "" || unprintable(err.Error()) {
				t.Fatalf("%q: got %q, %v", text, version, err)
			}
			return
		}
		kind, name, ok := strings.Cut(strings.TrimPrefix(text, "pkg:"), "/")
		if !strings.HasPrefix(text, "pkg:") || !ok || name == "" || kind != strings.ToLower(kind) || version != "" && !strings.Contains(text, "@") {
			t.Fatalf("%q passed with version %q", text, version)
		}
	})
}
