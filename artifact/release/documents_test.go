package release

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
)

func TestExampleCatalog(t *testing.T) {
	data := example(t, "catalog.json")
	c, err := DecodeCatalog(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []Product{
		{Name: "hello", Summary: "Prints a greeting", Channels: []string{"stable", "hotfix", "deprecated"}},
		{Name: "ferry", Summary: "Moves files", Channels: []string{"stable"}},
	}
	if !reflect.DeepEqual(c.Products, want) || c.Schema != "assay.catalog/v1" {
		t.Errorf("got %+v", c)
	}
	if string(c.Raw()) != string(data) || c.Unknown() != nil {
		t.Errorf("raw %q, unknown %v", c.Raw(), c.Unknown())
	}
	if p, ok := c.Lookup("ferry"); !ok || p.Summary != "Moves files" {
		t.Errorf("ferry: got %+v, %v", p, ok)
	}
	for _, name := range []string{"fer", "", "Ferry"} {
		if p, ok := c.Lookup(name); ok {
			t.Errorf("%q: got %+v", name, p)
		}
	}
}

func TestExampleChannel(t *testing.T) {
	c, err := DecodeChannel(example(t, "channel-stable/hello.json"), "hello", "stable")
	if err != nil {
		t.Fatal(err)
	}
	if c.Product != "hello" || c.Channel != "stable" || len(c.Releases) != 4 || c.Unknown() != nil {
		t.Errorf("got %+v", c)
	}
	if time.Duration(c.MaxAge) != 90*24*time.Hour || !c.EndOfLife.Equal(date("2028-01-01T00:00:00Z")) || !c.Updated.Equal(date("2026-11-02T09:00:00Z")) {
		t.Errorf("got max age %v, end of life %v, updated %v", c.MaxAge, c.EndOfLife, c.Updated)
	}
	entry, ok := c.Lookup(version("1.5.0"))
	wantRollout := &Rollout{Salt: "hello-1.5.0", Steps: []RolloutStep{
		{date("2026-11-02T09:00:00Z"), 5}, {date("2026-11-04T09:00:00Z"), 25}, {date("2026-11-09T09:00:00Z"), 100},
	}}
	if !ok || entry.Status != StatusCurrent || !reflect.DeepEqual(entry.Rollout, wantRollout) {
		t.Errorf("1.5.0: got %+v, %v", entry, ok)
	}
	entry, ok = c.Lookup(version("1.4.1"))
	if !ok || entry.Status != StatusRevoked || entry.Reason != "built on a machine that was compromised" || entry.Advisory == "" {
		t.Errorf("1.4.1: got %+v, %v", entry, ok)
	}
	if _, ok := c.Lookup(version("9.9.9")); ok {
		t.Error("9.9.9 was found")
	}
}

func TestExampleRelease(t *testing.T) {
	r, err := DecodeRelease(example(t, "hello/1.4.2/release.json"), "hello", version("1.4.2"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Unknown() != nil || r.Publisher.Team != "Hello release team" || r.Source.TagSigner != "release@hello.example" ||
		!r.Build.Reproducible || r.Components[0].PURL != "pkg:golang/golang.org/x/text@v0.30.0" ||
		r.Checksums.Bundles[0] != "hello/1.4.2/checksums.txt.sigstore.json" || r.KnownIssues[0] != "Locale is read once, at start" {
		t.Errorf("got %+v", r)
	}
	linux := r.Find(artifact.Platform{OS: "linux", Arch: "amd64"})
	if len(linux) != 1 || linux[0].Name() != "hello_1.4.2_linux_amd64.tar.gz" || linux[0].Length != 1843201 ||
		linux[0].Digests.Primary().String() != "sha256:6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0" ||
		linux[0].Executables[0] != (Executable{Path: "hello_1.4.2_linux_amd64/hello", Link: "hello"}) ||
		linux[0].Platform().String() != "linux/amd64" {
		t.Errorf("linux: got %+v", linux)
	}
	windows := r.Find(artifact.Platform{OS: "windows", Arch: "amd64"})
	if len(windows) != 1 || windows[0].Name() != "hello_1.4.2_windows_amd64.zip" || windows[0].Target != "" {
		t.Errorf("windows: got %+v", windows)
	}
	if none := r.Find(artifact.Platform{OS: "plan9", Arch: "amd64"}); none != nil {
		t.Errorf("plan9: got %+v", none)
	}
}

func TestExampleMirrors(t *testing.T) {
	m, err := DecodeMirrors(example(t, "mirrors.json"))
	if err != nil {
		t.Fatal(err)
	}
	eu := m.Mirrors[0]
	if len(m.Mirrors) != 2 || eu.URL != "https://eu.mirror.example/r/acme/" || eu.Region != "eu-west" || eu.Weight != 10 || eu.CIDRs[0].String() != "10.20.0.0/16" {
		t.Errorf("got %+v", m)
	}
}

func TestFindPrefersTheNearest(t *testing.T) {
	r := Release{Artifacts: []Artifact{
		{OS: "any", Arch: "any", Format: "jar"},
		{OS: "linux", Arch: "arm", Format: "plain"},
		{OS: "linux", Arch: "arm", Variant: "v7", Format: "v7 tar"},
		{OS: "linux", Arch: "arm", Variant: "v6", Format: "v6"},
		{OS: "linux", Arch: "arm", Variant: "v7", Format: "v7 deb"},
	}}
	for machine, want := range map[string][]string{
		"linux/arm/v7": {"v7 tar", "v7 deb"},
		"linux/arm/v5": {"plain"},
		"linux/arm":    {"plain"},
		"plan9/mips":   {"jar"},
	} {
		platform, err := artifact.ParsePlatform(machine)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range r.Find(platform) {
			got = append(got, a.Format)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", machine, got, want)
		}
	}
}

// Unknown fields are kept and reported, in known places and in unknown ones.
func TestUnknownFields(t *testing.T) {
	data := edit(t, "hello/1.4.2/release.json",
		`"os": "linux",`, `"os": "linux", "weird key": {"os": null_, "n": [1e-999999999, 2.5]},`,
		`null_`, `"x"`,
		`{"sha256": "6f1e`, `{"blake3": "00", "sha256": "6f1e`,
		`"license": "Apache-2.0",`, `"license": "Apache-2.0", "colour": 7,`)
	r, err := DecodeRelease(data, "hello", version("1.4.2"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`artifacts[0].digests.blake3`, `artifacts[0]["weird key"]`, `colour`}
	if got := r.Unknown(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if string(r.Raw()) != string(data) {
		t.Error("the raw bytes are others")
	}
	if len(r.Artifacts[0].Digests) != 1 {
		t.Errorf("got %v", r.Artifacts[0].Digests)
	}
}

func TestUnknownFieldsAreBounded(t *testing.T) {
	var extra strings.Builder
	for i := range 500 {
		extra.WriteString(`"x` + strings.Repeat("y", i) + `": 1, `)
	}
	data := edit(t, "catalog.json", `"products": [`, extra.String()+`"products": [`)
	c, err := DecodeCatalog(data)
	if err != nil || len(c.Unknown()) != maxUnknown {
		t.Errorf("got %d, %v", len(c.Unknown()), err)
	}
}

func TestPaths(t *testing.T) {
	if got := ChannelPath("hello", "stable"); got != "channel-stable/hello.json" {
		t.Error(got)
	}
	if got := ManifestPath("hello", version("1.4.2-rc.1+b")); got != "hello/1.4.2-rc.1+b/release.json" {
		t.Error(got)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "90m": 90 * time.Minute, "72h": 72 * time.Hour, "90d": 90 * 24 * time.Hour, "2w": 14 * 24 * time.Hour,
		"36525d": 36525 * 24 * time.Hour, "3155760000s": 36525 * 24 * time.Hour,
	} {
		got, err := ParseDuration(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
		if again, err := ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%s: written as %s, read as %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "s", "90", "0d", "-1d", "+1d", "1.5h", "1h30m", "90D", "90 d", "090d", "1y", "1ms", "36526d", "3155760001s", "99999999999s", "9999999999w", "1_0s",
	} {
		if d, err := ParseDuration(text); !errors.Is(err, ErrDuration) || d != 0 {
			t.Errorf("%q: got %v, %v", text, d, err)
		}
	}
}

func example(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "examples", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edit replaces parts of an example, pair by pair, the first place of each.
func edit(t testing.TB, name string, pairs ...string) []byte {
	t.Helper()
	text := string(example(t, name))
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return []byte(text)
}

func version(text string) artifact.Version {
	v, err := artifact.ParseVersion(text)
	if err != nil {
		panic(err)
	}
	return v
}

func date(text string) time.Time {
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return when
}
