package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"assay/internal/testrepo"
)

// try runs assay and returns its exit code and what it printed.
func (m *machine) try(args ...string) (code int, output string) {
	m.t.Helper()
	c := m.command("assay", args...)
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState == nil {
		m.t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// expect runs assay and wants an exit code and a part of what it prints.
func (m *machine) expect(code int, part string, args ...string) {
	m.t.Helper()
	got, output := m.try(args...)
	if got != code || !strings.Contains(output, part) {
		m.t.Errorf("%v: expected exit %d and %q, found exit %d:\n%s", args, code, part, got, output)
	}
}

func TestTwentyAtOnceOnOneState(t *testing.T) {
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	m := &machine{t: t, home: t.TempDir(), server: server}
	m.must("trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256())
	// While they come, the repository moves on.
	if err := repo.RotateRoot(); err != nil {
		t.Fatal(err)
	}
	if err := repo.Publish(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			m.expect(0, "", "get", "hello", "--platform", "linux/amd64", "-o", fmt.Sprintf("out-%d", i))
		})
	}
	all.Wait()
	want, _ := repo.Target("hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz")
	for i := range 20 {
		got, err := os.ReadFile(filepath.Join(m.home, fmt.Sprintf("out-%d", i)))
		if err != nil || string(got) != string(want) {
			t.Errorf("out-%d: %v, %d bytes", i, err, len(got))
		}
	}
	sent := 0
	for _, path := range server.Requests() {
		if strings.HasSuffix(path, "hello_1.5.0_linux_amd64.tar.gz") {
			sent++
		}
	}
	if sent != 1 {
		t.Errorf("expected one transfer for all twenty, found %d", sent)
	}
}

// faultsVariable leaves out the tests of faults where it is "none", as where mutants
// run.
const faultsVariable = "ASSAY_FAULTS"

// faults is the variable's value, which is taken out of the environment: the program,
// which inherits that, refuses variables that it does not know.
var faults = func() string {
	value := os.Getenv(faultsVariable)
	os.Unsetenv(faultsVariable)
	return value
}()

// smallDisk mounts a file system of its own, or skips. A process that is killed
// leaves it mounted, so where mutants run there is none.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	if faults == "none" {
		t.Skip("left out by " + faultsVariable)
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("a small file system can't be mounted here (it takes root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, "size=8m")
	m := newMachine(t, 16<<20)
	m.must("get", "acme", bigTarget, "--print", "path") // held, on the large disk
	m.expect(40, "no space left", "get", "acme", bigTarget, "-o", filepath.Join(disk, "out"))
	if left, _ := os.ReadDir(disk); len(left) > 0 {
		t.Errorf("left on the full disk: %v", left)
	}
	// The cache itself on the full disk.
	m.env = []string{"XDG_CACHE_HOME=" + disk}
	m.expect(40, "no space left", "get", "acme", bigTarget, "-o", "out")
	if _, err := os.Lstat(filepath.Join(m.home, "out")); err == nil {
		t.Error("unproven bytes got a name")
	}
	for _, pattern := range []string{"staging/*.part", "blobs/*/*/*"} {
		if left, _ := filepath.Glob(filepath.Join(disk, "assay", pattern)); len(left) > 0 {
			t.Errorf("left on the full disk: %v", left)
		}
	}
	m.env = nil
	m.expect(0, "", "get", "acme", bigTarget, "-o", "out", "--offline")
}

func TestNoWritePermission(t *testing.T) {
	disk := smallDisk(t, "size=8m")
	m := newMachine(t, 1<<20)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	m.expect(40, "read-only file system", "get", "acme", bigTarget, "-o", filepath.Join(disk, "out"))
	m.env = []string{"XDG_CACHE_HOME=" + disk}
	m.expect(40, "read-only file system", "get", "acme", bigTarget, "-o", "out")
	m.env = []string{"XDG_STATE_HOME=" + disk}
	m.expect(40, "read-only file system", "trust", "add", "acme", m.server.URL, "--root-sha256", m.rootSHA256)
}

// The program has no switch for the clock: today it must refuse each day of the
// real repository, and say which role expired and when.
func TestRealSigstoreTodayIsExpired(t *testing.T) {
	data := filepath.Join("..", "..", "..", "shared", "data", "sigstore")
	root := filepath.Join(data, "root-chain", "5.root.json")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the real data is not here: %v", err)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for day, part := range map[string]string{
		"2022-10-24": "root 5 expired at 2023-04-18T18:13:43Z", "2023-01-15": "root 5 expired at 2023-04-18T18:13:43Z",
		"2023-04-01": "root 6 expired at 2023-08-28T07:54:10Z", "root-chain": "root 15 expired at 2026-11-20T13:58:18Z",
	} {
		server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(data, day))))
		m := &machine{t: t, home: t.TempDir()}
		m.expect(11, part, "trust", "add", "sigstore", server.URL, "--root", root)
		m.expect(0, "no repository", "trust", "list")
		server.Close()
	}
}

func (m *machine) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = m.home
	c.Env = append(os.Environ(), "HOME="+m.home, "XDG_CACHE_HOME="+filepath.Join(m.home, "cache"),
		"XDG_STATE_HOME="+filepath.Join(m.home, "state"), "XDG_CONFIG_HOME="+filepath.Join(m.home, "config"),
		"GORACE=atexit_sleep_ms=0")
	c.Env = append(c.Env, m.env...)
	return c
}
