package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The demo is the first thing that anybody runs: what it shows must be so.
func TestDemoShowsWhatItSays(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "play")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--json", "--keep", keep}, strings.NewReader(""), &stdout, &stderr, nil); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	var doc struct {
		Schema string     `json:"schema"`
		Steps  []demoStep `json:"steps"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var exits []int
	for _, step := range doc.Steps {
		exits = append(exits, step.Exit)
		if step.Exit != step.Expected {
			t.Errorf("%s: expected exit %d, found %d", step.Command, step.Expected, step.Exit)
		}
		if strings.HasSuffix(step.Command, "--offline") && step.Requests != 0 {
			t.Errorf("%s: expected no request, found %d", step.Command, step.Requests)
		}
	}
	for _, code := range []int{13, 11, 12, 14} {
		found := false
		for _, e := range exits {
			found = found || e == code
		}
		if !found {
			t.Errorf("expected a refusal with exit %d, found %v", code, exits)
		}
	}
	if _, err := os.Lstat(filepath.Join(keep, "old.tgz")); err == nil {
		t.Error("the flipped bytes were kept under a final name")
	}

	// What is kept works, by file URLs, in a state of its own.
	env := []string{
		"ASSAY_CONFIG=" + filepath.Join(keep, "config.toml"),
		"ASSAY_STATE_DIR=" + filepath.Join(keep, "play", "state"),
		"ASSAY_CACHE_DIR=" + filepath.Join(keep, "play", "cache"),
	}
	for _, args := range [][]string{
		{"trust", "add", "play", "file://" + filepath.ToSlash(filepath.Join(keep, "repository")), "--root", filepath.Join(keep, "root.json")},
		{"get", "hello@1.4.2", "-o", filepath.Join(keep, "again.tgz"), "--platform", "linux/arm64"},
	} {
		stdout.Reset()
		stderr.Reset()
		if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, env); code != 0 {
			t.Errorf("%v: exit %d: %s", args, code, stderr.String())
		}
	}
	if code := run(t.Context(), []string{"demo", "--keep", keep}, strings.NewReader(""), &stdout, &stderr, nil); code != 2 {
		t.Errorf("--keep with a folder that is there: expected exit 2, found %d", code)
	}
}

func TestDemoForPeopleLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo"}, strings.NewReader(""), &stdout, &stderr, nil); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	for _, part := range []string{"$ assay trust add acme", "$ assay get hello --offline", "exit 13", "exit 11", "exit 12", "every lie was refused"} {
		if !strings.Contains(stdout.String(), part) {
			t.Errorf("expected %q in the transcript", part)
		}
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
