package lockfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/artifact"
)

// golden is the lock file that docs/lockfile.md shows.
const golden = "testdata/assay.lock"

func goldenText(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(golden))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// sum is the digest of a text, which no test has to be a real one.
func sum(text string) artifact.Digest { return artifact.DigestOf(artifact.SHA256, []byte(text)) }

func sum512(text string) artifact.Digest { return artifact.DigestOf(artifact.SHA512, []byte(text)) }

// example is the lock of the golden file, out of order.
func example(t testing.TB) File {
	t.Helper()
	version, selector, platform := must[artifact.Version](t), must[artifact.Selector](t), must[artifact.Platform](t)
	hello := func(name, os string, length int64) Artifact {
		return Artifact{
			Platform: platform(artifact.ParsePlatform(os)), Target: "hello/1.5.0/" + name, Length: length, Digests: artifact.Digests{sum(name)},
			Bundles: []Bundle{
				{Target: "hello/1.5.0/" + name + ".sigstore.json", Digests: artifact.Digests{sum(name + " bundle")}},
				{Target: "hello/1.5.0/" + name + ".provenance.sigstore.json", Digests: artifact.Digests{sum(name + " provenance")}},
			},
		}
	}
	return File{
		Repositories: []Repository{
			{Name: "tools", Root: 1, RootSHA256: sum("tools root"), Floors: map[string]int64{"targets": 12, "snapshot": 40, "timestamp": 213}},
			{Name: "acme", Root: 3, RootSHA256: sum("acme root"), Floors: map[string]int64{
				"hello": 7, "targets": 5, "snapshot": 41, "channel-stable": 9, "timestamp": 1874, "hello.legacy": 1,
			}},
		},
		Products: []Product{
			{
				Name: "hello", Repository: "acme", Request: selector(artifact.ParseSelector("^1.4")),
				Version: version(artifact.ParseVersion("1.5.0")), Channel: "stable",
				Manifest:  Manifest{Target: "hello/1.5.0/release.json", Digests: artifact.Digests{sum("manifest")}},
				Artifacts: []Artifact{hello("hello_1.5.0_linux_amd64.tar.gz", "linux/amd64", 1048576), hello("hello_1.5.0_darwin_arm64.zip", "darwin/arm64", 998244)},
			},
			{
				Name: "fmt", Repository: "tools", Request: selector(artifact.ParseSelector("stable")),
				Version: version(artifact.ParseVersion("0.9.1")), Channel: "stable",
				Manifest: Manifest{Target: "fmt/0.9.1/release.json", Digests: artifact.Digests{sum("manifest of fmt"), sum512("manifest of fmt")}},
				Artifacts: []Artifact{{
					Platform: platform(artifact.ParsePlatform("linux/amd64")), Target: "fmt/0.9.1/fmt-linux", Length: 73912, Digests: artifact.Digests{sum("fmt")},
					URLs: []string{"https://forge.example/fmt/releases/0.9.1/fmt-linux", "https://dl.example/fmt-linux"},
				}},
			},
		},
		Pins: []Pin{
			{Name: "yaml-schema", URLs: []string{"git::https://git.example/schema//yaml.json?ref=v2"}, Digests: artifact.Digests{sum512("schema")}},
			{
				Name: "jq", URLs: []string{"https://dl.example/jq-1.7.tar.gz"}, Length: 319216, Digests: artifact.Digests{sum("jq")},
				Identity: "https://github.com/jqlang/jq/.github/workflows/release.yml@refs/tags/jq-1.7", Issuer: "https://token.actions.githubusercontent.com", Format: "tar.gz",
			},
		},
	}
}

// replaced is the golden text with the first old in it replaced, which must be there.
func replaced(t testing.TB, old, new string) string {
	t.Helper()
	text := goldenText(t)
	if !strings.Contains(text, old) {
		t.Fatalf("the golden file has no %q", old)
	}
	return strings.Replace(text, old, new, 1)
}

// lineOf is where a text first stands in another.
func lineOf(t testing.TB, text, part string) int {
	t.Helper()
	before, _, found := strings.Cut(text, part)
	if !found {
		t.Fatalf("no %q", part)
	}
	return strings.Count(before, "\n") + 1
}
