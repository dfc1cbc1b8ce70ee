package main

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRegions runs testdata/regions/run.sh, in network namespaces where it can, and
// sees that nothing is left behind. With -v, as `make regions` has it, it tells what
// happens while it does.
func TestRegions(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute, as mirrors ask every five seconds and metadata has to expire")
	}
	t.Parallel()
	modes := []string{"loopback"}
	if os.Getuid() == 0 {
		if _, err := exec.LookPath("ip"); err == nil {
			modes = []string{"netns"}
		}
	}
	if mode := os.Getenv("REGIONS_MODE"); mode != "" {
		modes = []string{mode}
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { runRegions(t, mode) })
	}
}

func runRegions(t *testing.T, mode string) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	id := "assay-" + strings.ToLower(rand.Text()[:8])
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var told strings.Builder
	script := exec.CommandContext(ctx, bash, filepath.Join("testdata", "regions", "run.sh"))
	script.Stdout = &told
	if testing.Verbose() {
		script.Stdout = io.MultiWriter(&told, os.Stdout)
	}
	script.Stderr = script.Stdout
	home := t.TempDir()
	script.Env = append(os.Environ(), "REGIONS_ID="+id, "REGIONS_MODE="+mode, "HOME="+home, "TMPDIR="+home, "GORACE=atexit_sleep_ms=0")
	script.Cancel = func() error { return script.Process.Signal(syscall.SIGTERM) } // it tidies up
	script.WaitDelay = 10 * time.Second
	if err := script.Run(); err != nil {
		t.Errorf("%v\n%s", err, told.String())
	}
	for _, left := range leftOf(t, id, home) {
		t.Errorf("expected nothing to be left, found %s", left)
	}
}

// leftOf names the namespaces, processes and files that a run has left.
func leftOf(t *testing.T, id, home string) (left []string) {
	t.Helper()
	spaces, _ := filepath.Glob("/run/netns/" + id + "*")
	files, _ := filepath.Glob(filepath.Join(home, "*"))
	left = append(spaces, files...)
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		environ, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(environ), "REGIONS_ID="+id) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			left = append(left, "the process "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return left
}
