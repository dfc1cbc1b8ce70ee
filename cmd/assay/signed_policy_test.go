package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/config"
	"assay/internal/testrepo"
	"assay/trust"
)

// desk is a user's machine that runs in this process, with a signed repository
// that it trusts as acme.
type desk struct {
	t    *testing.T
	dir  string
	repo *testrepo.Repo
	box  *testrepo.Sigstore
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	box, err := testrepo.NewSigstore(nil)
	if err != nil {
		t.Fatal(err)
	}
	repo, server, err := testrepo.ServeSample(testrepo.Options{Signing: &testrepo.Signing{Sigstore: box, Checksums: true, Bills: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	d := &desk{t: t, dir: t.TempDir(), repo: repo, box: box}
	d.write("acme.trusted_root.json", box.TrustedRoot())
	if code, _, stderr := d.run("", "trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256()); code != 0 {
		t.Fatal(stderr)
	}
	return d
}

// emptyDesk trusts a repository, as acme, that promises nothing yet.
func emptyDesk(t *testing.T) (*desk, *testrepo.Repo) {
	t.Helper()
	repo, err := testrepo.New(testrepo.Options{})
	if err == nil {
		err = repo.Publish()
	}
	if err != nil {
		t.Fatal(err)
	}
	server, err := testrepo.Serve(repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	d := &desk{t: t, dir: t.TempDir(), repo: repo}
	if code, _, stderr := d.run("", "trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256()); code != 0 {
		t.Fatal(stderr)
	}
	return d, repo
}

func (d *desk) write(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// run is one run of the program with this as the user's configuration.
func (d *desk) run(user string, args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	d.write("user.toml", []byte(user))
	var out, talk bytes.Buffer
	a := &app{
		stdin: strings.NewReader(""), stdout: &out, stderr: &talk, workDir: d.dir, now: time.Now,
		dirs: config.Dirs{Config: filepath.Join(d.dir, "config"), Cache: filepath.Join(d.dir, "cache"), State: filepath.Join(d.dir, "state")},
	}
	code = a.run(d.t.Context(), append(args, "--config", filepath.Join(d.dir, "user.toml")))
	return code, out.String(), talk.String()
}

// files lists what lies in the working folder.
func (d *desk) files() []string {
	d.t.Helper()
	var names []string
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Type() == fs.FileMode(0) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// deskProfile is the box as the profile acme, for the repository acme.
const deskProfile = `
[profiles.acme]
kind = "public-good"
trusted_root = "acme.trusted_root.json"
[repositories.acme]
profiles = ["acme"]
`

const (
	helloWorkflow = "https://git.example/hello/hello/.github/workflows/release.yml"
	helloSigner   = `{issuer = "` + testrepo.GitHubIssuer + `", identity = "` + helloWorkflow + `@refs/tags/v1.5.0"}`
)

// refusalDoc is what --json tells of a refusal.
type refusalDoc struct {
	Schema string
	Error  struct {
		Code          int
		Message, Hint string
	}
	Evidence *trust.Evidence
	Result   struct{ Evidence *trust.Evidence }
}

// Every rule passes, and refuses by its own check, on one and the same release.
func TestPolicyOnTheCommandLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rule := func(lines ...string) string { return deskProfile + "[[policy]]\n" + strings.Join(lines, "\n") + "\n" }
	signers := func(more ...string) string {
		return rule(append([]string{"signers = [" + helloSigner + "]"}, more...)...)
	}
	by := func(issuer, identity string) string {
		return rule(`signers = [{issuer = "` + issuer + `", identity = "` + identity + `"}]`)
	}
	builders := "\n[[builders]]\nbuilder = \"" + helloWorkflow + "@*/**\"\nlevel = 2\nsigner = " + helloSigner + "\n"
	advised := func(word string) string {
		return rule(`advisories = "`+word+`"`) + "\n[[advisories]]\nfile = \"osv.json\"\n"
	}
	d.write("osv.json", []byte(`{"schema_version":"1.6.0","id":"OSV-1","modified":"2026-01-01T00:00:00Z","summary":"it bites",
		"affected":[{"package":{"ecosystem":"Go","name":"golang.org/x/text","purl":"pkg:golang/golang.org/x/text"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.31.0"}]}]}]}`))
	for name, test := range map[string]struct {
		config string
		code   int
		check  string // that fails
		says   string
	}{
		"no policy":                  {deskProfile, 0, "", ""},
		"the right signer":           {signers(), 0, "", ""},
		"as a glob":                  {by(testrepo.GitHubIssuer, helloWorkflow+"@refs/tags/*"), 0, "", ""},
		"as an expression":           {by(testrepo.GitHubIssuer, "/https://git[.]example/hello/hello/.*/"), 0, "", ""},
		"another signer":             {by(testrepo.GitHubIssuer, "https://git.example/hello/other/.github/workflows/release.yml@refs/tags/v1.5.0"), 14, trust.CheckIdentity, "not signed by an accepted identity: expected https://git.example/hello/other"},
		"another issuer":             {by("https://accounts.example", helloWorkflow+"@refs/tags/v1.5.0"), 14, trust.CheckIdentity, "by https://accounts.example, found " + helloWorkflow + "@refs/tags/v1.5.0 by " + testrepo.GitHubIssuer + "\n"},
		"an expression of the start": {by(testrepo.GitHubIssuer, "/https://git.example/hello/hel/"), 14, trust.CheckIdentity, "not signed by an accepted identity"},
		"one of one":                 {signers("threshold = 1"), 0, "", ""},
		// Three bundles are all of one signer.
		"two distinct of one":     {signers("threshold = 2"), 2, "", ""},
		"the same counted twice":  {rule("signers = ["+helloSigner+", "+`{issuer = "`+testrepo.GitHubIssuer+`", identity = "`+helloWorkflow+`@refs/heads/*"}`+"]", "threshold = 2"), 18, "policy.signers", "found 1: "},
		"all kinds":               {rule(`require = ["signature", "provenance", "sbom"]`), 0, "", ""},
		"agreement":               {rule(`require = ["agreement"]`), 18, "policy.require", "expected agreement"},
		"its builder":             {rule(`builder = ["` + helloWorkflow + `@refs/tags/*"]`), 0, "", ""},
		"another builder":         {rule(`builder = ["https://github.com/actions/runner"]`), 18, "policy.builder", "expected"},
		"its source":              {rule(`source = ["https://git.example/hello/hello"]`), 0, "", ""},
		"another source":          {rule(`source = ["https://git.example/hello/hello-evil"]`), 18, "policy.source", "https://git.example/hello/hello"},
		"its ref":                 {rule(`ref = ["refs/tags/v*"]`), 0, "", ""},
		"another ref":             {rule(`ref = ["refs/heads/main"]`), 18, "policy.ref", "refs/tags/v1.5.0"},
		"a level":                 {rule("slsa_level = 2") + builders, 0, "", ""},
		"a higher level":          {rule("slsa_level = 3") + builders, 18, "policy.slsa", "2"},
		"no level in the table":   {rule("slsa_level = 1"), 18, "policy.slsa", ""},
		"rebuilders":              {rule(`rebuilders = {need = 1, of = [` + helloSigner + `]}`), 0, "", ""},
		"other rebuilders":        {rule(`rebuilders = {need = 2, of = [` + helloSigner + `, {issuer = "` + testrepo.GitHubIssuer + `", identity = "https://git.example/rebuild/**"}]}`), 18, "policy.rebuilders", "found 1"},
		"allowed licences":        {rule(`licenses = {allow = ["Apache-2.0", "BSD-3-Clause", "MIT"]}`), 0, "", ""},
		"one not allowed":         {rule(`licenses = {allow = ["Apache-2.0", "MIT"]}`), 18, "policy.licenses", "BSD-3-Clause"},
		"a denied licence":        {rule(`licenses = {deny = ["MIT"]}`), 18, "policy.licenses", "MIT"},
		"a denied component":      {rule(`components = {deny = ["golang.org/x/text@<0.31.0"]}`), 18, "policy.components", "golang.org/x/text"},
		"a version that is fine":  {rule(`components = {deny = ["golang.org/x/text@<0.30.0"]}`), 0, "", ""},
		"an advisory":             {advised("deny"), 18, "policy.advisories", "OSV-1"},
		"an advisory, as warning": {advised("warn"), 0, "", "OSV-1: it bites; fixed in 0.31.0"},
		"old enough":              {rule(`min_age = "7d"`), 0, "", ""},
		"too young":               {rule(`min_age = "30d"`), 0, "", "hello 1.5.0 is passed over: too young by policy: expected published at least 30d ago"},
		"all are too young":       {rule(`min_age = "80d"`), 18, "policy.age", "published at least 80d ago"},
		"too old":                 {rule(`max_age = "7d"`), 18, "policy.age", "published at most 7d ago"},
		"built too long ago":      {rule(`max_build_age = "8d"`), 18, "policy.age", "built at most 8d ago"},
		"its status":              {rule(`statuses = ["current"]`), 0, "", ""},
		"another status":          {rule(`statuses = ["superseded"]`), 18, "policy.status", `"current"`},
		"for another product":     {rule(`product = "ferry"`, `require = ["agreement"]`), 0, "", ""},
		"for another channel":     {rule(`channel = "hotfix"`, `require = ["agreement"]`), 0, "", ""},
		"two rules, one refuses":  {signers() + "[[policy]]\nmax_age = \"1d\"\n", 18, "policy.age", "policy.2"},
		"require, no profile":     {"[[policy]]\nrequire = [\"signature\"]\n", 18, "policy.require", "expected signature (policy.1), found none"},
		"a misspelt key":          {rule(`requires = ["signature"]`), 2, "", `user.toml:8:1: unknown key "policy.requires"; did you mean "policy.require"`},
		"a misspelt kind":         {rule(`require = ["signatures"]`), 2, "", "user.toml:8: policy.1.require.0"},
		"everybody":               {by(testrepo.GitHubIssuer, "**"), 2, "", "expected one that leaves somebody out"},
		"an unknown profile":      {rule(`signers = [{profile = "acne", issuer = "i", identity = "j"}]`), 2, "", `no profile is called "acne"; did you mean "acme"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{t: t, dir: d.dir, repo: d.repo, box: d.box}
			before := d.files()
			code, stdout, stderr := d.run(test.config, "get", "hello", "--platform", "linux/amd64", "-o", "out.tgz", "--json")
			if code != test.code {
				t.Fatalf("expected exit %d, found %d: %s", test.code, code, stderr)
			}
			if !strings.Contains(stderr, test.says) {
				t.Errorf("expected %q, found %s", test.says, stderr)
			}
			if code == 0 {
				if err := os.Remove(filepath.Join(d.dir, "out.tgz")); err != nil {
					t.Error(err)
				}
				return
			}
			if after := d.files(); !slices.Equal(append(before, "user.toml"), after) && !slices.Equal(before, after) {
				t.Errorf("the refusal left %v, there were %v", after, before)
			}
			var doc refusalDoc
			if err := json.Unmarshal([]byte(stdout), &doc); err != nil || doc.Error.Code != test.code {
				t.Fatalf("expected a document of the error, found %v: %s", err, stdout)
			}
			if test.check == "" {
				return
			}
			if doc.Evidence == nil {
				t.Fatalf("expected evidence, found none: %s", stdout)
			}
			if failed, ok := doc.Evidence.Failed(); !ok || failed.ID != test.check || failed.Expected == "" || failed.Found == "" {
				t.Errorf("expected the check %s to have failed, found %+v", test.check, failed)
			}
		})
	}
}
