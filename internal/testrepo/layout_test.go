package testrepo_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// shape is the set of paths in a JSON value, arrays taken together.
func shape(value any, at string, into map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			shape(inner, at+"/"+key, into)
		}
	case []any:
		for _, inner := range v {
			shape(inner, at+"[]", into)
		}
	default:
		into[at] = true
	}
}

func shapeOf(t *testing.T, data []byte) map[string]bool {
	t.Helper()
	var value any
	must(t, json.Unmarshal(data, &value))
	found := map[string]bool{}
	shape(value, "", found)
	return found
}

// TestDocumentsHaveTheExamplesShape compares with what publishers write, where
// the design folder is at hand: every field of ours is in the example.
func TestDocumentsHaveTheExamplesShape(t *testing.T) {
	examples := filepath.Join("..", "..", "..", "shared", "design", "examples")
	if _, err := os.Stat(examples); err != nil {
		t.Skip("no examples here: ", err)
	}
	r := sample(t, testrepo.Options{})
	for _, name := range []string{"catalog.json", "channel-stable/hello.json", "hello/1.4.2/release.json"} {
		example, err := os.ReadFile(filepath.Join(examples, filepath.FromSlash(name)))
		must(t, err)
		made, ok := r.Target(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		want, found := shapeOf(t, example), shapeOf(t, made)
		for at := range found {
			if !want[at] {
				t.Errorf("%s: %s is not in the example", name, at)
			}
		}
		for at := range want {
			// No bundles yet, and hello names no artifact by URL.
			if !found[at] && !strings.Contains(at, "/bundles[]") && !strings.Contains(at, "/urls[]") && at != "/end_of_life" {
				t.Errorf("%s: %s of the example is missing", name, at)
			}
		}
	}
}

// index is what the tests read of a channel index.
type index struct {
	Product, Channel string
	Updated          time.Time
	Releases         []struct {
		Version, Manifest, Status, Reason, Advisory string
		Rollout                                     *testrepo.Rollout
	}
}

func indexOf(t *testing.T, r *testrepo.Repo, target string) (found index) {
	t.Helper()
	data, ok := r.Target(target)
	if !ok {
		t.Fatalf("no target %s", target)
	}
	must(t, json.Unmarshal(data, &found))
	return found
}

func (x index) statuses() string {
	var list []string
	for _, release := range x.Releases {
		list = append(list, release.Version+" "+release.Status)
	}
	return strings.Join(list, ", ")
}

func TestSampleReleases(t *testing.T) {
	r := sample(t, testrepo.Options{Now: func() time.Time { return noon }})
	for target, want := range map[string]string{
		"channel-stable/hello.json":     "1.5.0 current, 1.4.2 current, 1.4.0 superseded, 1.4.1 revoked, 1.3.0 deprecated",
		"channel-hotfix/hello.json":     "1.5.1 current",
		"channel-deprecated/hello.json": "1.3.0 deprecated",
		"channel-stable/ferry.json":     "0.9.0 current",
	} {
		found := indexOf(t, r, target)
		if found.statuses() != want {
			t.Errorf("%s: expected %q, found %q", target, want, found.statuses())
		}
		if want := "channel-" + found.Channel + "/" + found.Product + ".json"; want != target || !found.Updated.Equal(noon) {
			t.Errorf("%s says it is %s of %v", target, want, found.Updated)
		}
		for _, release := range found.Releases {
			if _, ok := r.Target(release.Manifest); !ok {
				t.Errorf("%s: no manifest %s", target, release.Manifest)
			}
			if revoked := release.Status == "revoked"; revoked != (release.Advisory != "") || (revoked && release.Reason == "") {
				t.Errorf("%s %s: reason %q, advisory %q", target, release.Version, release.Reason, release.Advisory)
			}
		}
	}
	rollout := indexOf(t, r, "channel-stable/hello.json").Releases[0].Rollout
	if last := rollout.Steps[len(rollout.Steps)-1]; last.Percent != 100 || last.At.After(noon) {
		t.Errorf("the rollout of 1.5.0 is not complete: %+v", last)
	}
}

func TestChangingReleases(t *testing.T) {
	now := noon
	r := sample(t, testrepo.Options{Now: func() time.Time { return now }})
	now = now.Add(time.Hour)
	must(t, r.SetStatus("hello", "stable", "1.5.0", "revoked", "bad", "https://hello.example/a"))
	must(t, r.SetRollout("hello", "stable", "1.5.0", nil))
	must(t, r.AddRelease(testrepo.Release{Product: "hello", Version: "1.5.1", Channel: "stable"}))
	must(t, r.EditDocument("channel-stable/hello.json", func(d map[string]any) { d["channel"] = "nightly" }))
	must(t, r.Publish())
	found := indexOf(t, r, "channel-stable/hello.json")
	if found.Channel != "nightly" || !found.Updated.Equal(now) {
		t.Errorf("channel %q, updated %v", found.Channel, found.Updated)
	}
	if !strings.HasPrefix(found.statuses(), "1.5.1 current, 1.5.0 revoked, ") {
		t.Errorf("releases: %s", found.statuses())
	}
	if release := found.Releases[1]; release.Rollout != nil || release.Reason != "bad" || release.Advisory != "https://hello.example/a" {
		t.Errorf("1.5.0: %+v", release)
	}
	if r.Version("channel-stable") != 2 || r.Version("hello") != 1 || r.Version("channel-hotfix") != 1 {
		t.Error("promotion took more than the channel's role")
	}
	_, err := verify(held(r), now)
	must(t, err)
}

// manifest is what the tests read of a release manifest.
type manifest struct {
	Artifacts []struct {
		Target, OS, Arch, Format, SBOM string
		URLs                           []string
		Length                         int64
		Digests                        map[string]string
		Executables                    []struct{ Path, Link string }
	}
}

func manifestOf(t *testing.T, r *testrepo.Repo, target string) (found manifest) {
	t.Helper()
	data, ok := r.Target(target)
	if !ok {
		t.Fatalf("no target %s", target)
	}
	must(t, json.Unmarshal(data, &found))
	return found
}

func TestArtifactsAreWhatTheManifestSays(t *testing.T) {
	r, _ := serve(t, testrepo.Options{})
	for _, release := range []string{"hello/1.5.0/", "ferry/0.9.0/"} {
		sums, _ := r.Target(release + "checksums.txt")
		var platforms []string
		for _, a := range manifestOf(t, r, release+"release.json").Artifacts {
			platforms = append(platforms, a.OS+"/"+a.Arch)
			var data []byte
			if len(a.URLs) > 0 {
				if a.Target != "" || release != "ferry/0.9.0/" || a.OS != "windows" {
					t.Errorf("%s for %s lies elsewhere", release, a.OS)
				}
				data = get(t, a.URLs[0]).body
			} else {
				data, _ = r.Target(a.Target)
				if sbom, ok := r.Target(a.SBOM); !ok || !json.Valid(sbom) {
					t.Errorf("no SBOM %q", a.SBOM)
				}
			}
			if int64(len(data)) != a.Length || sum(data) != a.Digests["sha256"] || !bytes.Contains(sums, []byte(sum(data)+"  ")) {
				t.Errorf("%s%s/%s: wrong bytes or checksums", release, a.OS, a.Arch)
			}
			checkArchive(t, data, a.Format, a.Executables[0].Path)
		}
		if want := []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"}; !slices.Equal(platforms, want) {
			t.Errorf("%s: expected %q, found %q", release, want, platforms)
		}
	}
}

// checkArchive unpacks an archive in memory, and runs the script that is in it
// where there is a shell.
func checkArchive(t *testing.T, data []byte, format, script string) {
	t.Helper()
	if format == "zip" {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		must(t, err)
		_, err = z.Open(script)
		must(t, err)
		return
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	must(t, err)
	header, err := tar.NewReader(z).Next()
	must(t, err)
	if header.Name != script || header.FileInfo().Mode().Perm() != 0o755 {
		t.Fatalf("expected %s with mode 755, found %s with %v", script, header.Name, header.FileInfo().Mode())
	}
	if runtime.GOOS == "windows" {
		return
	}
	z, err = gzip.NewReader(bytes.NewReader(data))
	must(t, err)
	archive := tar.NewReader(z)
	_, err = archive.Next()
	must(t, err)
	text, err := io.ReadAll(archive)
	must(t, err)
	file := filepath.Join(t.TempDir(), path.Base(script))
	must(t, os.WriteFile(file, text, 0o700))
	out, err := exec.Command("/bin/sh", file).Output()
	must(t, err)
	if !strings.HasPrefix(string(out), path.Base(script)+" ") {
		t.Errorf("the script says %q", out)
	}
}

func TestReleaseIsTheSameEachTime(t *testing.T) {
	opts := testrepo.Options{Now: func() time.Time { return noon }}
	first, second := sample(t, opts), sample(t, opts)
	for name := range first.Files(0) {
		if !strings.HasPrefix(name, "targets/") {
			continue
		}
		if _, ok := second.Files(0)[name]; !ok {
			t.Errorf("%s is not in the second sample", name)
		}
	}
	if first.RootSHA256() == second.RootSHA256() {
		t.Error("two repositories have the same keys")
	}
}
