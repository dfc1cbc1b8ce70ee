package lockfile

import (
	"reflect"
	"strings"
	"testing"

	"assay/artifact"
)

// texts are the lines of changes; a floor is marked.
func texts(changes []Change) []string {
	var list []string
	for _, c := range changes {
		text := c.String()
		if c.Floor {
			text += " (floor)"
		}
		list = append(list, text)
	}
	return list
}

func TestCompare(t *testing.T) {
	version, platform := must[artifact.Version](t), must[artifact.Platform](t)
	short := func(d artifact.Digest) string { return d.Hex() }
	for name, test := range map[string]struct {
		change func(*File)
		want   []string
	}{
		"nothing": {func(*File) {}, nil},
		"floors": {func(f *File) {
			f.Repositories[0].Floors["timestamp"] = 1900
			f.Repositories[0].Floors["hello.next"] = 1
			delete(f.Repositories[0].Floors, "hello")
		}, []string{
			"repository acme: floor of timestamp 1874 → 1900 (floor)",
			"repository acme: floor of hello 7 → none (floor)",
			"repository acme: floor of hello.next none → 1 (floor)",
		}},
		"a later root": {func(f *File) { f.Repositories[0].Root, f.Repositories[0].RootSHA256 = 4, sum("4") }, []string{
			"repository acme: root 3 → 4 (floor)",
			"repository acme: root sha256 " + short(sum("acme root")) + " → " + short(sum("4")) + " (floor)",
		}},
		"another root": {func(f *File) { f.Repositories[0].RootSHA256 = sum("4") }, []string{
			"repository acme: root sha256 " + short(sum("acme root")) + " → " + short(sum("4")),
		}},
		"repositories": {func(f *File) { f.Repositories[0].Name = "zeta" }, []string{
			"repository acme: removed root 3", "repository zeta: added root 3",
		}},
		"a version": {func(f *File) {
			p := &f.Products[1]
			p.Version = version(artifact.ParseVersion("1.5.1"))
			p.Manifest = Manifest{"hello/1.5.1/release.json", artifact.Digests{sum("manifest 2")}}
			a := &p.Artifacts[1]
			a.Target, a.Length, a.Digests, a.Bundles = "hello/1.5.1/a", 3, artifact.Digests{sum("a"), sum512("a")}, a.Bundles[1:]
			p.Artifacts = p.Artifacts[1:]
		}, []string{
			"hello of acme: version 1.5.0 → 1.5.1",
			"hello of acme: manifest hello/1.5.0/release.json → hello/1.5.1/release.json",
			"hello of acme: manifest sha256 " + short(sum("manifest")) + " → " + short(sum("manifest 2")),
			"hello of acme, darwin/arm64: removed " + sum("hello_1.5.0_darwin_arm64.zip").String(),
			"hello of acme, linux/amd64: target hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz → hello/1.5.1/a",
			"hello of acme, linux/amd64: length 1048576 → 3",
			"hello of acme, linux/amd64: sha256 " + short(sum("hello_1.5.0_linux_amd64.tar.gz")) + " → " + short(sum("a")),
			"hello of acme, linux/amd64: sha512 none → " + short(sum512("a")),
			"hello of acme, linux/amd64: bundle hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz.provenance.sigstore.json " + sum("hello_1.5.0_linux_amd64.tar.gz provenance").String() + " → none",
		}},
		"a request": {func(f *File) {
			f.Products[0].Request = artifact.Selector{Kind: artifact.ByVersion, Version: f.Products[0].Version}
			f.Products[0].Channel = "hotfix"
		}, []string{
			"fmt of tools: request stable → 0.9.1", "fmt of tools: channel stable → hotfix",
		}},
		"a platform more": {func(f *File) {
			a := f.Products[0].Artifacts[0]
			a.Platform = platform(artifact.ParsePlatform("any"))
			f.Products[0].Artifacts = append(f.Products[0].Artifacts, a)
		}, []string{"fmt of tools, any: added " + sum("fmt").String()}},
		"urls": {func(f *File) { f.Products[0].Artifacts[0].URLs = nil }, []string{
			"fmt of tools, linux/amd64: urls https://forge.example/fmt/releases/0.9.1/fmt-linux https://dl.example/fmt-linux → none",
		}},
		"a bundle": {func(f *File) { f.Products[1].Artifacts[0].Bundles[0].Digests = artifact.Digests{sum("b")} }, []string{
			"hello of acme, darwin/arm64: bundle hello/1.5.0/hello_1.5.0_darwin_arm64.zip.provenance.sigstore.json sha256 " +
				short(sum("hello_1.5.0_darwin_arm64.zip provenance")) + " → " + short(sum("b")),
		}},
		"products": {func(f *File) { f.Products[1].Repository = "tools" }, []string{
			"hello of acme: removed 1.5.0", "hello of tools: added 1.5.0",
		}},
		"pins": {func(f *File) {
			f.Pins[0] = Pin{Name: "jq", URLs: []string{"https://x.example/"}, Digests: artifact.Digests{sum512("jq")}}
			f.Pins[1].Name = "zz"
		}, []string{
			"pin jq: urls https://dl.example/jq-1.7.tar.gz → https://x.example/",
			"pin jq: length 319216 → none",
			"pin jq: sha256 " + short(sum("jq")) + " → none",
			"pin jq: sha512 none → " + short(sum512("jq")),
			"pin jq: identity https://github.com/jqlang/jq/.github/workflows/release.yml@refs/tags/jq-1.7 → none",
			"pin jq: issuer https://token.actions.githubusercontent.com → none",
			"pin jq: format tar.gz → none",
			"pin yaml-schema: removed " + sum512("schema").String(),
			"pin zz: added " + sum512("schema").String(),
		}},
	} {
		old, new := example(t), example(t).sorted()
		test.change(&new)
		if got := texts(Compare(old, new)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: expected\n%s\nfound\n%s", name, strings.Join(test.want, "\n"), strings.Join(got, "\n"))
		}
		// The way back is as long.
		if back := Compare(new, old); len(back) != len(test.want) {
			t.Errorf("%s: expected %d changes back, found %v", name, len(test.want), texts(back))
		}
	}
}

// A file that is yet to be encoded may hold anything.
func TestChangeIsFitForATerminal(t *testing.T) {
	c := Change{Kind: KindProduct, Name: "a\x1b[2J", Platform: "b\n", What: "c\r", From: "d\u202e", To: strings.Repeat("e", 4096)}
	if want := `"a\x1b[2J", "b\n": "c\r" "d\u202e" → ` + strings.Repeat("e", 200) + "…"; c.String() != want {
		t.Errorf("expected %q, found %q", want, c.String())
	}
}
