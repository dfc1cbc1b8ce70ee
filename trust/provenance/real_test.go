package provenance

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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

// library reads a file within the sigstore-go module; without it the test is
// skipped.
func library(t testing.TB, name string) []byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Skip("no source of sigstore-go:", err)
	}
	return readOrSkip(t, filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(name)), "no source of sigstore-go")
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

func TestRealBundlesVerify(t *testing.T) {
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
		s, err := v.Verify(shared(t, name), test.digests)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Signer.Issuer != githubIssuer || s.Signer.Identity != test.identity {
			t.Errorf("%s: signed by %s", name, s.Signer.ID())
		}
	}
}
