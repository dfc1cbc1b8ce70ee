package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

	playOn(t, keep)
	if code := run(t.Context(), []string{"demo", "--keep", keep}, strings.NewReader(""), &stdout, &stderr, nil); code != 2 {
		t.Errorf("--keep with a folder that is there: expected exit 2, found %d", code)
	}
}

// playOn types what the demo prints at its end. What is kept works by file URLs,
// with the policy of its own, and has none of the attack.
func playOn(t *testing.T, keep string) {
	t.Helper()
	var text bytes.Buffer
	d := &demo{app: &app{out: newPrinter(&text, &text, printSettings{})}, dir: keep, platform: []string{"--platform", "linux/arm64"}}
	d.playOn()
	expected := map[string]struct {
		code int
		says []string
	}{
		"trust":   {0, []string{"play"}},
		"get":     {0, []string{"hello 1.5.0 (stable) for linux/arm64, of play"}},
		"explain": {0, []string{"hello 1.5.0", "pass        policy.require", "pass        signature.identity"}},
		"find":    {0, []string{"hello 1.5.0 linux/arm64", "golang.org/x/text"}},
		"policy":  {18, []string{"hello 1.5.0", "golang.org/x/text"}},
		"verify":  {0, []string{"1 held: 1 good"}},
	}
	var env []string
	for line := range strings.Lines(text.String()) {
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "export":
			env = append(env, words[1])
		case len(words) > 1 && words[0] == "assay":
			var talk bytes.Buffer
			a := &app{stdin: strings.NewReader(""), stdout: &talk, stderr: &talk, env: env, workDir: keep, systemDir: filepath.Join(keep, "etc"), now: time.Now}
			want, ok := expected[words[1]]
			if code := a.run(t.Context(), words[1:]); !ok || code != want.code {
				t.Errorf("%s: expected exit %d, found %d: %s", strings.TrimSpace(line), want.code, code, talk.String())
			}
			for _, part := range want.says {
				if !strings.Contains(talk.String(), part) {
					t.Errorf("%s: expected %q in: %s", strings.TrimSpace(line), part, talk.String())
				}
			}
			delete(expected, words[1])
		}
	}
	if len(expected) > 0 {
		t.Errorf("expected commands that are not printed: %v", expected)
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
