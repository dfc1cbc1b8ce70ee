package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/internal/testrepo"
)

// TestCompletionsNameCommands: a row for a command that does not exist would
// never be asked for.
func TestCompletionsNameCommands(t *testing.T) {
	tree := (&app{}).grow()
	for name, arguments := range completions() {
		var c *cli.Command
		line, err := parseLine(tree, strings.Fields(name))
		if err == nil {
			c = line.command()
		}
		if c == nil || len(c.Subcommands) > 0 || len(line.args) > 0 || len(arguments.each) == 0 {
			t.Errorf("%q: expected a command that takes arguments: %v", name, err)
		}
	}
}

func TestTypable(t *testing.T) {
	hostile := []string{
		"b", "a", "b", "", "-rf", "x y", "$(reboot)", "`id`", "a;b", "a\nb", "a'b", "\x1b[31m", "ä", "a\u202eb", "*", "~", "a\\b",
		strings.Repeat("x", 257), "acme:hello@1.5.0+build-1",
	}
	if got, want := strings.Join(typable(hostile), " "), "a acme:hello@1.5.0+build-1 b"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

// TestCompletionLeavesNoTrace: a look at what is held changes no byte, no name and
// no time in the cache and the state, and makes no request.
func TestCompletionLeavesNoTrace(t *testing.T) {
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	home := t.TempDir()
	env := []string{"ASSAY_STATE_DIR=" + filepath.Join(home, "state"), "ASSAY_CACHE_DIR=" + filepath.Join(home, "cache")}
	assay := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, env); code != 0 || args[0] == completeWord && stderr.Len() > 0 {
			t.Fatalf("%v: exit %d: %s", args, code, stderr.String())
		}
		return stdout.String()
	}
	if out := assay(completeWord, "get", ""); out != "" || len(traces(t, home)) != 1 {
		t.Errorf("expected nothing where nothing is held, found %q and %v", out, traces(t, home))
	}
	assay("trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256())
	assay("versions", "hello")
	old := time.Now().Add(-time.Hour) // what is asked for an hour later gets a new time
	for path := range traces(t, home) {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	server.ResetCounters()
	before := traces(t, home)
	if out := assay(completeWord, "get", "hello@sta"); out != "hello@stable\n" {
		t.Errorf("found %q", out)
	}
	after := traces(t, home)
	for path, trace := range after {
		if before[path] != trace {
			t.Errorf("%s: was %q, is %q", path, before[path], trace)
		}
	}
	if len(before) != len(after) || len(server.Requests()) != 0 {
		t.Errorf("%d files became %d; requests: %v", len(before), len(after), server.Requests())
	}

	// What is in the cache counts only if it is what is promised.
	catalog, _ := repo.Target("catalog.json")
	hex := artifact.DigestOf(artifact.SHA256, catalog).Hex()
	blob := filepath.Join(home, "cache", "blobs", "sha256", hex[:2], hex)
	forged := bytes.ReplaceAll(catalog, []byte(`"hello"`), []byte(`"hells"`))
	if err := errors.Join(os.Chmod(blob, 0o600), os.WriteFile(blob, forged, 0o600)); err != nil {
		t.Fatal(err)
	}
	if out := assay(completeWord, "get", ""); out != "" || bytes.Equal(catalog, forged) {
		t.Errorf("a forged catalog offers %q", out)
	}
}

// traces are the files and folders below a folder, with what would tell of a use.
func traces(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content := []byte{}
		if entry.Type().IsRegular() {
			if content, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		found[path] = info.Mode().String() + info.ModTime().String() + string(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
