package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The memory that a test process may use before its mutant counts as killed,
// and the output that is kept of it, in bytes.
const (
	maxHeap   = 2 << 30
	maxOutput = 256 << 10
)

// The exit codes with which the switch ends a process.
const (
	exitMemory   = 91
	exitDeadline = 92
)

// A run is what is asked of the test binary.
type run struct {
	mutant  int      // its number; 0 for none
	tests   []string // their names; none for all
	record  bool     // which checks are reached
	timeout time.Duration
}

// An outcome is what became of it.
type outcome struct {
	passed  bool
	how     string // fail, panic, timeout or memory
	test    string // the first that failed, where one is named
	output  string
	elapsed time.Duration
	reached []int
}

// do runs the binary in the package's folder, as `go test` does. An error means
// that it could not be run, not that a test failed.
func (s *slot) do(ctx context.Context, r run) (outcome, error) {
	// A process that is left over gets a little longer than the test itself,
	// which says more when it ends by its own time-out.
	deadline := time.Now().Add(r.timeout + 3*time.Second)
	orders := fmt.Sprintf("%d %d", r.mutant, deadline.Unix())
	if err := os.WriteFile(filepath.Join(s.dir, "orders"), []byte(orders), 0o600); err != nil {
		return outcome{}, err
	}
	reached := filepath.Join(s.dir, "reached")
	if r.record {
		if err := os.WriteFile(reached, nil, 0o600); err != nil {
			return outcome{}, err
		}
		defer os.Remove(reached)
	}
	tmp := filepath.Join(s.dir, "tmp")
	defer emptyFolder(tmp)

	running, cancel := context.WithDeadline(ctx, deadline.Add(2*time.Second))
	defer cancel()
	command := exec.CommandContext(running, s.binary, r.arguments()...)
	output := &clipped{limit: maxOutput}
	command.Dir, command.Stdout, command.Stderr = s.pkgDir, output, output
	command.Env = append(os.Environ(), "TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp)
	command.WaitDelay = time.Second // a child may hold the pipe
	start := time.Now()
	err := command.Run()
	result := outcome{elapsed: time.Since(start), output: output.String()}
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		result.passed = true
	case errors.As(err, &exit), errors.Is(err, exec.ErrWaitDelay), errors.Is(err, context.DeadlineExceeded):
		result.how, result.test = cause(command.ProcessState.ExitCode(), result.output), failedTest(result.output)
	default:
		return outcome{}, err
	}
	if r.record {
		result.reached, err = readNumbers(reached)
		return result, err
	}
	return result, nil
}

func (r run) arguments() []string {
	pattern := "."
	if len(r.tests) > 0 {
		pattern = "^(" + strings.Join(r.tests, "|") + ")$"
	}
	return []string{"-test.run=" + pattern, "-test.count=1", "-test.failfast", "-test.timeout=" + r.timeout.String()}
}

// cause tells from the exit code and the output how a run failed.
func cause(code int, output string) string {
	switch {
	case code == exitMemory:
		return "memory"
	case code == exitDeadline, code == -1, strings.Contains(output, "panic: test timed out after "):
		return "timeout"
	case strings.Contains(output, "panic: "), strings.Contains(output, "fatal error: "):
		return "panic"
	}
	return "fail"
}

var failLine = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// failedTest names the innermost test that is reported first.
func failedTest(output string) string {
	name := ""
	for _, match := range failLine.FindAllStringSubmatch(output, -1) {
		if name != "" && !strings.HasPrefix(match[1], name+"/") {
			break
		}
		name = match[1]
	}
	return name
}

func readNumbers(path string) ([]int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for line := range strings.Lines(string(data)) {
		number, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("%s: expected numbers of mutants, found %.40q", path, line)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// emptyFolder removes what a test left behind when it was cut short. What can't
// be removed now goes with the whole folder in the end.
func emptyFolder(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		os.RemoveAll(filepath.Join(dir, entry.Name()))
	}
}

// clipped keeps the beginning of what is written to it.
type clipped struct {
	bytes.Buffer
	limit int
}

func (c *clipped) Write(p []byte) (int, error) {
	c.Buffer.Write(p[:min(len(p), c.limit-c.Len())])
	return len(p), nil
}
