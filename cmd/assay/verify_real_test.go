package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/testrepo"
)

// Who signed the real data, and what of; see the README beside it.
const (
	exampleIdentity = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
	npmIdentity     = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
	npmDigest       = "sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c"
)

// realFile is the path of a file of the real data beside the repository; without
// it the test is skipped.
func realFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skip("no real data beside the repository")
	}
	return path
}

func readReal(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(realFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// verifyAlone runs verify with a bundle and nothing else, not even folders to use.
func verifyAlone(t *testing.T, file, bundle, root, identity, issuer string) (code int, stdout, stderr string) {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	code, stdout, stderr = d.run("", "verify", file, "--bundle", bundle, "--trusted-root", root, "--identity", identity, "--issuer", issuer, "--json")
	if left := d.files(); len(left) != 1 { // user.toml
		t.Errorf("left behind: %v", left)
	}
	return code, stdout, stderr
}

func TestRealBundlesAlone(t *testing.T) {
	t.Parallel()
	root := realFile(t, "sigstore/trusted_root.json")
	stranger := filepath.Join(t.TempDir(), "root.json")
	box, err := testrepo.NewSigstore(nil)
	if err == nil {
		err = os.WriteFile(stranger, box.TrustedRoot(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	example := realFile(t, "sigstore-example/a.txt")
	for name, test := range map[string]struct{ file, other, identity string }{
		"sigstore-example/message-v0.1.sigstore.json": {example, root, exampleIdentity},
		"sigstore-example/message-v0.2.sigstore.json": {example, root, exampleIdentity},
		"sigstore-example/message-v0.3.sigstore.json": {example, root, exampleIdentity},
		"sigstore-example/dsse-v0.3.sigstore.json":    {example, root, exampleIdentity},
		"npm-sigstore-2.0.0/provenance.sigstore.json": {npmDigest, strings.Replace(npmDigest, "46d4", "46d5", 1), npmIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			bundle := realFile(t, name)
			project, _, _ := strings.Cut(test.identity, "/.github/")
			for what, try := range map[string]struct {
				file, root, identity, issuer string
				code                         int
				says                         string
			}{
				"as it is":        {test.file, root, test.identity, testrepo.GitHubIssuer, 0, ""},
				"a glob":          {test.file, root, project + "/.github/workflows/*@refs/heads/*", testrepo.GitHubIssuer, 0, ""},
				"another file":    {test.other, root, test.identity, testrepo.GitHubIssuer, 14, "vouches for other bytes"},
				"another branch":  {test.file, root, strings.Replace(test.identity, "main", "next", 1), testrepo.GitHubIssuer, 14, "not signed by an accepted identity"},
				"another issuer":  {test.file, root, test.identity, "https://accounts.google.com", 14, "not signed by an accepted identity"},
				"its beginning":   {test.file, root, "/" + project + "/", testrepo.GitHubIssuer, 14, "not signed by an accepted identity"},
				"a look-alike":    {test.file, root, strings.Replace(test.identity, "/.github/", "-evil/.github/", 1), testrepo.GitHubIssuer, 14, "not signed by an accepted identity"},
				"a shorter name":  {test.file, root, strings.TrimSuffix(project, project[len(project)-1:]) + "/**", testrepo.GitHubIssuer, 14, "not signed by an accepted identity"},
				"another's roots": {test.file, stranger, test.identity, testrepo.GitHubIssuer, 14, "certificate not trusted"},
			} {
				if code, _, stderr := verifyAlone(t, try.file, bundle, try.root, try.identity, try.issuer); code != try.code || !strings.Contains(stderr, try.says) {
					t.Errorf("%s: expected exit %d and %q, found %d: %s", what, try.code, try.says, code, stderr)
				}
			}
		})
	}
}

// Who built it, where the certificate bears it out; a copied statement tells
// nothing.
func TestRealBuildsAlone(t *testing.T) {
	t.Parallel()
	root := realFile(t, "sigstore/trusted_root.json")
	for _, test := range []struct{ file, bundle, identity, says string }{
		{npmDigest, "npm-sigstore-2.0.0/provenance.sigstore.json", npmIdentity, `"id":"provenance","result":"pass"`},
		{realFile(t, "sigstore-example/a.txt"), "sigstore-example/dsse-v0.3.sigstore.json", exampleIdentity, `"id":"provenance","result":"not checked"`},
	} {
		if code, stdout, stderr := verifyAlone(t, test.file, realFile(t, test.bundle), root, test.identity, testrepo.GitHubIssuer); code != 0 || !strings.Contains(stdout, test.says) {
			t.Errorf("%s: expected exit 0 and %s, found %d: %s%s", test.bundle, test.says, code, stdout, stderr)
		}
	}
}

// A digest by another algorithm says nothing for or against the bytes.
func TestRealBundleUnderAnotherAlgorithm(t *testing.T) {
	t.Parallel()
	code, _, stderr := verifyAlone(t, "sha256:"+strings.Repeat("0", 64), realFile(t, "npm-sigstore-2.0.0/provenance.sigstore.json"),
		realFile(t, "sigstore/trusted_root.json"), npmIdentity, testrepo.GitHubIssuer)
	if code != 14 || !strings.Contains(stderr, "vouches under another algorithm") || !strings.Contains(stderr, "by the algorithm that the bundle vouches under") {
		t.Errorf("expected exit 14 and the other algorithm, found %d: %s", code, stderr)
	}
}

// The public-good root and a real file, published by a repository of our own.
func TestRealBundlesOfARepository(t *testing.T) {
	t.Parallel()
	root, file := readReal(t, "sigstore/trusted_root.json"), readReal(t, "sigstore-example/a.txt")
	d, repo := emptyDesk(t)
	publish := func(targets map[string][]byte) {
		t.Helper()
		for path, data := range targets {
			if err := repo.AddTarget(path, data); err != nil {
				t.Fatal(err)
			}
		}
		if err := repo.Publish(); err != nil {
			t.Fatal(err)
		}
	}
	publish(map[string][]byte{"trusted_root.json": root, "a.txt": file})
	const profile = "[profiles.real]\nkind = \"public-good\"\nrepository = \"acme\"\ntarget = \"trusted_root.json\"\n[repositories.acme]\nprofiles = [\"real\"]\n"
	by := func(identity string) string {
		return profile + "[[policy]]\nrequire = [\"signature\"]\nsigners = [{issuer = \"" + testrepo.GitHubIssuer + "\", identity = \"" + identity + "\"}]\n"
	}
	for _, name := range []string{"message-v0.1", "message-v0.2", "message-v0.3"} {
		publish(map[string][]byte{"a.txt.sigstore.json": readReal(t, "sigstore-example/"+name+".sigstore.json")})
		code, stdout, stderr := d.run(by(exampleIdentity), "get", "acme", "a.txt", "-o", "got.txt", "--json")
		var doc refusalDoc
		if err := json.Unmarshal([]byte(stdout), &doc); code != 0 || err != nil || len(doc.Evidence.Signatures) != 1 || doc.Evidence.Signatures[0].Signer != exampleIdentity {
			t.Errorf("%s: expected a.txt to be proven, found exit %d, %v: %s", name, code, err, stderr)
		}
		if got, err := os.ReadFile(filepath.Join(d.dir, "got.txt")); err != nil || string(got) != string(file) {
			t.Errorf("%s: expected the file, found %q, %v", name, got, err)
		}
		if code, _, stderr := d.run(by(strings.Replace(exampleIdentity, "main", "next", 1)), "get", "acme", "a.txt", "-o", "x.txt"); code != 14 {
			t.Errorf("%s: expected exit 14 for another identity, found %d: %s", name, code, stderr)
		}
	}
	if code, stdout, _ := d.run(profile, "explain", "acme", "a.txt"); code != 0 || !strings.Contains(stdout, "the trust root comes from the repository that publishes the artifact") {
		t.Errorf("expected explain to tell where the trust root comes from, found exit %d: %s", code, stdout)
	}
	// The statement is one that somebody else's build made, copied: its signature
	// is good, and what it says is not what its certificate says.
	publish(map[string][]byte{"a.txt.sigstore.json": readReal(t, "sigstore-example/dsse-v0.3.sigstore.json")})
	if code, _, stderr := d.run(by(exampleIdentity), "get", "acme", "a.txt", "-o", "x.txt"); code != 14 || !strings.Contains(stderr, "claims that its certificate does not bear out") {
		t.Errorf("expected exit 14 for another's statement, found %d: %s", code, stderr)
	}
	if code, _, stderr := d.run("", "get", "acme", "trusted_root.json", "-o", "root.json"); code != 0 {
		t.Fatal(stderr)
	}
	for _, name := range []string{"message-v0.1", "message-v0.2", "message-v0.3", "dsse-v0.3"} {
		code, _, stderr := verifyAlone(t, realFile(t, "sigstore-example/a.txt"), realFile(t, "sigstore-example/"+name+".sigstore.json"),
			filepath.Join(d.dir, "root.json"), exampleIdentity, testrepo.GitHubIssuer)
		if code != 0 {
			t.Errorf("%s: expected exit 0 by the root that was fetched, found %d: %s", name, code, stderr)
		}
	}
	publish(map[string][]byte{"a.txt": append(file, '\n')})
	if code, _, stderr := d.run(profile, "get", "acme", "a.txt", "-o", "x.txt"); code != 14 || !strings.Contains(stderr, "vouches for other bytes") {
		t.Errorf("expected exit 14 for other bytes, found %d: %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "x.txt")); err == nil {
		t.Error("a refusal left x.txt")
	}
}

// What sigstore-go is tested with, where its source is at hand.
func TestBundlesOfSigstoreGo(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Skip("no source of sigstore-go:", err)
	}
	in := func(name string) string {
		path := filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(name))
		if _, err := os.Stat(path); err != nil {
			t.Skip("no source of sigstore-go:", err)
		}
		return path
	}
	root := in("pkg/testing/data/trusted-roots/public-good.json")
	const npm130 = "sha512:76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751"
	for bundle, digest := range map[string]string{
		"pkg/testing/data/bundles/sigstore.js@2.0.0-provenance.sigstore.json": npmDigest,
		"examples/bundle-provenance.json":                                     npm130,
	} {
		if code, _, stderr := verifyAlone(t, digest, in(bundle), root, npmIdentity, testrepo.GitHubIssuer); code != 0 {
			t.Errorf("%s: expected exit 0, found %d: %s", bundle, code, stderr)
		}
		if code, _, stderr := verifyAlone(t, digest, in(bundle), root, exampleIdentity, testrepo.GitHubIssuer); code != 14 {
			t.Errorf("%s: expected exit 14 for another identity, found %d: %s", bundle, code, stderr)
		}
	}
}
