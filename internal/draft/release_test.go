package draft

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact/release"
	"assay/internal/draft/drafttest"
	"assay/trust/sbom"
)

// team is what a publisher of hello would write.
const team = `
summary = "Prints a greeting"
license = "Apache-2.0"
notes = "https://hello.example/notes/{version}"
documentation = "https://hello.example/docs"
[publisher]
team = "Hello release team"
bug_tracker = "https://hello.example/bugs"
support = "security fixes for the current minor version"
warranty = "none; see the licence"
[source]
repository = "https://git.example/hello/hello"
tag_signer = "release@hello.example"
[build]
inputs = ["https://git.example/hello/hello/goreleaser.yaml@{tag}"]
toolchain = "go1.26.8"
[platform.linux]
libc = "static"
`

func now() time.Time { return time.Date(2026, 9, 15, 9, 0, 0, 0, time.UTC) }

// drafted makes a folder of goreleaser's, and the options to draft from it.
func drafted(t *testing.T, d drafttest.Dist) Options {
	t.Helper()
	dir := t.TempDir()
	if err := d.Write(filepath.Join(dir, "built")); err != nil {
		t.Fatal(err)
	}
	defaults, err := ReadDefaults("team.toml", []byte(team))
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dist: filepath.Join(dir, "built"), Defaults: defaults, Output: filepath.Join(dir, "targets"), Scratch: t.TempDir(),
		TagObject: "1f0e9d8c7b6a594837261504f3e2d1c0b9a89786", Now: now(),
	}
}

func mustDraft(t *testing.T, o Options) (*Release, *release.Release) {
	t.Helper()
	r, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := release.DecodeRelease(r.Manifest, r.Place.Product, r.Place.Version)
	if err != nil {
		t.Fatal(err)
	}
	return r, m
}

// refused wants an error of a kind with some words, and that nothing was written.
func refused(t *testing.T, o Options, kind error, words string) {
	t.Helper()
	r, err := New(context.Background(), o)
	if err == nil {
		_, err = r.Write(context.Background(), false)
	}
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want %q with %q", err, kind, words)
	}
	if _, err := os.Stat(filepath.Join(o.Output, "hello", "1.4.2", "release.json")); err == nil {
		t.Error("a manifest was written")
	}
	left, err := os.ReadDir(o.Scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("scratch: %v, %v", left, err)
	}
}

func TestRelease(t *testing.T) {
	r, m := mustDraft(t, drafted(t, drafttest.Dist{}))
	if report := release.Lint(r.Place, r.Manifest, now()); len(report.Findings) > 0 {
		t.Errorf("lint: %+v", report.Findings)
	}
	var names []string
	for _, a := range m.Artifacts {
		names = append(names, a.Platform().String()+" "+a.Format+" "+a.Name())
	}
	if want := []string{
		"darwin/arm64 tar.gz hello_1.4.2_darwin_arm64.tar.gz", "linux/amd64 deb hello_1.4.2_linux_amd64.deb",
		"linux/amd64 tar.gz hello_1.4.2_linux_amd64.tar.gz", "linux/arm/v7 tar.gz hello_1.4.2_linux_armv7.tar.gz",
		"linux/arm64 tar.gz hello_1.4.2_linux_arm64.tar.gz", "windows/amd64 zip hello_1.4.2_windows_amd64.zip",
	}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	zip := m.Artifacts[5]
	if want := []release.Executable{{Path: "hello_1.4.2_windows_amd64/hello.exe", Link: "hello.exe"}}; !slices.Equal(zip.Executables, want) {
		t.Errorf("programs: got %v, want %v", zip.Executables, want)
	}
	if zip.SBOM != "hello/1.4.2/hello_1.4.2_windows_amd64.zip.spdx.json" || m.Artifacts[0].Libc != "" || m.Artifacts[2].Libc != "static" {
		t.Errorf("got %+v", m.Artifacts)
	}
	if want := (&release.Checksums{Target: "hello/1.4.2/checksums.txt", Bundles: []string{"hello/1.4.2/checksums.txt.sigstore.json"}}); !reflect.DeepEqual(m.Checksums, want) {
		t.Errorf("got %+v", m.Checksums)
	}
	// The package has no SBOM, so the components are listed.
	if want := []release.Component{{Name: "golang.org/x/text", Version: "v0.30.0", PURL: "pkg:golang/golang.org/x/text@v0.30.0", License: "BSD-3-Clause"}}; !slices.Equal(m.Components, want) {
		t.Errorf("got %+v", m.Components)
	}
	if want := []string{"https://git.example/hello/hello/goreleaser.yaml@v1.4.2", "hello/1.4.2/hello-1.4.2.tar.gz"}; !slices.Equal(m.Build.Inputs, want) {
		t.Errorf("got %q", m.Build.Inputs)
	}
	built := time.Date(2026, 9, 14, 11, 1, 11, 0, time.UTC)
	if !m.Published.Equal(now()) || !m.Build.Finished.Equal(built) || m.Build.Started.Nanosecond() != 0 || m.Notes != "https://hello.example/notes/1.4.2" {
		t.Errorf("got %+v, %v, %q", m.Build, m.Published, m.Notes)
	}
}

func TestWriteTwice(t *testing.T) {
	o := drafted(t, drafttest.Dist{})
	r, _ := mustDraft(t, o)
	first, err := r.Write(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range first {
		info, err := os.Stat(filepath.Join(o.Output, filepath.FromSlash(f.Target)))
		if err != nil || info.Size() != f.Length || !f.Changed {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if last := first[len(first)-1]; last.Target != "hello/1.4.2/release.json" || len(first) != 15 {
		t.Errorf("%d files, at last %s", len(first), last.Target)
	}
	// Later the release is still the one of that day.
	o.Now = o.Now.Add(48 * time.Hour)
	again, _ := mustDraft(t, o)
	if !bytes.Equal(again.Manifest, r.Manifest) {
		t.Errorf("another manifest:\n%s", again.Manifest)
	}
	second, err := again.Write(context.Background(), false)
	if err != nil || slices.ContainsFunc(second, func(w Written) bool { return w.Changed }) {
		t.Errorf("got %+v, %v", second, err)
	}
	// Another manifest replaces it on purpose alone, other bytes never.
	o.Log = "https://ci.example/1"
	other, _ := mustDraft(t, o)
	if _, err := other.Write(context.Background(), false); !errors.Is(err, ErrTaken) {
		t.Errorf("got %v, want %v", err, ErrTaken)
	}
	if _, err := other.Write(context.Background(), true); err != nil {
		t.Error(err)
	}
	deb := filepath.Join(o.Output, "hello", "1.4.2", "hello_1.4.2_linux_amd64.deb")
	if err := os.WriteFile(deb, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Write(context.Background(), true); !errors.Is(err, ErrTaken) {
		t.Errorf("got %v, want %v", err, ErrTaken)
	}
	if data, _ := os.ReadFile(deb); string(data) != "mine" {
		t.Errorf("it was replaced by %q", data)
	}
}

func TestChangedMeanwhile(t *testing.T) {
	o := drafted(t, drafttest.Dist{})
	r, _ := mustDraft(t, o)
	if err := os.WriteFile(filepath.Join(o.Dist, "hello_1.4.2_windows_amd64.zip"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(context.Background(), false); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v, want %v", err, ErrChanged)
	}
	for _, name := range []string{"hello_1.4.2_windows_amd64.zip", "release.json"} {
		if _, err := os.Stat(filepath.Join(o.Output, "hello", "1.4.2", name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// TestGoProgram takes this test's own program for a release: what it says of its
// making is compared and used.
func TestGoProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bytesOf, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	host := func(list []map[string]any) []map[string]any {
		// Of archives only that of this machine is one that such a program fits.
		return slices.DeleteFunc(list, func(e map[string]any) bool {
			return e["type"] == "Archive" && e["name"] != "hello_1.4.2_linux_amd64.tar.gz"
		})
	}
	own := buildOf(bytes.NewReader(bytesOf))
	if p := (program{build: own}); p.setting("GOOS") != "linux" || p.setting("GOARCH") != "amd64" {
		t.Skip("for linux/amd64")
	}
	o := drafted(t, drafttest.Dist{Program: bytesOf, Edit: host, Without: []string{".deb", ".spdx.json"}})
	o.Defaults.Build.Toolchain = ""
	_, m := mustDraft(t, o)
	if m.Build.Toolchain != own.GoVersion {
		t.Errorf("toolchain: got %q, want %q", m.Build.Toolchain, own.GoVersion)
	}
	if !slices.ContainsFunc(m.Components, func(c release.Component) bool { return c.Name == "stdlib" && "go"+c.Version == own.GoVersion }) {
		t.Errorf("components: %+v", m.Components)
	}
	o.Defaults.Build.Toolchain = "go1.2.3"
	refused(t, o, ErrMismatch, `expected the toolchain "go1.2.3"`)
	o.Defaults.Build.Toolchain = own.GoVersion + ", and a linker"
	mustDraft(t, o)
	all := drafted(t, drafttest.Dist{Program: bytesOf})
	all.Defaults.Build.Toolchain = ""
	refused(t, all, ErrMismatch, "as the program says")
}

// TestLevels: a program of a higher level than is said of it does not run everywhere.
func TestLevels(t *testing.T) {
	built := func(key, value string) program {
		return program{build: &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: key, Value: value}}}}
	}
	for _, c := range []struct {
		e    entry
		p    program
		want error
	}{
		{entry{Goos: "linux", Goarch: "amd64", Goamd64: "v1"}, built("GOAMD64", "v3"), ErrMismatch},
		{entry{Goos: "linux", Goarch: "amd64", Goamd64: "v3"}, built("GOAMD64", "v3"), nil},
		{entry{Goos: "linux", Goarch: "arm", Goarm: "6"}, built("GOARM", "7"), ErrMismatch},
		{entry{Goos: "linux", Goarch: "arm", Goarm: "6"}, built("GOARM", "6,hardfloat"), nil},
	} {
		platform, err := c.e.platform()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.p.agrees(c.e, platform, ""); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.e, err, c.want)
		}
	}
}

func TestComponents(t *testing.T) {
	var p parts
	p.bill([]sbom.Component{{Name: "b", Version: "v1.0.0", License: "MIT"}})
	p.program(nil)
	p.program(&debug.BuildInfo{GoVersion: "go1.26.8", Deps: []*debug.Module{
		{Path: "c", Version: "v2.0.0+incompatible"}, {Path: "b", Version: "v1.0.0"},
		{Path: "d", Version: "v1.0.0", Replace: &debug.Module{Path: "e", Version: "v1.1.0"}}, {Path: "f", Version: "v1.0.0", Replace: &debug.Module{Path: "../f"}},
	}})
	want := []release.Component{
		{Name: "b", Version: "v1.0.0", License: "MIT"}, {Name: "c", Version: "v2.0.0+incompatible", PURL: "pkg:golang/c@v2.0.0%2Bincompatible"},
		{Name: "e", Version: "v1.1.0", PURL: "pkg:golang/e@v1.1.0"}, {Name: "f", Version: "v1.0.0", PURL: "pkg:golang/f@v1.0.0"},
		{Name: "stdlib", Version: "1.26.8", PURL: "pkg:golang/stdlib@1.26.8", License: "BSD-3-Clause"},
	}
	if got := p.list(); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestDoubts: a snapshot has the tag of the release before it.
func TestDoubts(t *testing.T) {
	for tag, doubted := range map[string]bool{
		"v1.4.2": false, "1.4.2": false, "hello/v1.4.2": false, "hello-1.4.2": false,
		"v1.4.1": true, "v1.4.20": true, "v11.4.2": true, "v0.1.4.2": true, "nightly": true,
	} {
		o := drafted(t, drafttest.Dist{})
		at := filepath.Join(o.Dist, metadataName)
		data, err := os.ReadFile(at)
		if err := errors.Join(err, os.WriteFile(at, bytes.Replace(data, []byte(`"v1.4.2"`), []byte(`"`+tag+`"`), 1), 0o644)); err != nil {
			t.Fatal(err)
		}
		r, _ := mustDraft(t, o)
		if got := len(r.Doubts) == 1 && strings.Contains(r.Doubts[0], "does not name the version"); got != doubted {
			t.Errorf("%s: got %q", tag, r.Doubts)
		}
	}
}

// TestModified: what no revision holds is warned of once, however many programs.
func TestModified(t *testing.T) {
	d := &drafter{modified: 2, out: &Release{}}
	if err := d.doubts(context.Background()); err != nil || len(d.out.Doubts) != 1 || !strings.Contains(d.out.Doubts[0], "2 of the programs say") {
		t.Errorf("got %v, %q", err, d.out.Doubts)
	}
}

// TestTagObject: what git prints for a tag that it does not know is no id of one.
func TestTagObject(t *testing.T) {
	for _, id := range []string{"v1.4.2", "1f0e9d8", strings.Repeat("A", 40), strings.Repeat("1", 41)} {
		o := drafted(t, drafttest.Dist{})
		o.TagObject = id
		refused(t, o, ErrInput, "expected the id of a tag object")
	}
	o := drafted(t, drafttest.Dist{})
	o.TagObject = strings.Repeat("1", 64)
	mustDraft(t, o)
}

func TestPieces(t *testing.T) {
	o := drafted(t, drafttest.Dist{})
	o.PieceBytes = 100
	_, m := mustDraft(t, o)
	for _, a := range m.Artifacts {
		if a.Pieces == nil || a.Pieces.Length != 100 {
			t.Errorf("%s: %+v", a.Name(), a.Pieces)
		}
	}
	o.PieceBytes = 1
	if err := os.Truncate(filepath.Join(o.Dist, "hello_1.4.2_linux_amd64.deb"), maxPieces); err != nil {
		t.Fatal(err)
	}
	refused(t, o, ErrInput, "make them longer than 1 bytes")
}

func TestPlatforms(t *testing.T) {
	for want, e := range map[string]entry{
		"linux/amd64": {Goos: "linux", Goarch: "amd64", Goamd64: "v1"}, "linux/amd64/v3": {Goos: "linux", Goarch: "amd64", Goamd64: "v3"},
		"linux/arm/v6": {Goos: "linux", Goarch: "arm", Goarm: "6"}, "linux/arm64": {Goos: "linux", Goarch: "arm64", Goarm64: "v8.0"},
		"darwin/any": {Goos: "darwin", Goarch: "all"}, "linux/mips/softfloat": {Goos: "linux", Goarch: "mips", Gomips: "softfloat"},
	} {
		if got, err := e.platform(); err != nil || got.String() != want {
			t.Errorf("%+v: got %s, %v, want %s", e, got, err, want)
		}
	}
	for _, e := range []entry{{}, {Goos: "linux"}, {Goos: "linux", Goarch: "../x"}, {Goos: "darwin", Goarch: "arm", Goarm: "7/8"}} {
		if got, err := e.platform(); !errors.Is(err, ErrDist) {
			t.Errorf("%+v: got %s, %v", e, got, err)
		}
	}
}

func TestLeftOut(t *testing.T) {
	o := drafted(t, drafttest.Dist{
		Sign: func([]byte) ([]byte, error) { return []byte("untrusted comment"), nil },
		Edit: func(list []map[string]any) []map[string]any {
			return append(list, map[string]any{"name": "other.json", "path": "dist/other.json", "type": "SBOM", "internal_type": 27},
				map[string]any{"name": "install.sh", "path": "install.sh", "type": "File", "internal_type": 2},
				map[string]any{"name": "x\x1b/y", "path": "../y", "type": "Snap", "internal_type": 11})
		},
	})
	r, m := mustDraft(t, o)
	const why = "a manifest has no place for this type"
	want := []LeftOut{
		{`"x\x1b/y"`, "Snap", why}, {"checksums.txt.sigstore.json", "Signature", "it is no Sigstore bundle"},
		{"install.sh", "File", why}, {"other.json", "SBOM", "its name begins with that of no artifact"},
	}
	if !slices.Equal(r.LeftOut, want) || m.Checksums.Bundles != nil {
		t.Errorf("got %+v, %v", r.LeftOut, m.Checksums)
	}
	written, err := r.Write(context.Background(), false)
	if err != nil || slices.ContainsFunc(written, func(w Written) bool { return strings.HasSuffix(w.Target, ".sigstore.json") }) {
		t.Errorf("got %+v, %v", written, err)
	}
}

func TestOwner(t *testing.T) {
	names := []string{"a_1.tar.gz", "a_1.tar.gz.spdx.json", "a_1.deb", "b_1.zip", "checksums.txt"}
	for name, want := range map[string]string{
		"a_1.tar.gz.sigstore.json": "a_1.tar.gz", "a_1.tar.gz.spdx.json.sigstore.json": "a_1.tar.gz.spdx.json", "b_1.spdx.json": "b_1.zip",
		"a_1.spdx.json": "", "checksums.txt.sig": "checksums.txt", "c": "",
	} {
		if got := ownerOf(name, names); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	for text, words := range map[string]string{
		"[publisher]\nteem = 'x'": `unknown key "publisher.teem"; did you mean "publisher.team"?`,
		"summary = 3":             "not a valid document",
		"[":                       "not a valid document",
	} {
		if _, err := ReadDefaults("team.toml", []byte(text)); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: got %v, want %q", text, err, words)
		}
	}
	values := map[string]string{"version": "1", "tag": ""}
	for text, words := range map[string]string{"{versoin}": "expected one of {tag}, {version}, found {versoin}", "x{tag}": "does not say it"} {
		if _, err := fill(text, values); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if got, err := fill("a{version}b", values); got != "a1b" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestWayNamesKeys: what a way says is a key of the defaults, or an option.
func TestWayNamesKeys(t *testing.T) {
	keys, err := json.Marshal(Defaults{})
	if err != nil {
		t.Fatal(err)
	}
	for field, way := range ways {
		key, _, found := strings.Cut(way, " = ")
		name := strings.ReplaceAll(key, "_", "")
		if found && !strings.Contains(strings.ToLower(string(keys)), `"`+name+`"`) {
			t.Errorf("%s: %q is no key", field, key)
		}
	}
	if Way("artifacts[2].bundles") == "" || Way("components[0].version") == "" || Way("nothing") != "" {
		t.Error("ways are missing")
	}
}
