package release

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"assay/artifact"
)

const (
	linuxSum   = "6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	windowsSum = "a5b4c3d2e1f06f1e0d2c3b4a59687786f00f1e2d3c4b5a69788796a5b4c3d2e1"
	linuxFile  = "hello_1.4.2_linux_amd64.tar.gz"
	zipFile    = "hello_1.4.2_windows_amd64.zip"
)

func digests(t testing.TB, texts ...string) artifact.Digests {
	t.Helper()
	var list []artifact.Digest
	for _, text := range texts {
		d, err := artifact.ParseDigest(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	all, err := artifact.NewDigests(list...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestLintChecksums(t *testing.T) {
	report := LintFile(example(t, manifestFile), lintNow())
	sha256 := func(hex string) artifact.Digests { return digests(t, "sha256:"+hex) }
	for name, c := range map[string]struct {
		listed map[string]artifact.Digests
		want   []string
	}{
		"alike": {map[string]artifact.Digests{linuxFile: sha256(linuxSum), zipFile: sha256(windowsSum)}, nil},
		"with an SBOM": {map[string]artifact.Digests{
			linuxFile: sha256(linuxSum), zipFile: sha256(windowsSum), "hello_1.4.2_linux_amd64.spdx.json": sha256(linuxSum),
		}, nil},
		"with another algorithm, too": {map[string]artifact.Digests{
			linuxFile: digests(t, "sha256:"+linuxSum, "sha512:"+strings.Repeat("ab", 64)), zipFile: sha256(windowsSum),
		}, nil},
		"by another algorithm": {map[string]artifact.Digests{linuxFile: digests(t, "sha512:"+strings.Repeat("ab", 64)), zipFile: sha256(windowsSum)}, nil},
		"empty":                {nil, []string{"checksums.lists artifacts[0].target", "checksums.lists artifacts[1].urls"}},
		"swapped": {map[string]artifact.Digests{linuxFile: sha256(windowsSum), zipFile: sha256(linuxSum)},
			[]string{"checksums.digest artifacts[0].digests", "checksums.digest artifacts[1].digests"}},
		"one too many": {map[string]artifact.Digests{linuxFile: sha256(linuxSum), zipFile: sha256(windowsSum), "hello_1.4.2_plan9_amd64.tar.gz": sha256(linuxSum)},
			[]string{"checksums.extra checksums.target"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := report
			r.Add(LintChecksums(report.Release, c.listed)...)
			checkFindings(t, r, c.want)
		})
	}
}

// TestLintChecksumsOfInputs: the archive of the sources lies beside the artifacts,
// and is an input of the build.
func TestLintChecksumsOfInputs(t *testing.T) {
	listed := map[string]artifact.Digests{
		linuxFile: digests(t, "sha256:"+linuxSum), zipFile: digests(t, "sha256:"+windowsSum), "hello-1.4.2.tar.gz": digests(t, "sha256:"+linuxSum),
	}
	for input, want := range map[string][]string{
		"hello/1.4.2/hello-1.4.2.tar.gz":                 nil,
		"hello/1.4.1/hello-1.4.2.tar.gz":                 {"checksums.extra checksums.target"},
		"https://hello.example/src/1/hello-1.4.2.tar.gz": {"checksums.extra checksums.target"},
	} {
		report := LintFile(example(t, manifestFile), lintNow())
		report.Release.Build.Inputs = append(report.Release.Build.Inputs, input)
		report.Add(LintChecksums(report.Release, listed)...)
		checkFindings(t, report, want)
	}
}

func TestUnreadableChecksums(t *testing.T) {
	report := LintFile(example(t, manifestFile), lintNow())
	report.Add(UnreadableChecksums(errors.New("line 3: \x1b[2J"))...)
	checkFindings(t, report, []string{"checksums.form checksums.target"})
}

func TestLintPromises(t *testing.T) {
	honest := func() map[string]Promised {
		list := map[string]Promised{"hello/1.4.2/" + linuxFile: {1843201, digests(t, "sha256:"+linuxSum)}}
		for _, name := range []string{"checksums.txt", "checksums.txt.sigstore.json", "hello_1.4.2_linux_amd64.spdx.json", "hello_1.4.2_linux_amd64.sigstore.json"} {
			list["hello/1.4.2/"+name] = Promised{7, digests(t, "sha256:"+windowsSum)}
		}
		return list
	}
	without := func(name string) map[string]Promised {
		list := honest()
		delete(list, "hello/1.4.2/"+name)
		return list
	}
	with := func(length int64, digest string) map[string]Promised {
		list := honest()
		list["hello/1.4.2/"+linuxFile] = Promised{length, digests(t, digest)}
		return list
	}
	for name, c := range map[string]struct {
		promised map[string]Promised
		want     []string
	}{
		"all":         {honest(), nil},
		"no artifact": {without(linuxFile), []string{"repository.promised artifacts[0].target"}},
		"no SBOM":     {without("hello_1.4.2_linux_amd64.spdx.json"), []string{"repository.promised artifacts[0].sbom"}},
		"no bundle":   {without("hello_1.4.2_linux_amd64.sigstore.json"), []string{"repository.promised artifacts[0].bundles[0]"}},
		"no checksums, no bundle of them": {map[string]Promised{"hello/1.4.2/" + linuxFile: honest()["hello/1.4.2/"+linuxFile]}, []string{
			"repository.promised checksums.target", "repository.promised checksums.bundles[0]", "repository.promised artifacts[0].sbom", "repository.promised artifacts[0].bundles[0]",
		}},
		"another length":    {with(1843200, "sha256:"+linuxSum), []string{"repository.agrees artifacts[0].length"}},
		"another digest":    {with(1843201, "sha256:"+windowsSum), []string{"repository.agrees artifacts[0].digests"}},
		"another algorithm": {with(1843201, "sha512:"+strings.Repeat("ab", 64)), []string{"repository.agrees artifacts[0].digests"}},
	} {
		t.Run(name, func(t *testing.T) { checkPromises(t, manifestFile, c.promised, c.want) })
	}
	any := Promised{1, digests(t, "sha256:"+linuxSum)}
	checkPromises(t, "channel-stable/hello.json", map[string]Promised{"hello/1.5.0/release.json": any, "hello/1.4.2/release.json": any, "hello/1.4.0/release.json": any}, nil)
	checkPromises(t, "channel-stable/hello.json", map[string]Promised{"hello/1.5.0/release.json": any, "hello/1.4.0/release.json": any}, []string{"repository.promised releases[1].manifest"})
	checkPromises(t, "catalog.json", map[string]Promised{
		"channel-stable/hello.json": any, "channel-hotfix/hello.json": any, "channel-stable/ferry.json": any,
	}, []string{"repository.promised products[0].channels[2]"})
	checkPromises(t, "mirrors.json", nil, nil)
}

func checkPromises(t *testing.T, file string, promised map[string]Promised, want []string) {
	t.Helper()
	report := LintFile(example(t, file), lintNow())
	asked := map[string]bool{}
	findings, err := LintPromises(report, func(path string) (Promised, bool, error) {
		if asked[path] {
			t.Errorf("%s was asked for twice", path)
		}
		asked[path] = true
		p, ok := promised[path]
		return p, ok, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	report.Add(findings...)
	checkFindings(t, report, want)
}

func TestLintPromisesFails(t *testing.T) {
	report := LintFile(example(t, manifestFile), lintNow())
	findings, err := LintPromises(report, func(string) (Promised, bool, error) { return Promised{}, true, fs.ErrPermission })
	if !errors.Is(err, fs.ErrPermission) || findings != nil {
		t.Errorf("got %v, %v", findings, err)
	}
}
