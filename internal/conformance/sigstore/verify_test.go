package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust/provenance"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// folder has the files that the suite would give.
type folder struct {
	t        *testing.T
	dir      string
	sigstore *testrepo.Sigstore
	identity []string // the flags that accept the default signer
}

var data = []byte("hello\n")

func newFolder(t *testing.T) folder {
	t.Helper()
	s, err := testrepo.NewSigstore(func() time.Time { return noon })
	must(t, err)
	claims := testrepo.WorkflowClaims("https://github.com/acme/hello", ".github/workflows/release.yml", "refs/tags/v1.0.0", "")
	f := folder{t, t.TempDir(), s, []string{"--certificate-identity", claims.Identity, "--certificate-oidc-issuer", claims.Issuer}}
	f.write("a.txt", data)
	f.write("root.json", s.TrustedRoot())
	return f
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) write(name string, content []byte) string {
	f.t.Helper()
	must(f.t, os.WriteFile(f.path(name), content, 0o600))
	return f.path(name)
}

func (f folder) bundle(name string, o testrepo.BundleOptions) string {
	f.t.Helper()
	made, err := f.sigstore.Bundle(o)
	must(f.t, err)
	return f.write(name, made)
}

// verify runs the client as the suite does, and gives what it returned.
func verify(env map[string]string, args ...string) error {
	o, err := parse(append([]string{"verify-bundle"}, args...))
	if err == nil {
		err = o.verify(func(name string) string { return env[name] })
	}
	return err
}

func TestVerifyByCertificate(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	bundle, root := f.bundle("bundle", testrepo.BundleOptions{Data: data}), []string{"--trusted-root", f.path("root.json")}
	good := slices.Clip(slices.Concat([]string{"--bundle", bundle}, f.identity, root))
	wrong := f.write("b.txt", []byte("other"))
	digest := artifact.DigestOf(artifact.SHA256, data)
	for name, test := range map[string]struct {
		args []string
		want error
	}{
		"file":                  {append(good, f.path("a.txt")), nil},
		"digest":                {append(good, digest.String()), nil},
		"another file":          {append(good, wrong), provenance.ErrDigest},
		"another digest":        {append(good, artifact.DigestOf(artifact.SHA256, []byte("x")).String()), provenance.ErrDigest},
		"no such file":          {append(good, f.path("c.txt")), os.ErrNotExist},
		"short digest":          {append(good, "sha256:00"), os.ErrNotExist},
		"another identity":      {append(good, "--certificate-identity", "https://github.com/acme/hello", f.path("a.txt")), errIdentity},
		"another issuer":        {append(good, "--certificate-oidc-issuer", "https://accounts.example", f.path("a.txt")), errIdentity},
		"a wildcard":            {append(good, "--certificate-identity", "https://github.com/acme/hello/**", f.path("a.txt")), errIdentity},
		"an expression":         {append(good, "--certificate-identity", "/https://github.com/acme/hello/.+/", f.path("a.txt")), errIdentity},
		"no such bundle":        {append(good, "--bundle", f.path("none"), f.path("a.txt")), os.ErrNotExist},
		"no such root":          {append(good, "--trusted-root", f.path("none"), f.path("a.txt")), os.ErrNotExist},
		"root that is none":     {append(good, "--trusted-root", f.path("a.txt"), f.path("a.txt")), provenance.ErrProfile},
		"bundle that is none":   {append(good, "--bundle", f.path("a.txt"), f.path("a.txt")), provenance.ErrMalformed},
		"huge bundle":           {append(good, "--bundle", f.write("huge", make([]byte, provenance.MaxBundleBytes+1)), f.path("a.txt")), provenance.ErrTooLarge},
		"by the Rekor of today": {append(good, "--bundle", f.bundle("v2", testrepo.BundleOptions{Data: data, Preset: testrepo.PublicGoodV2}), f.path("a.txt")), nil},
		"statement":             {append(good, "--bundle", f.bundle("dsse", testrepo.BundleOptions{Statement: statement(t)}), f.path("a.txt")), nil},
		"no log":                {append(good, "--bundle", f.bundle("github", testrepo.BundleOptions{Data: data, Preset: testrepo.GitHub}), f.path("a.txt")), provenance.ErrLog},
	} {
		err := verify(nil, test.args...)
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
	}
}

func statement(t *testing.T) []byte {
	t.Helper()
	made, err := testrepo.ProvenanceV1(testrepo.ProvenanceOptions{Subjects: []testrepo.Subject{
		{Name: "a.txt", Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}},
	}})
	must(t, err)
	return made
}

func TestVerifyByKey(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	key, err := testrepo.NewSigningKey(testrepo.ECDSA)
	must(t, err)
	other, err := testrepo.NewSigningKey(testrepo.ECDSA)
	must(t, err)
	public, stranger := f.write("key.pub", key.PublicPEM()), f.write("other.pub", other.PublicPEM())
	plain := testrepo.BundleOptions{Data: data, Key: key, Plain: true}
	bare := f.bundle("bare", plain)
	plain.Proofs = &testrepo.Proofs{Log: testrepo.Rekor1}
	logged := f.bundle("logged", plain)
	plain.Forgeries = []testrepo.BundleForgery{testrepo.WrongInclusion}
	forged := f.bundle("forged", plain)
	for name, test := range map[string]struct {
		args []string
		want error
	}{
		"key":                    {[]string{"--bundle", bare, "--key", public}, nil},
		"key and root":           {[]string{"--bundle", logged, "--key", public, "--trusted-root", f.path("root.json")}, nil},
		"log that is not asked":  {[]string{"--bundle", forged, "--key", public}, nil},
		"log that is not proven": {[]string{"--bundle", forged, "--key", public, "--trusted-root", f.path("root.json")}, provenance.ErrLog},
		"another key":            {[]string{"--bundle", bare, "--key", stranger}, provenance.ErrKey},
		"no key":                 {[]string{"--bundle", bare, "--key", f.path("a.txt")}, provenance.ErrProfile},
		"no such key":            {[]string{"--bundle", bare, "--key", f.path("none")}, os.ErrNotExist},
		"a certificate asked":    {append([]string{"--bundle", bare, "--trusted-root", f.path("root.json")}, f.identity...), provenance.ErrInapplicable},
	} {
		err := verify(nil, append(test.args, f.path("a.txt"))...)
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
	}
}

// Without a root it is the one of the instance that the suite means.
func TestRootOfTheInstance(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	args := slices.Concat([]string{"--bundle", f.bundle("bundle", testrepo.BundleOptions{Data: data})}, f.identity, []string{f.path("a.txt")})
	staging := slices.Concat([]string{"--staging"}, args)
	production := map[string]string{"ASSAY_SIGSTORE_ROOT": f.path("root.json")}
	both := map[string]string{"ASSAY_SIGSTORE_ROOT": f.path("a.txt"), "ASSAY_SIGSTORE_STAGING_ROOT": f.path("root.json")}
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want error
	}{
		"production":             {production, args, nil},
		"staging":                {both, staging, nil},
		"staging, not given":     {production, staging, errRoot},
		"nothing":                {nil, args, errRoot},
		"production's is broken": {both, args, provenance.ErrProfile},
	} {
		if err := verify(test.env, test.args...); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	bundle := f.bundle("bundle", testrepo.BundleOptions{Data: data})
	args := slices.Clip(slices.Concat([]string{"verify-bundle", "--bundle", bundle}, f.identity, []string{"--trusted-root", f.path("root.json")}))
	var stderr bytes.Buffer
	if code := run(append(args, f.path("a.txt")), os.Getenv, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("expected 0 and no words, found %d, %s", code, stderr.String())
	}
	if code := run(append(args, f.write("b.txt", nil)), os.Getenv, &stderr); code != 1 || !strings.HasPrefix(stderr.String(), "sigstore: bundle sha256:") {
		t.Errorf("expected 1 and the reason, found %d, %s", code, stderr.String())
	}
}
