package release

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const manifestFile = "hello/1.4.2/release.json"

// lintNow is a time at which all examples are in order.
func lintNow() time.Time { return date("2026-11-21T12:00:00Z") }

func TestExamplesLintClean(t *testing.T) {
	for _, file := range []string{manifestFile, "channel-stable/hello.json", "catalog.json", "mirrors.json"} {
		report := LintFile(example(t, file), lintNow())
		if len(report.Findings) != 0 {
			t.Errorf("%s: found %+v", file, report.Findings)
		}
		if report.Place.Path() != file {
			t.Errorf("%s: the place is %q", file, report.Place.Path())
		}
		place, ok := ParsePlace(file)
		if !ok || place != report.Place {
			t.Errorf("%s: parsed as %+v, %v", file, place, ok)
		}
		if again := Lint(place, example(t, file), lintNow()); len(again.Findings) != 0 {
			t.Errorf("%s: found %+v", file, again.Findings)
		}
	}
}

// lack is an edit of an example that must have exactly these findings, each
// "rule field", from top to bottom.
type lack struct {
	name  string
	pairs []string // as edit takes them
	want  []string
}

func TestLintRelease(t *testing.T) {
	const license, team, purl = `"license": "Apache-2.0"`, `"Hello release team"`, `pkg:golang/golang.org/x/text@v0.30.0`
	cases := []lack{
		{"no summary", []string{`"summary": "Prints a greeting",`, ``}, []string{"release.summary summary"}},
		{"no licence", []string{license + `,`, ``}, []string{"release.license license"}},
		{"licence in prose", []string{license, `"license": "Apache 2"`}, []string{"release.license-syntax license"}},
		{"no documentation", []string{`"documentation": "https://hello.example/docs/1.4",`, ``}, []string{"release.documentation documentation"}},
		{"documentation nowhere", []string{`"https://hello.example/docs/1.4"`, `"see the README"`}, []string{"release.address documentation"}},
		{"homepage nowhere", []string{`"https://hello.example",`, `"hello dot example",`}, []string{"release.address publisher.homepage"}},
		{"log nowhere", []string{`"https://git.example/hello/hello/runs/4211"`, `"run 4211"`}, []string{"release.address build.log"}},
		{"no team", []string{`"team": ` + team + `,`, ``}, []string{"publisher.team publisher.team"}},
		{"no publisher", []string{`"publisher"`, `"publish"`}, []string{
			"publisher.team publisher.team", "publisher.support publisher.support", "publisher.warranty publisher.warranty", "document.unknown-field publish",
		}},
		{"nowhere to seek help", []string{`"documentation": "https://hello.example/docs/1.4",`, ``, `"https://hello.example/bugs"`, `"n/a"`}, []string{
			"release.documentation documentation", "publisher.help publisher.bug_tracker",
		}},
		{"help by mail", []string{`"documentation": "https://hello.example/docs/1.4",`, ``, `"https://hello.example/bugs"`, `""`,
			`"security fixes`, `"write to <help@hello.example>; security fixes`}, []string{"release.documentation documentation"}},
		{"tracker nowhere", []string{`"https://hello.example/bugs"`, `"ask around"`}, []string{"release.address publisher.bug_tracker"}},
		{"support not said", []string{`"security fixes for the current minor version"`, `"TBD"`}, []string{"publisher.support publisher.support"}},
		{"no support is said", []string{`"security fixes for the current minor version"`, `"none"`}, nil},
		{"no warranty", []string{`,
    "warranty": "none; see the licence"`, ``}, []string{"publisher.warranty publisher.warranty"}},
		{"no repository", []string{`"repository": "https://git.example/hello/hello",`, ``}, []string{"source.repository source.repository"}},
		{"repository without scheme", []string{`"https://git.example/hello/hello",`, `"git.example/hello/hello",`}, []string{"source.repository source.repository"}},
		{"repository by ssh", []string{`"https://git.example/hello/hello",`, `"git@git.example:hello/hello",`}, []string{"source.repository source.repository"}},
		{"repository with a password", []string{`"https://git.example/hello/hello",`, `"https://me:secret@git.example/hello/hello",`}, []string{"source.repository source.repository"}},
		{"no revision", []string{`"revision": "8d3f0c1b5a7e4d2f9c6b1a0e3d5f7c9b2a4e6d80",`, ``}, []string{"source.revision source.revision"}},
		{"a branch for a revision", []string{`"8d3f0c1b5a7e4d2f9c6b1a0e3d5f7c9b2a4e6d80"`, `"main"`}, []string{"source.revision-form source.revision"}},
		{"revision in capitals", []string{`"8d3f0c1b`, `"8D3F0C1B`}, []string{"source.revision-form source.revision"}},
		{"no tag", []string{`"tag": "v1.4.2",`, ``}, []string{"source.tag source.tag"}},
		{"no tag object", []string{`"tag_object": "1f0e9d8c7b6a594837261504f3e2d1c0b9a89786",`, ``}, []string{"source.tag-object source.tag_object"}},
		{"lightweight tag", []string{`"1f0e9d8c7b6a594837261504f3e2d1c0b9a89786"`, `"8d3f0c1b5a7e4d2f9c6b1a0e3d5f7c9b2a4e6d80"`}, []string{"source.tag-object source.tag_object"}},
		{"no tag signer", []string{`"release@hello.example"`, `"unknown"`}, []string{"source.tag-signer source.tag_signer"}},
		{"no date of the build", []string{`"finished": "2026-09-14T11:02:40Z",`, ``}, []string{"build.finished build.finished"}},
		{"finished before started", []string{`"started": "2026-09-14T10:58:11Z"`, `"started": "2026-09-14T11:02:41Z"`}, []string{"release.dates build.finished"}},
		{"published before finished", []string{`"published": "2026-09-14T12:00:00Z"`, `"published": "2026-09-14T11:02:39Z"`}, []string{"release.dates published"}},
		{"all at once", []string{`"2026-09-14T12:00:00Z"`, `"2026-09-14T11:02:40Z"`, `"2026-09-14T10:58:11Z"`, `"2026-09-14T11:02:40Z"`}, nil},
		{"published in the year 1", []string{`"published": "2026-09-14T12:00:00Z"`, `"published": "0001-01-01T00:00:00Z"`}, []string{"release.published published"}},
		{"published in the future", []string{`"published": "2026-09-14T12:00:00Z"`, `"published": "2026-11-21T13:00:01Z"`}, []string{"release.future published"}},
		{"published by a fast clock", []string{`"published": "2026-09-14T12:00:00Z"`, `"published": "2026-11-21T13:00:00Z"`}, nil},
		{"built in the future", []string{`"published": "2026-09-14T12:00:00Z"`, `"published": "2027-01-01T00:00:00Z"`, `"finished": "2026-09-14T11:02:40Z"`, `"finished": "2027-01-01T00:00:00Z"`},
			[]string{"release.future published", "release.future build.finished"}},
		{"no inputs", []string{`["https://git.example/hello/hello/goreleaser.yaml@v1.4.2"]`, `["", "todo"]`}, []string{"build.inputs build.inputs"}},
		{"no toolchain", []string{`"toolchain": "go1.26.8",`, ``}, []string{"build.toolchain build.toolchain"}},
		{"no checksums", []string{`"checksums": {"target": "hello/1.4.2/checksums.txt", "bundles": ["hello/1.4.2/checksums.txt.sigstore.json"]},`, ``},
			[]string{"checksums.file checksums", "artifact.signed artifacts[1].bundles"}},
		{"nothing signed", []string{`, "bundles": ["hello/1.4.2/checksums.txt.sigstore.json"]}`, `}`, `,
      "bundles": ["hello/1.4.2/hello_1.4.2_linux_amd64.sigstore.json"]`, ``}, []string{"release.signed artifacts"}},
		{"one unsigned", []string{`, "bundles": ["hello/1.4.2/checksums.txt.sigstore.json"]}`, `, "bundles": []}`}, []string{"artifact.signed artifacts[1].bundles"}},
		{"unknown field", []string{license, license + `, "licence": "MIT"`}, []string{"document.unknown-field licence"}},
		{"component without version", []string{`"version": "v0.30.0", "purl"`, `"purl"`}, []string{"components.version components[0].version"}},
		{"component with SBOMs", []string{`"version": "v0.30.0", "purl"`, `"purl"`, `"format": "zip"`, `"format": "zip", "sbom": "hello/1.4.2/w.spdx.json"`}, nil},
		{"component's purl", []string{purl, `golang.org/x/text`}, []string{"components.purl components[0].purl"}},
		{"component's purl of another version", []string{purl, `pkg:golang/golang.org/x/text@0.29.0`}, []string{"components.purl-version components[0].purl"}},
		{"component's purl without v", []string{purl, `pkg:golang/golang.org/x/text@0.30.0`}, nil},
		{"component's licence", []string{`"BSD-3-Clause"`, `"BSD, I think"`}, []string{"components.license-syntax components[0].license"}},
		{"component's licence not known", []string{`"BSD-3-Clause"`, `"NOASSERTION"`}, nil},
		{"no list, one SBOM", []string{`"components": [`, `"x_components": [`}, []string{"document.unknown-field x_components", "components.listed artifacts[1].sbom"}},
		{"no list, no SBOM", []string{`"components": [`, `"x_components": [`, `"sbom"`, `"x_sbom"`},
			[]string{"components.listed components", "document.unknown-field x_components", "document.unknown-field artifacts[0].x_sbom"}},
		{"no components at all", []string{`{"name": "golang.org/x/text", "version": "v0.30.0", "purl": "pkg:golang/golang.org/x/text@v0.30.0", "license": "BSD-3-Clause"}`, ``}, nil},
	}
	runLint(t, manifestFile, cases)
}

func TestLintArtifacts(t *testing.T) {
	const windows = `      "os": "windows",
      "arch": "amd64",
      "format": "zip",`
	const sum = `"a5b4c3d2e1f06f1e0d2c3b4a59687786f00f1e2d3c4b5a69788796a5b4c3d2e1"`
	runLint(t, manifestFile, []lack{
		{"one name", []string{`hello_1.4.2_windows_amd64.zip`, `hello.zip`, `hello_1.4.2_linux_amd64.tar.gz`, `hello.zip`}, []string{"artifact.name artifacts[1].urls"}},
		{"name of another platform", []string{`hello_1.4.2_windows_amd64.zip`, `hello_1.4.2_darwin_amd64.zip`}, []string{"artifact.name-disagrees artifacts[1].urls"}},
		{"name of another version", []string{`hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz`, `hello/1.4.2/hello_1.4.1_linux_amd64.tar.gz`}, []string{"artifact.name-disagrees artifacts[0].target"}},
		{"URL on loopback", []string{`https://forge.example`, `http://127.0.0.1:8080`}, []string{"artifact.url artifacts[1].urls[0]"}},
		{"system by another name", []string{`"os": "windows"`, `"os": "win32"`}, []string{"artifact.name-disagrees artifacts[1].urls", "artifact.platform artifacts[1].os"}},
		{"architecture by another name", []string{windows, strings.Replace(windows, "amd64", "universal", 1), `windows_amd64.zip`, `windows.zip`}, []string{"artifact.platform artifacts[1].arch"}},
		{"armv7", []string{windows, strings.Replace(windows, "amd64", "armv7", 1), `windows_amd64.zip`, `windows.zip`}, []string{"artifact.platform artifacts[1].arch"}},
		{"unknown system", []string{`"os": "windows"`, `"os": "haiku"`, `windows_amd64.zip`, `amd64.zip`}, []string{"artifact.platform-unknown artifacts[1].os"}},
		{"unknown architecture", []string{windows, strings.Replace(windows, "amd64", "vax", 1), `windows_amd64.zip`, `windows.zip`}, []string{"artifact.platform-unknown artifacts[1].arch"}},
		{"any", []string{windows, strings.NewReplacer("amd64", "any", `"windows"`, `"any"`).Replace(windows)}, nil},
		{"one platform twice", []string{windows, `"os": "linux", "arch": "amd64", "libc": "static", "format": "tar.gz",`, `windows_amd64.zip`, `amd64.zip`}, []string{"artifact.duplicate artifacts[1].format"}},
		{"one platform with two C libraries", []string{windows, `"os": "linux", "arch": "amd64", "libc": "glibc", "format": "tar.gz",`, `windows_amd64.zip`, `amd64.zip`}, nil},
		{"no format", []string{`"format": "zip",`, ``}, []string{"artifact.format artifacts[1].format"}},
		{"no bytes", []string{`"length": 1902113`, `"length": 0`}, []string{"artifact.length artifacts[1].length"}},
		{"no sha256", []string{`{"sha256": ` + sum + `}`, `{"sha512": "` + strings.Repeat("ab", 64) + `"}`}, []string{"artifact.sha256 artifacts[1].digests"}},
		{"one digest, two lengths", []string{sum, `"6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"`}, []string{"artifact.bytes artifacts[1].digests"}},
		{"no executables", []string{`,
      "executables": [{"path": "hello.exe", "link": "hello.exe"}]`, ``}, []string{"artifact.executables artifacts[1].executables"}},
		{"no executables in an installer", []string{`,
      "executables": [{"path": "hello.exe", "link": "hello.exe"}]`, ``, `"format": "zip"`, `"format": "msi"`}, nil},
	})
}

func TestLintChannel(t *testing.T) {
	const revoked = `"reason": "built on a machine that was compromised",
      "advisory": "https://hello.example/advisories/2026-03"`
	runLint(t, "channel-stable/hello.json", []lack{
		{"updated in the future", []string{`"updated": "2026-11-02T09:00:00Z"`, `"updated": "2026-12-02T09:00:00Z"`}, []string{"channel.updated updated"}},
		{"too old", []string{`"90d"`, `"19d"`}, []string{"channel.too-old max_age"}},
		{"just not too old", []string{`"90d"`, `"20d"`}, nil},
		{"no max_age", []string{`"max_age": "90d",`, ``}, nil},
		{"end of life", []string{`"2028-01-01T00:00:00Z"`, `"2026-11-21T11:59:59Z"`}, []string{"channel.end-of-life end_of_life"}},
		{"since in the future", []string{`"since": "2026-08-03T12:00:00Z"`, `"since": "2027-08-03T12:00:00Z"`}, []string{"channel.since releases[2].since"}},
		{"revoked without a reason", []string{`"built on a machine that was compromised"`, `"TODO"`}, []string{"channel.reason releases[3].reason"}},
		{"revoked without anything", []string{`,
      ` + revoked, ``}, []string{"channel.reason releases[3].reason", "channel.advisory releases[3].advisory"}},
		{"deprecated without a reason", []string{`"status": "superseded"`, `"status": "deprecated"`}, []string{"channel.reason releases[2].reason"}},
		{"deprecated with a reason", []string{`"status": "superseded"`, `"status": "deprecated", "reason": "too old"`}, nil},
		{"rollout without an end", []string{`"percent": 100`, `"percent": 99`}, []string{"rollout.complete releases[0].rollout.steps"}},
		{"rollout of what is superseded", []string{`"status": "current"`, `"status": "superseded"`}, []string{"rollout.status releases[0].rollout"}},
		{"salt twice", []string{`"status": "current", "since": "2026-09-14T12:00:00Z"`,
			`"status": "current", "since": "2026-09-14T12:00:00Z", "rollout": {"salt": "hello-1.5.0", "steps": [{"at": "2026-09-14T12:00:00Z", "percent": 100}]}`},
			[]string{"rollout.salt releases[1].rollout.salt"}},
		{"nothing current", []string{`"current"`, `"superseded"`, `"current"`, `"superseded"`}, []string{"channel.current releases", "rollout.status releases[0].rollout"}},
		{"unknown field", []string{`"max_age"`, `"maxage"`}, []string{"document.unknown-field maxage"}},
	})
	empty := []byte(`{"schema": "assay.channel/v1", "product": "hello", "channel": "stable", "updated": "2026-11-02T09:00:00Z", "releases": []}`)
	checkFindings(t, LintFile(empty, lintNow()), []string{"channel.empty releases"})
	deprecated := edit(t, "channel-stable/hello.json", `"stable"`, `"deprecated"`, `"current"`, `"superseded"`, `"current"`, `"superseded"`)
	checkFindings(t, LintFile(deprecated, lintNow()), []string{"rollout.status releases[0].rollout"})
}

func TestLintCatalog(t *testing.T) {
	runLint(t, "catalog.json", []lack{
		{"no summary", []string{`"summary": "Moves files", `, ``}, []string{"catalog.summary products[1].summary"}},
		{"no stable", []string{`["stable"]`, `["nightly"]`}, []string{"catalog.stable products[1].channels"}},
		{"unknown field", []string{`"summary": "Moves files"`, `"summary": "Moves files", "x": 1`}, []string{"document.unknown-field products[1].x"}},
	})
	checkFindings(t, LintFile([]byte(`{"schema": "assay.catalog/v1", "products": []}`), lintNow()), []string{"catalog.empty products"})
}

func TestLintMirrors(t *testing.T) {
	runLint(t, "mirrors.json", []lack{
		{"twice", []string{`https://us.mirror.example/r/acme/`, `https://eu.mirror.example/r/acme`}, []string{"mirrors.twice mirrors[1].url"}},
		{"network", []string{`10.20.0.0/16`, `10.20.7.0/16`}, []string{"mirrors.network mirrors[0].cidrs[0]"}},
		{"unknown field", []string{`"mirrors": [`, `"x": 1, "mirrors": [`}, []string{"document.unknown-field x"}},
	})
	checkFindings(t, LintFile([]byte(`{"schema": "assay.mirrors/v1", "mirrors": []}`), lintNow()), []string{"mirrors.empty mirrors"})
}

func TestLintRefused(t *testing.T) {
	for _, bad := range []struct {
		name, file string
		pairs      []string
		want       string
		line       int
	}{
		{"cut short", manifestFile, []string{"  ]\n}\n", ""}, "document.malformed artifacts[1]", 0},
		{"null", manifestFile, []string{`"Apache-2.0"`, `null`}, "document.malformed license", 6},
		{"repeated", manifestFile, []string{`"summary"`, `"license": "MIT", "summary"`}, "document.malformed license", 6},
		{"version", manifestFile, []string{`"1.4.2"`, `"v1.4.2"`}, "document.malformed version", 4},
		{"version of another type", manifestFile, []string{`"1.4.2"`, `1.4`}, "document.malformed version", 4},
		{"product", manifestFile, []string{`"hello"`, `"../hello"`}, "document.malformed product", 3},
		{"artifact elsewhere", manifestFile, []string{`"target": "hello/1.4.2/hello_1.4.2_linux`, `"target": "hello/1.4.1/hello_1.4.1_linux`}, "document.binding artifacts[0].target", 39},
		{"manifest elsewhere", "channel-stable/hello.json", []string{`"hello/1.5.0/release.json"`, `"other/1.5.0/release.json"`}, "document.binding releases[0].manifest", 11},
		{"no schema", manifestFile, []string{`"schema"`, `"scheme"`}, "document.schema schema", 1},
		{"schema of another program", manifestFile, []string{`assay.release/v1`, `https://spdx.dev`}, "document.schema schema", 2},
		{"schema of another version", manifestFile, []string{`assay.release/v1`, `assay.release/v9`}, "document.schema schema", 2},
		{"too large for a list of mirrors", "mirrors.json", []string{`"mirrors"`, strings.Repeat(" ", MaxMirrorsBytes) + `"mirrors"`}, "document.malformed ", 1},
	} {
		t.Run(bad.name, func(t *testing.T) {
			report := LintFile(edit(t, bad.file, bad.pairs...), lintNow())
			checkFindings(t, report, []string{bad.want})
			if line := report.Findings[0].Line; bad.line != 0 && line != bad.line {
				t.Errorf("found line %d, expected %d", line, bad.line)
			}
			if report.Release != nil || report.Channel != nil || report.Mirrors != nil {
				t.Error("a document came back")
			}
		})
	}
	checkFindings(t, LintFile([]byte(`[]`), lintNow()), []string{"document.malformed "})
	checkFindings(t, LintFile(nil, lintNow()), []string{"document.malformed "})
	checkFindings(t, Lint(Place{}, example(t, "catalog.json"), lintNow()), []string{"document.schema "})
	checkFindings(t, LintFile(bytes.Repeat([]byte(" "), MaxDocumentBytes+1), lintNow()), []string{"document.malformed "})
}

// A field for which a document is refused hides nothing else that is wrong.
func TestLintRefusedAndMore(t *testing.T) {
	const team, tag = `"team": "Hello release team",`, `"tag": "v1.4.2",`
	const sum = "6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	const noDigests, sbom = `"digests": {"sha256": "` + sum + `"},`, `"hello/1.4.2/hello_1.4.2_linux_amd64.spdx.json"`
	runLint(t, manifestFile, []lack{
		{"all of it", []string{noDigests, ``, team, ``, tag, ``, `"version": "v0.30.0", "purl"`, `"purl"`, `"finished": "2026-09-14T11:02:40Z"`, `"finished": "2026-09-14T10:02:40Z"`,
			`"summary"`, `"Notes": "x", "sumary"`}, []string{
			"release.summary summary", "document.malformed Notes", "document.unknown-field sumary", "publisher.team publisher.team", "source.tag source.tag", "release.dates build.finished",
			"components.version components[0].version", "document.malformed artifacts[0].digests",
		}},
		{"nulls", []string{`"Apache-2.0"`, `null`, team, ``, sbom, `null`, `"linux"`, `null`}, []string{
			"document.malformed license", "publisher.team publisher.team", "document.malformed artifacts[0].os", "document.malformed artifacts[0].sbom",
		}},
		{"null and no JSON", []string{`"Apache-2.0"`, `null`, "  ]\n}\n", ""}, []string{"document.malformed license", "document.malformed artifacts[1]"}},
		{"null and no schema", []string{`"schema"`, `"scheme"`, `"Apache-2.0"`, `null`}, []string{"document.schema schema", "document.malformed license"}},
		{"several of one object", []string{`"os": "linux",`, ``, `"arch": "amd64",`, ``, `"length": 1843201,`, ``, noDigests, ``}, []string{
			"document.malformed artifacts[0].arch", "document.malformed artifacts[0].digests", "document.malformed artifacts[0].length", "document.malformed artifacts[0].os",
		}},
		{"no artifacts", []string{`"artifacts"`, `"artefacts"`, team, ``}, []string{"document.malformed artifacts", "publisher.team publisher.team", "document.unknown-field artefacts"}},
		{"artifacts that are none", []string{`"artifacts": [`, `"artifacts": [7, "x",`, team, ``}, []string{
			"publisher.team publisher.team", "document.malformed artifacts[0]", "document.malformed artifacts[1]",
		}},
		{"target and urls", []string{`"target": "hello/1.4.2/hello_1.4.2_linux`, `"urls": ["https://x.example/a.tgz"], "target": "hello/1.4.2/hello_1.4.2_linux`, `"format": "tar.gz",`, ``}, []string{
			"document.malformed artifacts[0]", "artifact.format artifacts[0].format",
		}},
		{"components of another type", []string{`"components": [`, `"components": 7, "x": [`}, []string{"document.malformed components", "document.unknown-field x"}},
		{"checksums of another type", []string{`"checksums": {`, `"checksums": "x", "y": {`, team, ``}, []string{
			"publisher.team publisher.team", "document.malformed checksums", "document.unknown-field y",
		}},
		{"bundles of another type", []string{`, "bundles": ["hello/1.4.2/checksums.txt.sigstore.json"]}`, `, "bundles": "x"}`, `["hello/1.4.2/hello_1.4.2_linux_amd64.sigstore.json"]`, `"x"`}, []string{
			"document.malformed checksums.bundles", "document.malformed artifacts[0].bundles",
		}},
		{"bundles of one artifact of another type", []string{`, "bundles": ["hello/1.4.2/checksums.txt.sigstore.json"]}`, `}`, `["hello/1.4.2/hello_1.4.2_linux_amd64.sigstore.json"]`, `"x"`}, []string{
			"document.malformed artifacts[0].bundles", "artifact.signed artifacts[1].bundles",
		}},
		{"SBOM of another type", []string{`"components": [`, `"x": [`, sbom, `["x"]`}, []string{
			"document.unknown-field x", "document.malformed artifacts[0].sbom", "components.listed artifacts[1].sbom",
		}},
		{"help that can't be read", []string{`"https://hello.example/docs/1.4"`, `7`, `"https://hello.example/bugs"`, `""`}, []string{"document.malformed documentation"}},
		{"version and place", []string{`"1.4.2"`, `"v1.4.2"`, team, ``, `"hello_1.4.2_linux_amd64/hello"`, `"../hello"`}, []string{
			"document.malformed version", "publisher.team publisher.team", "document.malformed artifacts[0].executables[0].path",
		}},
		{"places", []string{`"hello/1.4.2/checksums.txt"`, `"checksums.txt"`, sbom, `"x.json"`, `"hello_1.4.2_linux_amd64/hello"`, `"../hello"`, `"arch": "amd64"`, `"arch": "any", "variant": "v1"`, tag, ``}, []string{
			"source.tag source.tag", "document.binding checksums.target", "document.malformed artifacts[0].variant",
			"document.malformed artifacts[0].executables[0].path", "document.binding artifacts[0].sbom",
		}},
		{"one target, other bytes", []string{`"urls": ["https://forge.example/hello/hello/releases/download/v1.4.2/hello_1.4.2_windows_amd64.zip"]`, `"target": "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"`, team, ``}, []string{
			"publisher.team publisher.team", "document.malformed artifacts[1].target",
		}},
		{"one target, no digest", []string{`"urls": ["https://forge.example/hello/hello/releases/download/v1.4.2/hello_1.4.2_windows_amd64.zip"]`, `"target": "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"`, noDigests, ``}, []string{
			"document.malformed artifacts[0].digests", "artifact.name-disagrees artifacts[1].target",
		}},
		{"pieces of no length", []string{`"libc": "static"`, `"pieces": {"length": 0, "sha256": []}`, `"format": "zip",`, ``}, []string{"document.malformed artifacts[0].pieces.length", "artifact.format artifacts[1].format"}},
		{"pieces of what has no length", []string{`"libc": "static"`, `"pieces": {"length": 5, "sha256": ["` + sum + `"]}`, `"length": 1843201`, `"length": -1`}, []string{"document.malformed artifacts[0].length"}},
	})
	runLint(t, "channel-stable/hello.json", []lack{
		{"of each kind", []string{`"updated": "2026-11-02T09:00:00Z"`, `"updated": "2026"`, `"revoked"`, `"Revoked"`, `"hello/1.5.0/release.json"`, `"x"`, `"version": "1.4.2", "manifest"`, `"version": "2", "manifest"`, `"percent": 100`, `"percent": 99`}, []string{
			"document.malformed updated", "document.binding releases[0].manifest", "rollout.complete releases[0].rollout.steps", "document.malformed releases[1].version", "document.malformed releases[3].status",
		}},
		{"rollouts", []string{`"steps": [`, `"steps": [], "stairs": [`, `"hello-1.5.0"`, `""`, `"superseded"`, `"deprecated"`}, []string{
			"document.malformed releases[0].rollout.salt", "document.malformed releases[0].rollout.steps", "document.unknown-field releases[0].rollout.stairs", "channel.reason releases[2].reason",
		}},
		{"statuses", []string{`"current"`, `"Current"`, `"current"`, `"Current"`}, []string{"document.malformed releases[0].status", "document.malformed releases[1].status"}},
	})
	runLint(t, "catalog.json", []lack{{"names", []string{`"hello"`, `"Hello"`, `"ferry"`, `"Ferry\u001b[2J"`, `["stable"]`, `[7, "x"]`, `"summary": "Moves files", `, ``}, []string{
		"document.malformed products[0].product", "catalog.summary products[1].summary", "document.malformed products[1].product", "catalog.stable products[1].channels", "document.malformed products[1].channels[0]",
	}}})
	runLint(t, "mirrors.json", []lack{{"both", []string{`10.20.0.0/16`, `10.20.0.0/33`, `https://eu.`, `http://eu.`, `https://us.mirror`, `ftp://us.mirror`}, []string{
		"document.malformed mirrors[0].url", "document.malformed mirrors[0].cidrs[0]", "document.malformed mirrors[1].url",
	}}})
}

// What a document is refused for is bounded like what it lacks.
func TestLintRefusedIsBounded(t *testing.T) {
	report := LintFile(edit(t, manifestFile, `"components": [`, `"components": [`+strings.Repeat(`{"version": "1"}, `, 1000)), lintNow())
	errs, _ := report.Count()
	if last := report.Findings[len(report.Findings)-1]; len(report.Findings) != maxShown || last.More != 1000-maxShown || errs != 1000 {
		t.Errorf("found %d findings, %d errors, the last is %+v", len(report.Findings), errs, last)
	}
	report = LintFile(edit(t, manifestFile, `"known_issues": [`, `"known_issues": [`+strings.Repeat(`null, `, 1000)), lintNow())
	if len(report.Findings) != maxShown {
		t.Errorf("found %d findings for a thousand nulls", len(report.Findings))
	}
	report = LintFile(edit(t, manifestFile, `"artifacts": [`, `"artifacts": [`+strings.Repeat(`1,`, maxElements)), lintNow())
	checkFindings(t, report, []string{"document.malformed "})
	if !strings.Contains(report.Findings[0].Message, "at most 200000 entries") {
		t.Errorf("found %+v", report.Findings)
	}
}

// By its place, a document of another product, version or channel is refused.
func TestLintBindsToThePlace(t *testing.T) {
	for _, wrong := range []struct{ place, file, want string }{
		{"hello/1.4.1/release.json", manifestFile, "document.binding version"},
		{"other/1.4.2/release.json", manifestFile, "document.binding product"},
		{"channel-hotfix/hello.json", "channel-stable/hello.json", "document.binding channel"},
		{"catalog.json", "mirrors.json", "document.schema schema"},
	} {
		place, ok := ParsePlace(wrong.place)
		if !ok {
			t.Fatalf("%s: no place", wrong.place)
		}
		checkFindings(t, Lint(place, example(t, wrong.file), lintNow()), []string{wrong.want})
	}
	for _, path := range []string{
		"", "hello", "trusted_root.json", "x/catalog.json", "hello/1.4.2/checksums.txt", "hello/v1.4.2/release.json", "Hello/1.4.2/release.json",
		"channel-stable/hello", "channel-/hello.json", "channel-1/hello.json", "stable/hello.json", "channel-stable/x/hello.json", "/hello/1.4.2/release.json",
		"channel-stable/Hello.json", "channel-x/1.4.2/release.json",
	} {
		if place, ok := ParsePlace(path); ok || place != (Place{}) {
			t.Errorf("%q is the place %+v", path, place)
		}
	}
}

// A rule that fails everywhere fills no screens, and is counted all the same.
func TestLintIsBounded(t *testing.T) {
	var list strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&list, `{"name": "c%d"}, `, i)
	}
	report := LintFile(edit(t, manifestFile, `"components": [`, `"components": [`+list.String()), lintNow())
	errs, warnings := report.Count()
	if len(report.Findings) != maxShown || report.Findings[maxShown-1].More != 1000-maxShown || errs != 1000 || warnings != 0 {
		t.Errorf("found %d findings, %d errors, %d warnings", len(report.Findings), errs, warnings)
	}
}

func runLint(t *testing.T, file string, cases []lack) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			checkFindings(t, LintFile(edit(t, file, c.pairs...), lintNow()), c.want)
		})
	}
}

// checkFindings compares findings, each as "rule field", and holds each to the
// form that all have.
func checkFindings(t *testing.T, report Report, want []string) {
	t.Helper()
	var got []string
	for _, f := range report.Findings {
		got = append(got, f.Rule+" "+f.Field)
		checkFinding(t, f)
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, expected %q", got, want)
	}
}

func checkFinding(t *testing.T, f Finding) {
	t.Helper()
	at := slices.IndexFunc(Rules(), func(r Rule) bool { return r.ID == f.Rule })
	if at < 0 {
		t.Fatalf("%q is no rule", f.Rule)
	}
	rule := Rules()[at]
	if f.Severity != rule.Severity {
		t.Errorf("%s: %s, expected %s", f.Rule, f.Severity, rule.Severity)
	}
	if len(rule.Fields) > 0 && !slices.Contains(rule.Fields, withoutNumbers(f.Field)) {
		t.Errorf("%s: found in %s, expected one of %q", f.Rule, f.Field, rule.Fields)
	}
	if !strings.HasPrefix(f.Message, "expected ") || !strings.Contains(f.Message, ", found ") || strings.Contains(f.Message, "secret") || unprintable(f.Message) || len(f.Message) > 900 {
		t.Errorf("%s: the message is %q", f.Rule, f.Message)
	}
}

// withoutNumbers makes artifacts[].urls[] of artifacts[1].urls[0].
func withoutNumbers(field string) string {
	var b strings.Builder
	inside := false
	for _, c := range field {
		if c == ']' {
			inside = false
		}
		if !inside {
			b.WriteRune(c)
		}
		inside = inside || c == '['
	}
	return b.String()
}

// The walk for offsets ends, also where there is no document to walk through.
func TestOffsets(t *testing.T) {
	text := `{"a": {"b c": [1, {"d": "x"}]}, "e": true}`
	want := map[string]int{"a": 4, `a["b c"]`: 12, `a["b c"][0]`: 16, `a["b c"][1]`: 19, `a["b c"][1].d`: 22, "e": 35}
	got := offsets([]byte(text))
	for field, offset := range want {
		if got[field] != offset {
			t.Errorf("%s: found %d, expected %d", field, got[field], offset)
		}
	}
	if len(got) != len(want) {
		t.Errorf("found %v", got)
	}
	for end := range text {
		for field, offset := range offsets([]byte(text[:end])) {
			if offset > end {
				t.Errorf("cut at %d: %s at %d", end, field, offset)
			}
		}
	}
}
