package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseAllowed(t *testing.T) {
	list, err := parseAllowed("list", "# about\n\na.go:F: x > 1\n\tone\n  two\n\nb.go:G: y #2\n\tthree\n")
	if err != nil || len(list) != 2 {
		t.Fatalf("expected two entries, found %v, %v", list, err)
	}
	if *list[0] != (allowance{3, "a.go:F: x > 1", "one two"}) || *list[1] != (allowance{7, "b.go:G: y #2", "three"}) {
		t.Errorf("found %+v, %+v", *list[0], *list[1])
	}
	for name, test := range map[string]struct{ text, want string }{
		"no reason":       {"a.go:F: x\nb.go:G: y\n\tyes\n", "list:1: expected a reason"},
		"no reason, last": {"a.go:F: x\n\tyes\nb.go:G: y\n", "list:3: expected a reason"},
		"no id":           {"\tyes\n", "list:1: expected an id before its reason"},
		"twice":           {"a.go:F: x\n\tyes\na.go:F: x\n\tno\n", "list:3: expected each id once"},
	} {
		list, err := parseAllowed("list", test.text)
		if !errors.Is(err, errAllowed) || !strings.Contains(err.Error(), test.want) || list != nil {
			t.Errorf("%s: expected %q, found %v, %v", name, test.want, list, err)
		}
	}
}

func TestAllow(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "other.go"), "package other\n")
	verdictOn := func(id, status string) *verdict {
		return &verdict{mutant: &mutant{ID: id, File: "a/x.go"}, Status: status}
	}
	const id = "a/x.go:F: n > 1"
	for _, test := range []struct {
		name, entry string
		verdict     *verdict
		wrong       string
		allowed     string
	}{
		{"survivor", id, verdictOn(id, statusSurvived), "", "why"},
		{"not reached", id, verdictOn(id, statusUnreached), "", "why"},
		{"killed", id, verdictOn(id, statusKilled), "found one that is killed", ""},
		{"invalid", id, verdictOn(id, statusInvalid), "found one that is invalid", ""},
		{"not in this run", "a/x.go:G: n", verdictOn(id, statusSurvived), "", ""},
		{"gone", "a/x.go:F: n > 2", verdictOn(id, statusSurvived), "found none like it", ""},
		{"in a file that is gone", "b/y.go:F: n", verdictOn(id, statusSurvived), "found none like it", ""},
		{"in a package of another run", "other.go:F: n", verdictOn(id, statusSurvived), "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			known := []*mutant{test.verdict.mutant, {ID: "a/x.go:G: n", File: "a/x.go"}}
			wrong := allow([]*allowance{{line: 3, id: test.entry, reason: "why"}}, root, known, []*verdict{test.verdict})
			if test.verdict.Allowed != test.allowed {
				t.Errorf("expected the reason %q, found %q", test.allowed, test.verdict.Allowed)
			}
			if (test.wrong == "") != (len(wrong) == 0) || test.wrong != "" && !strings.Contains(wrong[0], test.wrong) {
				t.Errorf("expected %q, found %q", test.wrong, wrong)
			}
		})
	}
}

// TestAllowedList: the list of this repository can be read, and each entry is
// for a file that is there. Whether its mutant survives is for make mutants.
func TestAllowedList(t *testing.T) {
	list, err := readAllowed("allowed.txt", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		file, _, _ := strings.Cut(one.id, ":")
		if !exists(filepath.Join("..", "..", filepath.FromSlash(file))) {
			t.Errorf("allowed.txt:%d: expected a file of this repository, found %q", one.line, file)
		}
	}
}

func TestCause(t *testing.T) {
	for _, test := range []struct {
		code         int
		output, want string
	}{
		{1, "--- FAIL: TestA (0.00s)\nFAIL\n", "fail"},
		{2, "panic: runtime error: index out of range\n", "panic"},
		{2, "fatal error: all goroutines are asleep - deadlock!\n", "panic"},
		{2, "panic: test timed out after 3s\n", "timeout"},
		{exitDeadline, "", "timeout"},
		{-1, "", "timeout"},
		{exitMemory, "", "memory"},
	} {
		if got := cause(test.code, test.output); got != test.want {
			t.Errorf("%d %q: expected %s, found %s", test.code, test.output, test.want, got)
		}
	}
	const output = "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/sub (0.00s)\n--- FAIL: TestB (0.00s)\n"
	if got := failedTest(output); got != "TestA/sub" {
		t.Errorf("expected TestA/sub, found %q", got)
	}
}

func TestSpreadStopsAtAnError(t *testing.T) {
	failure := errors.New("the third")
	var done []int
	err := spread(1, 10, func(job, _ int) error {
		done = append(done, job)
		if job == 2 {
			return failure
		}
		return nil
	})
	if !errors.Is(err, failure) || !slices.Equal(done, []int{0, 1, 2}) {
		t.Errorf("expected three jobs and their error, found %v, %v", done, err)
	}
}
