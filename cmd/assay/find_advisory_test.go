package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/testrepo"
)

const findOSV = `{"id":"GO-2026-1","aliases":["CVE-2026-1"],"modified":"2026-01-01T00:00:00Z","summary":"a hole","affected":[
  {"package":{"ecosystem":"Go","name":"golang.org/x/text"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.31.0"}]}]}]}`

// find tells which held artifacts have a component that an advisory speaks of.
func TestFindByAdvisory(t *testing.T) {
	t.Parallel()
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	home := t.TempDir()
	settings := filepath.Join(home, "config.toml")
	write := func(text string) {
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"ASSAY_CONFIG=" + settings, "ASSAY_STATE_DIR=" + filepath.Join(home, "state"), "ASSAY_CACHE_DIR=" + filepath.Join(home, "cache")}
	assay := func(code int, args ...string) (string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, env); got != code {
			t.Fatalf("%v: expected exit %d, found %d: %s", args, code, got, stderr.String())
		}
		return stdout.String(), stderr.String()
	}
	write("")
	assay(0, "trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256())
	assay(0, "get", "hello", "--platform", "linux/amd64", "--print", "path")
	if _, talk := assay(2, "find", "--advisory", "any"); !strings.Contains(talk, "no [[advisories]] are configured") {
		t.Errorf("found %q", talk)
	}

	write("[[advisories]]\nfile = 'osv.json'\n")
	if err := os.WriteFile(filepath.Join(home, "osv.json"), []byte(findOSV), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(server.Requests())
	for _, asked := range [][]string{{"golang.org/x/text"}, {"--advisory", "any"}, {"--advisory", "go-2026-1"}, {"text", "--advisory", "CVE-2026-1"}} {
		text, _ := assay(0, append([]string{"find"}, asked...)...)
		if !strings.Contains(text, "acme:hello 1.5.0 linux/amd64") || !strings.Contains(text, "golang.org/x/text v0.30.0 (CVE-2026-1, fixed in 0.31.0)") {
			t.Errorf("find %v: found %q", asked, text)
		}
	}
	for _, asked := range [][]string{{"--advisory", "GO-2026-2"}, {"cobra", "--advisory", "any"}} {
		if text, talk := assay(0, append([]string{"find"}, asked...)...); text != "" || !strings.Contains(talk, "no held artifact matches") {
			t.Errorf("find %v: found %q, %q", asked, text, talk)
		}
	}
	var doc findDoc
	text, _ := assay(0, "find", "--advisory", "any", "--json")
	if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Matches) != 1 || len(doc.Matches[0].Components) != 1 || doc.Matches[0].Components[0].Advisories[0].ID != "CVE-2026-1" {
		t.Errorf("found %s, %v", text, err)
	}
	if after := len(server.Requests()); after != before {
		t.Errorf("expected no request, found %d", after-before)
	}

	// Advisories that can't be read get in the way only of who asks for them.
	if err := os.WriteFile(filepath.Join(home, "osv.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, talk := assay(0, "find", "text"); !strings.Contains(text, "golang.org/x/text") || !strings.Contains(talk, "the advisories can't be read") {
		t.Errorf("found %q, %q", text, talk)
	}
	assay(2, "find", "--advisory", "any")
}
