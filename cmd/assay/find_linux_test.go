package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"assay/artifact"
	"assay/cache"
)

// TestFindCommand describes blobs as a proof does, and asks for them.
func TestFindCommand(t *testing.T) {
	m := &machine{t: t, home: t.TempDir()}
	store, err := cache.Open(filepath.Join(m.home, "cache", "assay"), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string, f cache.Facts) {
		t.Helper()
		f.Digest = artifact.DigestOf(artifact.SHA256, []byte(text))
		stage, err := store.Stage(t.Context(), artifact.Digests{f.Digest}, int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stage.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := stage.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		name := cache.Name{Repository: "acme", Product: text, Version: "1.0", Platform: "linux/amd64"}
		if err := store.Note(t.Context(), f.Digest, name); err != nil {
			t.Fatal(err)
		}
		if f.Repository == "" {
			return
		}
		f.Product, f.Version, f.Platform = name.Product, name.Version, name.Platform
		if err := store.Describe(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	text := func(version string) cache.Component {
		return cache.Component{Name: "golang.org/x/text", Version: version, PURL: "pkg:golang/golang.org/x/text@" + version, License: "BSD-3-Clause"}
	}
	put("old", cache.Facts{
		Repository: "acme", License: "MIT", Builder: "https://ci/1", Revision: strings.Repeat("ab", 20),
		Signers: []string{"https://github.com/acme/old/.github/workflows/r.yml@refs/tags/v1", "key sha256:00", "https://github.com/acme/old/.github/workflows/r.yml@refs/tags/v1"}, Components: []cache.Component{text("v0.3.7")},
	})
	put("new", cache.Facts{Repository: "acme", License: "GPL-2.0 OR MIT", Builder: "https://ci/2", Components: []cache.Component{text("v0.4.0"), {Name: "odd", Version: "unknown"}}})
	for line, want := range map[string]string{
		"text":                                     "new old",
		"golang.org/x/text@<0.3.8":                 "old",
		"pkg:golang/golang.org/x/text@^0.4":        "new",
		"pkg:npm/golang.org/x/text":                "",
		"--license MIT":                            "new old",
		"--license gpl-2.0-only":                   "new",
		"text --license MIT":                       "",
		"text --license BSD-3-Clause":              "new old",
		"--revision ABABABA":                       "old",
		"--builder https://ci/2":                   "new",
		"--builder https://ci/*":                   "new old",
		"--builder https://ci":                     "",
		"--signer https://github.com/acme/**":      "old",
		"--signer https://github.com/*":            "",
		"text --builder https://ci/2":              "new",
		"text@<0.3.8 --builder /https://ci/[0-9]/": "old",
	} {
		args := append([]string{"find", "--json", "--quiet"}, strings.Fields(line)...)
		code, output := m.try(args...)
		var doc struct {
			Schema  string
			Unknown int
			Matches []struct{ Product, Digest string }
		}
		if err := json.Unmarshal([]byte(output), &doc); err != nil || code != 0 || doc.Schema != "assay.find/v1" || doc.Unknown != 0 {
			t.Errorf("%s: exit %d, %v: %s", line, code, err, output)
			continue
		}
		var found []string
		for _, match := range doc.Matches {
			found = append(found, match.Product)
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s: expected %q, found %q", line, want, got)
		}
	}
	m.expect(0, "acme:old 1.0 linux/amd64  golang.org/x/text v0.3.7\n", "find", "text@0.3.7")
	const signer = "https://github.com/acme/old/.github/workflows/r.yml@refs/tags/v1"
	for _, test := range [][]string{
		{"linux/amd64  signed by " + signer + "\n", "--signer", "https://github.com/acme/old/**"},
		{"linux/amd64  built by https://ci/1\n", "--builder", "https://ci/1"},
		{"linux/amd64  from " + strings.Repeat("ab", 20) + "\n", "--revision", "ABABABA"},
		{"linux/amd64  golang.org/x/text v0.3.7, built by https://ci/1, from abab", "text", "--builder", "https://ci/*", "--revision", "abababa"},
		{"linux/amd64  under MIT, built by https://ci/1\n", "--license", "MIT", "--builder", "https://ci/1"},
		{"linux/amd64  golang.org/x/text v0.3.7\n", "--license", "BSD-3-Clause"},
		{`"signers":["` + signer + `","key sha256:00"]`, "--builder", "https://ci/1", "--json"},
	} {
		m.expect(0, test[0], append([]string{"find"}, test[1:]...)...)
	}
	m.expect(0, "odd unknown?", "find", "odd@<1")
	m.expect(0, `"version":"unknown","compared":false}`, "find", "odd@<1", "--json")
	m.expect(2, "--revision: expected at least 7 hex digits, found \"abc\"", "find", "--revision", "abc")
	m.expect(0, "no held artifact matches", "find", "nothing")
	put("undescribed", cache.Facts{})
	m.expect(0, "nothing is known of 1 held artifacts; `assay verify --held` finds out", "find", "nothing")
	m.expect(0, `"unknown":1`, "find", "nothing", "--json")
	m.expect(2, "expected a component, or one of --revision", "find", "--json")
	for _, line := range []string{"", "a b", "text@", "--revision abc", "--revision nothexatall", "--signer /(/", "--builder /a)|(b/"} {
		m.expect(2, "assay: ", append([]string{"find"}, strings.Fields(line)...)...)
	}
}
