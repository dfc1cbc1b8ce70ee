package provenance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"assay/artifact"
)

// What the real bundles were signed by.
const (
	githubIssuer  = "https://token.actions.githubusercontent.com"
	npmIdentity   = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
	npmDigest     = "sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c"
	exampleSigner = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)

// shared reads a file of the real data beside the repository; without it the
// test is skipped.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	return readOrSkip(t, filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name)), "no real data beside the repository")
}

// library finds the source of sigstore-go, and gives what reads a file of it;
// without it the test is skipped.
func library(t testing.TB) func(name string) []byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Skip("no source of sigstore-go:", err)
	}
	dir := strings.TrimSpace(string(out))
	return func(name string) []byte {
		t.Helper()
		return readOrSkip(t, filepath.Join(dir, filepath.FromSlash(name)), "no source of sigstore-go")
	}
}

func readOrSkip(t testing.TB, path, why string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(why)
	}
	must(t, err)
	return data
}

func digests(t testing.TB, texts ...string) artifact.Digests {
	t.Helper()
	var list []artifact.Digest
	for _, text := range texts {
		d, err := artifact.ParseDigest(text)
		must(t, err)
		list = append(list, d)
	}
	sorted, err := artifact.NewDigests(list...)
	must(t, err)
	return sorted
}

// example is the digest of the file that the example bundles are about.
func example(t testing.TB) artifact.Digests {
	t.Helper()
	return artifact.Digests{artifact.DigestOf(artifact.SHA256, shared(t, "sigstore-example/a.txt"))}
}

func publicGood(t testing.TB) *Verifier {
	t.Helper()
	return verifier(t, Profile{Name: "public", Kind: PublicGood, Root: shared(t, "sigstore/trusted_root.json")})
}

func TestRealBundles(t *testing.T) {
	t.Parallel()
	v := publicGood(t)
	for name, test := range map[string]struct {
		digests  artifact.Digests
		identity string
	}{
		"npm-sigstore-2.0.0/provenance.sigstore.json": {digests(t, npmDigest), npmIdentity},
		"sigstore-example/dsse-v0.3.sigstore.json":    {example(t), exampleSigner},
		"sigstore-example/message-v0.1.sigstore.json": {example(t), exampleSigner},
		"sigstore-example/message-v0.2.sigstore.json": {example(t), exampleSigner},
		"sigstore-example/message-v0.3.sigstore.json": {example(t), exampleSigner},
	} {
		t.Run(name, func(t *testing.T) {
			data := shared(t, name)
			s, err := v.Verify(data, test.digests)
			must(t, err)
			refused(t, v, data, otherFile, ErrDigest)
			refused(t, newLab(t).verifier(PublicGood), data, test.digests, ErrCertificate)
			id := func(issuer, subject string) Identity {
				return Identity{Issuer: pattern(t, issuer), Subject: pattern(t, subject)}
			}
			evil := *s
			evil.Signer.Identity = strings.Replace(s.Signer.Identity, "/.github", "-evil/.github", 1)
			prefix, _, _ := strings.Cut(test.identity, "/.github")
			for _, m := range []struct {
				id   Identity
				s    *Signed
				want bool
			}{
				{id(githubIssuer, test.identity), s, true},
				{id(githubIssuer, prefix+"/.github/workflows/*@refs/heads/main"), s, true},
				{id(githubIssuer, "/"+regexp.QuoteMeta(prefix)+"/.+/"), s, true},
				{id(githubIssuer, prefix), s, false},
				{id(githubIssuer, "/"+regexp.QuoteMeta(prefix)+"/"), s, false},
				{id(githubIssuer, prefix+"/**"), &evil, false},
				{id(githubIssuer, strings.Replace(test.identity, "main", "next", 1)), s, false},
				{id("https://accounts.google.com", test.identity), s, false},
			} {
				if found := m.id.Matches(m.s); found != m.want {
					t.Errorf("%s: expected %v, found %v", m.id, m.want, found)
				}
			}
		})
	}
}

// Real bundles with a byte of the signed part changed.
func TestRealBundlesEdited(t *testing.T) {
	t.Parallel()
	v := publicGood(t)
	statement, message := shared(t, "sigstore-example/dsse-v0.3.sigstore.json"), shared(t, "sigstore-example/message-v0.3.sigstore.json")
	entry := func(o object) object { return at(o, "verificationMaterial", "tlogEntries") }
	for name, test := range map[string]struct {
		data []byte
		kind error
	}{
		"payload": {edited(t, statement, func(o object) {
			envelope := at(o, "dsseEnvelope")
			payload, err := base64.StdEncoding.DecodeString(envelope["payload"].(string))
			must(t, err)
			envelope["payload"] = base64.StdEncoding.EncodeToString(append(payload, ' '))
		}), ErrSignature},
		"log index":       {edited(t, message, func(o object) { entry(o)["logIndex"] = "1" }), ErrLog},
		"integrated time": {edited(t, message, func(o object) { entry(o)["integratedTime"] = "1710869187" }), ErrLog},
		"proof's index":   {edited(t, message, func(o object) { at(entry(o), "inclusionProof")["logIndex"] = "1" }), ErrLog},
		"no proof":        {edited(t, message, func(o object) { delete(entry(o), "inclusionProof") }), ErrLog},
		"no promise":      {edited(t, message, func(o object) { delete(entry(o), "inclusionPromise") }), ErrTime},
		"no log":          {edited(t, message, func(o object) { delete(at(o, "verificationMaterial"), "tlogEntries") }), ErrLog},
		"no signature":    {edited(t, message, func(o object) { delete(at(o, "messageSignature"), "signature") }), ErrSignature},
		"another certificate": {edited(t, message, func(o object) {
			var other object
			must(t, json.Unmarshal(statement, &other))
			at(o, "verificationMaterial")["certificate"] = at(other, "verificationMaterial", "certificate")
		}), ErrSignature},
	} {
		t.Run(name, func(t *testing.T) { refused(t, v, test.data, example(t), test.kind) })
	}
}

// What sigstore-go is tested with.
func TestBundlesOfTheLibrary(t *testing.T) {
	t.Parallel()
	library := library(t)
	public := verifier(t, Profile{Name: "public", Kind: PublicGood, Root: library("pkg/testing/data/trusted-roots/public-good.json")})
	scaffolding := verifier(t, Profile{Name: "scaffolding", Kind: Private, Root: library("pkg/testing/data/trusted-roots/scaffolding.json"), Least: Thresholds{LogEntries: 1}})
	npm := verifier(t, Profile{Name: "npm", Kind: Keys, Root: library("examples/trusted-root-public-good.json"), Keys: [][]byte{library("examples/publish_key.pub")}})
	stamped := verifier(t, Profile{
		Name: "stamped", Kind: Keys, Root: library("pkg/testing/data/trusted-roots/public-key-validity.json"),
		Keys: [][]byte{library("pkg/testing/data/public-keys/public-key-validity.pem")}, Least: Thresholds{SignedTimestamps: 1},
	})
	const npm130 = "sha512:76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751"
	const slsa = "sha512:bbfd372fc9beeb777fe35d05bb10c0c70a9733d366a75fed7dd18866c7391de3ee7e88ba74dd47abf3e15c845e547fcf0e5c3da80854c751554224d3a6d4e55f"
	for name, test := range map[string]struct {
		v       *Verifier
		digest  string
		logged  int
		subject string
		kind    error
	}{
		"pkg/testing/data/bundles/sigstore.js@2.0.0-provenance.sigstore.json": {public, npmDigest, 1, npmIdentity, nil},
		"pkg/testing/data/bundles/dsse.sigstore.json":                         {public, slsa, 1, "brian@dehamer.com", nil},
		"pkg/testing/data/bundles/dsse-2sigs.sigstore.json":                   {public, slsa, 0, "", ErrMalformed},
		"pkg/testing/data/bundles/othername.sigstore.json":                    {scaffolding, "sha256:bc103b4a84971ef6459b294a2b98568a2bfb72cded09d4acd1e16366a401f95b", 1, "foo!oidc.local", nil},
		"pkg/testing/data/bundles/public-key-validity.sigstore.json":          {stamped, "sha256:6ae8a75555209fd6c44157c0aed8016e763ff435a19cf186f76863140143ff72", 0, "", nil},
		"examples/bundle-provenance.json":                                     {public, npm130, 1, "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main", nil},
		"examples/bundle-publish.json":                                        {npm, npm130, 1, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			data := library(name)
			if test.kind != nil {
				refused(t, test.v, data, digests(t, test.digest), test.kind)
				return
			}
			s, err := test.v.Verify(data, digests(t, test.digest))
			must(t, err)
			if s.Signer.Identity != test.subject || (s.Signer.Key != "") != (test.subject == "") || len(s.Logged) != test.logged {
				t.Errorf("found %+v", s)
			}
		})
	}
}
