package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// started is a finished run of the program.
type started struct {
	code           int
	stdout, stderr string
}

// start runs the program, and sees that it leaves nothing behind: no temporary
// file, and no trace in the folder that it worked in.
func start(t *testing.T, dir string, args ...string) started {
	t.Helper()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	before := snapshot(t, dir)
	var stdout, stderr bytes.Buffer
	code := program(t.Context(), append([]string{"-C", dir}, args...), &stdout, &stderr)
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("the working tree was changed:\n%s\nwas\n%s", after, before)
	}
	return started{code, stdout.String(), stderr.String()}
}

// snapshot joins the names and contents of the files in a folder.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(entry.Name() + "\n" + string(data))
	}
	return all.String()
}

// TestTinyModule has one of each: a check with a test, one without, one whose
// loss makes a loop endless, one that counts only in a child process, one that
// does not compile, one that is allowed to survive.
func TestTinyModule(t *testing.T) {
	dir := filepath.Join("testdata", "tiny")
	ran := start(t, dir, "-json", "-timeout", "2s", "-kind", "check,propagation,skip,outside",
		"-allowed", filepath.Join(dir, "allowed.txt"), ".")
	if ran.code != exitSurvivors {
		t.Fatalf("expected exit code %d, found %d\n%s%s", exitSurvivors, ran.code, ran.stdout, ran.stderr)
	}
	var result struct {
		Mutants []struct{ ID, Status, How, Test, Allowed string }
		Counts  map[string]int
	}
	if err := json.Unmarshal([]byte(ran.stdout), &result); err != nil {
		t.Fatal(err)
	}
	want := map[string]verdict{
		"Check: n < 0":    {Status: statusKilled, How: "fail", Test: "TestCheck"},
		"Check: n > 1000": {Status: statusSurvived},
		"CheckAll: drop list == nil from list == nil || len(list) == 0":    {Status: statusSurvived},
		"CheckAll: drop len(list) == 0 from list == nil || len(list) == 0": {Status: statusSurvived},
		"CheckAll: n == 0":                                 {Status: statusSurvived, Allowed: "Check lets zero pass, so passing it over saves a call and no more."},
		"CheckAll: err := Check(n); err != nil":            {Status: statusKilled, How: "fail", Test: "TestCheckAll"},
		"Never: n == 7":                                    {Status: statusUnreached},
		"Read: data, err := os.ReadFile(path); err != nil": {Status: statusKilled, How: "fail", Test: "TestRead"},
		"Steps: seen[at]":                                  {Status: statusKilled, How: "timeout"},
		"InChild: word == \"bad\"":                         {Status: statusKilled, How: "fail", Test: "TestInChild"},
		"Named: drop n > 1 from n > 1 && n < 9":            {Status: statusInvalid},
		"Named: drop n < 9 from n > 1 && n < 9":            {Status: statusInvalid},
	}
	for _, found := range result.Mutants {
		id := strings.TrimPrefix(found.ID, "tiny.go:")
		expected, ok := want[id]
		if !ok || found.Status != expected.Status || found.How != expected.How || found.Allowed != expected.Allowed ||
			found.Test != expected.Test {
			t.Errorf("%s: expected %+v, found %+v", id, expected, found)
		}
		delete(want, id)
	}
	for id := range want {
		t.Errorf("%s: expected a mutant, found none", id)
	}
	if result.Counts["allowed"] != 1 || result.Counts[statusSurvived] != 3 {
		t.Errorf("expected 1 allowed and 3 survivors, found %v", result.Counts)
	}
}

// TestExitCodes runs the program on one mutant.
func TestExitCodes(t *testing.T) {
	dir := filepath.Join("testdata", "tiny")
	stale := filepath.Join(t.TempDir(), "stale.txt")
	write(t, stale, "tiny.go:Check: n < 0\n\tIt was hard to test once.\n")
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"killed", []string{"-run", "n < 0", "."}, exitOK, "1 mutants: 1 killed", "1 mutants in"},
		{"allowed and killed", []string{"-run", "n < 0", "-allowed", stale, "."}, exitSurvivors, "line 1: expected a survivor, found one that is killed", ""},
		{"listed", []string{"-list", "-files", "tiny.go", "-kind", "outside", "."}, exitOK, "1 mutants\n", ""},
		{"no such file", []string{"-list", "-files", "small.go", "."}, exitOK, "0 mutants\n", ""},
		{"unknown kind", []string{"-kind", "weak", "."}, exitFailed, "", `expected some of check,propagation,skip,outside,boundary, found "weak"`},
		{"bad pattern", []string{"-run", "(", "."}, exitFailed, "", "-run: error parsing regexp"},
		{"no jobs", []string{"-jobs", "0", "."}, exitFailed, "", "expected more than 0"},
		{"missing list", []string{"-allowed", stale + ".not", "."}, exitFailed, "", errAllowed.Error()},
		{"missing package", []string{"./nowhere"}, exitFailed, "", errSource.Error()},
		{"help", []string{"-h"}, exitOK, "", "usage: mutants"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ran := start(t, dir, append([]string{"-jobs", "1"}, test.args...)...)
			if ran.code != test.code || !strings.Contains(ran.stdout, test.stdout) || !strings.Contains(ran.stderr, test.stderr) {
				t.Errorf("expected %d with %q and %q, found %d with\n%s%s", test.code, test.stdout, test.stderr, ran.code, ran.stdout, ran.stderr)
			}
		})
	}
}

// TestTestsThatFailAnyway: nothing is learned from tests that fail without a
// mutant, nor from a package that does not build.
func TestTestsThatFailAnyway(t *testing.T) {
	const code = "package p\n\nfunc F(a int) bool {\n\tif a > 1 {\n\t\treturn false\n\t}\n\treturn true\n}\n"
	for name, test := range map[string]struct{ test, want string }{
		"failing":         {"package p\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { t.Error(F(1)) }\n", errBaseline.Error() + " (fail)"},
		"does not build":  {"package p\n\nvar _ = G\n", errSource.Error()},
		"alone it panics": {"package p\n\nimport \"testing\"\n\nvar p *int\n\nfunc TestA(t *testing.T) { p = new(int) }\n\nfunc TestB(t *testing.T) { *p = 1; F(1) }\n", "TestB alone: " + errBaseline.Error() + " (panic)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module p\n\ngo 1.26.0\n")
			write(t, filepath.Join(dir, "p.go"), code)
			write(t, filepath.Join(dir, "p_test.go"), test.test)
			if ran := start(t, dir, "-jobs", "1", "."); ran.code != exitFailed || !strings.Contains(ran.stderr, test.want) {
				t.Errorf("expected %d with %q, found %d with %s", exitFailed, test.want, ran.code, ran.stderr)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReport(t *testing.T) {
	m := &mutant{ID: "a.go:F: n > 1", Kind: kindCheck, File: "a.go", Line: 7, Source: "n > 1"}
	for name, test := range map[string]struct {
		verdict verdict
		wrong   []string
		bad     bool
		want    string
	}{
		"survivor":    {verdict{mutant: m, Status: statusSurvived}, nil, true, "a.go:7: survived (check)\n\ta.go:F: n > 1\n"},
		"not reached": {verdict{mutant: m, Status: statusUnreached}, nil, true, "a.go:7: unreached (check)\n\ta.go:F: n > 1\n"},
		"allowed":     {verdict{mutant: m, Status: statusSurvived, Allowed: "so"}, nil, false, "1 mutants: 0 killed"},
		"killed":      {verdict{mutant: m, Status: statusKilled, How: "panic"}, nil, false, "1 mutants: 1 killed (1 by a panic"},
		"invalid":     {verdict{mutant: m, Status: statusInvalid}, nil, false, "a.go:7: invalid\n"},
		"list":        {verdict{mutant: m, Status: statusKilled}, []string{"line 3: gone"}, true, "list of allowed survivors: line 3: gone\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			r := report{stdout: &stdout, stderr: &stderr, verdicts: []*verdict{&test.verdict}, wrong: test.wrong}
			bad, err := r.finish()
			if bad != test.bad || err != nil || !strings.HasPrefix(stdout.String(), test.want) {
				t.Errorf("expected %v with %q, found %v, %v with %q", test.bad, test.want, bad, err, stdout.String())
			}
		})
	}
}
