package lockfile

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"assay/artifact"
)

var update = flag.Bool("update", false, "write the golden file anew")

func TestGolden(t *testing.T) {
	data, err := Encode(example(t))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.FromSlash(golden), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := goldenText(t); string(data) != want {
		t.Errorf("expected\n%s\nfound\n%s", want, data)
	}
}

// The page shows the golden file, whole.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../docs/lockfile.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```toml\n")
	shown, _, found := strings.Cut(rest, "```")
	if want := goldenText(t); !found || shown != want {
		t.Errorf("docs/lockfile.md: expected the golden file between ```toml and ```, found\n%s", shown)
	}
	for _, key := range strings.Fields("schema name root root_sha256 floors repository request version channel manifest manifest_sha256 manifest_sha512 " +
		"platform target length sha256 sha512 urls bundles identity issuer format") {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("docs/lockfile.md: expected the key `%s`", key)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	want := example(t).sorted()
	want.Repositories[0].Floors["team \"a\\b\" é.b = 'c' #"] = 1<<63 - 1
	want.Pins[0].Identity = `a"b\c''' = #`
	want.Pins[0].URLs[0] = `https://dl.example/a"b\c`
	data, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("expected\n%+v\nfound\n%+v", want, got)
	}
	again, err := Encode(got)
	if err != nil || string(again) != string(data) {
		t.Errorf("expected the same text again, found %v\n%s", err, again)
	}
	empty, err := Encode(File{Repositories: []Repository{}, Products: []Product{}, Pins: []Pin{}})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := Decode(empty); err != nil || !reflect.DeepEqual(f, File{Schema: Schema}) {
		t.Errorf("expected an empty lock, found %+v, %v", f, err)
	}
}

// Encode sorts a copy.
func TestEncodeLeavesItsArgument(t *testing.T) {
	f := example(t)
	if _, err := Encode(f); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f, example(t)) {
		t.Errorf("expected it untouched, found %+v", f)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*File)
		says  string
	}{
		"no digest":           {func(f *File) { f.Pins[0].Digests = nil }, "pin.sha256: expected a digest"},
		"no version":          {func(f *File) { f.Products[0].Version = artifact.Version{} }, "product.version: not a version"},
		"no request":          {func(f *File) { f.Products[0].Request = artifact.Selector{} }, "product.request: "},
		"no floors":           {func(f *File) { f.Repositories[0].Floors = nil }, "repository.floors.timestamp: expected a version from 1, found none"},
		"a line feed":         {func(f *File) { f.Pins[0].Identity = "a\nb = 1" }, `pin.identity: expected printable characters, found "a\nb = 1"`},
		"no UTF-8":            {func(f *File) { f.Pins[0].Identity = "a\xff" }, "malformed lock file"},
		"turned text":         {func(f *File) { f.Pins[0].Issuer = "a\u202eb" }, "pin.issuer: expected printable characters"},
		"a role's line feed":  {func(f *File) { f.Repositories[0].Floors["a\n[x]"] = 1 }, `expected printable characters, found "a\n[x]"`},
		"a role without name": {func(f *File) { f.Repositories[0].Floors[""] = 1 }, "expected a text, found none"},
		"another schema":      {func(f *File) { f.Schema = "assay.lock/v0" }, `schema: expected "assay.lock/v1"`},
		"root by sha512":      {func(f *File) { f.Repositories[0].RootSHA256 = sum512("x") }, "repository.root_sha256: not a digest"},
		"a platform in three": {func(f *File) { f.Products[0].Artifacts[0].Platform = artifact.Platform{OS: "linux/arm", Arch: "v7"} }, "found something else"},
		"no such repository":  {func(f *File) { f.Products[0].Repository = "other" }, `product.repository: expected the name of a [[repository]]`},
		"no artifact":         {func(f *File) { f.Products[0].Artifacts = nil }, "product.artifact: expected 1 to 64, found 0"},
		"many artifacts":      {func(f *File) { f.Products[0].Artifacts = make([]Artifact, maxArtifacts+1) }, "product.artifact: expected 1 to 64, found 65"},
		"many bundles":        {func(f *File) { f.Products[0].Artifacts[0].Bundles = make([]Bundle, maxBundles+1) }, "product.artifact.bundles: expected 0 to 64, found 65"},
		"many products":       {func(f *File) { f.Products = make([]Product, maxProducts+1) }, "product: expected 0 to 1024, found 1025"},
		"many repositories":   {func(f *File) { f.Repositories = make([]Repository, maxRepositories+1) }, "repository: expected 0 to 64, found 65"},
		"too many":            {func(f *File) { f.Pins = make([]Pin, maxPins+1) }, "pin: expected 0 to 1024, found 1025"},
		"too large": {func(f *File) {
			for i := range 600 {
				f.Pins = append(f.Pins, Pin{Name: "p" + number(int64(i)), URLs: []string{"https://x.example/" + strings.Repeat("a", 1900)}, Digests: artifact.Digests{sum("x")}})
			}
		}, "at most 1048576 bytes"},
	} {
		f := example(t).sorted()
		test.spoil(&f)
		data, err := Encode(f)
		if data != nil || !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), test.says) || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%s: expected %v with %q, found %v", name, ErrMalformed, test.says, err)
		}
	}
}

func TestTOMLText(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "a": `"a"`, `a"b\c`: `"a\"b\\c"`, "a\n\t\x7f\x00": `"a\u000A\u0009\u007F\u0000"`, "é": `"é"`,
	} {
		if got := tomlText(text); got != want {
			t.Errorf("%q: expected %s, found %s", text, want, got)
		}
	}
	for name, want := range map[string]string{"": `""`, "a-b_C9": "a-b_C9", "a.b": `"a.b"`, "é": `"é"`} {
		if got := tomlKey(name); got != want {
			t.Errorf("%q: expected %s, found %s", name, want, got)
		}
	}
}
