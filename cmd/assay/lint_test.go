package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/internal/config"
	"assay/internal/testrepo"
)

// TestLintTakesTheTopLevelOne shows that a document that counts from the
// top-level role alone is not linted where another role promises it.
func TestLintTakesTheTopLevelOne(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	repo, err := testrepo.New(testrepo.Options{})
	must(err)
	must(repo.Delegate("targets", testrepo.DelegatedRole{Name: "helper", Paths: []string{"mirrors.json"}}))
	must(repo.AddTarget("mirrors.json", []byte(`{"schema": "assay.mirrors/v1", "mirrors": []}`), "helper"))
	must(repo.Publish())
	server, err := testrepo.Serve(repo)
	must(err)
	t.Cleanup(func() { must(server.Close()) })

	dir := t.TempDir()
	assay := func(args ...string) (int, string) {
		var out bytes.Buffer
		a := &app{
			stdin: strings.NewReader(""), stdout: &out, stderr: &out, workDir: dir, systemDir: filepath.Join(dir, "etc"), now: time.Now,
			dirs: config.Dirs{Config: filepath.Join(dir, "config"), Cache: filepath.Join(dir, "cache"), State: filepath.Join(dir, "state")},
		}
		return a.run(t.Context(), args), out.String()
	}
	for _, step := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256()}, 0, "acme: added"},
		{[]string{"get", "acme", "mirrors.json", "--dry-run"}, 0, "mirrors.json of acme"},
		{[]string{"lint", "acme", "mirrors.json"}, 3, "mirrors.json"},
	} {
		if code, out := assay(step.args...); code != step.code || !strings.Contains(out, step.out) {
			t.Errorf("%v: exit code %d, expected %d and %q, found %s", step.args, code, step.code, step.out, out)
		}
	}
}
