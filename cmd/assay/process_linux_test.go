package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// machine is a user's machine with folders of its own, and a repository that it
// trusts with one target of a given size.
type machine struct {
	t          testing.TB
	home       string
	server     *testrepo.Server
	rootSHA256 string
	env        []string // over that of home
}

const bigTarget = "big.bin"

func newMachine(t testing.TB, size int64) *machine {
	t.Helper()
	repo, err := testrepo.New(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.AddLarge(bigTarget, size, 1); err != nil {
		t.Fatal(err)
	}
	if err := repo.Publish(); err != nil {
		t.Fatal(err)
	}
	server, err := testrepo.Serve(repo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	m := &machine{t: t, home: t.TempDir(), server: server, rootSHA256: repo.RootSHA256()}
	m.must("trust", "add", "acme", server.URL, "--root-sha256", m.rootSHA256)
	return m
}

// usage is what a whole process took.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes of resident memory
}

func (m *machine) must(args ...string) usage {
	m.t.Helper()
	return m.run(m.command("assay", args...))
}

func (m *machine) run(c *exec.Cmd) usage {
	m.t.Helper()
	took, _ := m.runTold(c)
	return took
}

// runTold is run, and what the command has printed.
func (m *machine) runTold(c *exec.Cmd) (usage, []byte) {
	m.t.Helper()
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	before := peakOf("self")
	began := time.Now()
	if err := c.Start(); err != nil {
		m.t.Fatalf("%s: %v", strings.Join(c.Args, " "), err)
	}
	watched := watchPeak(c.Process.Pid)
	err := c.Wait()
	took := usage{wall: time.Since(began), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime(), peak: watched()}
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, output.String())
	}
	rusage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		m.t.Skip("this system does not tell the memory of a process")
	}
	if told := rusage.Maxrss << 10; told > before {
		took.peak = told
	}
	return took, output.Bytes()
}

// The memory of a fetch must not grow with the target.
func TestFetchInConstantMemory(t *testing.T) {
	if raced {
		t.Skip("the race detector's own memory would be measured; CI runs this test without it, too")
	}
	const limit = 64 << 20
	size := int64(256 << 20)
	m := newMachine(t, size)
	for _, args := range [][]string{
		{"get", "acme", bigTarget, "--print", "path"}, // from the network into the cache
		{"get", "acme", bigTarget, "-o", "out"},       // from the cache to a file
	} {
		if got := m.must(args...); got.peak > limit {
			t.Errorf("%v of %d MiB: expected at most %d MiB of memory, found %d", args, size>>20, limit>>20, got.peak>>20)
		}
	}
}

// BenchmarkGet2GiB fetches a target of 2 GiB over loopback, as whole processes:
// assay into its cache, proven, beside curl into a file, unproven.
func BenchmarkGet2GiB(b *testing.B) {
	m := newMachine(b, 2<<30)
	curl, err := exec.LookPath("curl")
	if err != nil {
		b.Log("curl is not here: no ratio")
	}
	assay := func() usage {
		if err := os.RemoveAll(filepath.Join(m.home, "cache")); err != nil {
			b.Fatal(err)
		}
		return m.must("get", "acme", bigTarget, "--print", "path")
	}
	peer := func() usage {
		if curl == "" {
			return usage{}
		}
		out := filepath.Join(m.home, "curl.out")
		defer os.Remove(out)
		return m.run(m.command(curl, "-sS", "-o", out, m.targetURL()))
	}
	assay() // touches the memory that the files will lie in
	peer()
	var proven, plain usage
	for b.Loop() {
		one, two := assay(), peer()
		proven.wall, proven.cpu, proven.peak = proven.wall+one.wall, proven.cpu+one.cpu, max(proven.peak, one.peak)
		plain.wall, plain.cpu = plain.wall+two.wall, plain.cpu+two.cpu
	}
	b.ReportMetric(float64(proven.peak)/(1<<20), "peak-MiB")
	if plain.wall > 0 {
		b.ReportMetric(float64(proven.wall)/float64(plain.wall), "x-curl-wall")
		b.ReportMetric(float64(proven.cpu)/float64(plain.cpu), "x-curl-cpu")
	}
}

// targetURL is where the big target lies, as its last fetch asked for it.
func (m *machine) targetURL() string {
	for _, path := range m.server.Requests() {
		if strings.HasSuffix(path, bigTarget) {
			return m.server.URL + path
		}
	}
	m.t.Fatal("the target was never asked for")
	return ""
}

// BenchmarkWarmGet is a get of what is held, as a whole process, beside
// `assay version`, that does nothing: what the proof costs each time.
func BenchmarkWarmGet(b *testing.B) {
	m := newMachine(b, 1<<20)
	m.must("get", "acme", bigTarget, "--print", "path")
	before := len(m.server.Requests())
	var get, idle usage
	n := 0
	for b.Loop() {
		for range 20 {
			one, two := m.must("get", "acme", bigTarget, "--print", "path"), m.must("version")
			get.cpu, idle.cpu = get.cpu+one.cpu, idle.cpu+two.cpu
			n++
		}
	}
	b.ReportMetric(float64(len(m.server.Requests())-before)/float64(n), "requests")
	b.ReportMetric(float64((get.cpu-idle.cpu).Microseconds())/1000/float64(n), "ms-cpu-above-version")
	b.ReportMetric(0, "ns/op")
}

// helloMachine is a machine on which a hello is installed that is the given script.
func helloMachine(t testing.TB, script string) *machine {
	t.Helper()
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	err = repo.AddRelease(testrepo.Release{
		Product: "hello", Version: "2.0.0", Channel: "stable",
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: runtime.GOARCH, Format: "raw", Data: []byte(script)}},
	})
	if err == nil {
		err = repo.Publish()
	}
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, home: t.TempDir(), server: server}
	m.env = []string{"ASSAY_DATA_DIR=" + filepath.Join(m.home, "data"), "ASSAY_BIN_DIR=" + filepath.Join(m.home, "bin")}
	m.must("trust", "add", "acme", server.URL, "--root-sha256", repo.RootSHA256())
	m.must("install", "hello")
	return m
}

// BenchmarkWarmExec is an exec of what is installed, a program that ends at once, as a
// whole process, beside `assay version`, that does nothing: what judging it costs each
// time, and the program itself.
func BenchmarkWarmExec(b *testing.B) {
	m := helloMachine(b, "#!/bin/true\n")
	before := len(m.server.Requests())
	var exec, idle usage
	n := 0
	for b.Loop() {
		one, two := m.must("exec", "hello"), m.must("version")
		exec.cpu, idle.cpu = exec.cpu+one.cpu, idle.cpu+two.cpu
		n++
	}
	b.ReportMetric(float64(len(m.server.Requests())-before)/float64(n), "requests")
	b.ReportMetric(float64((exec.cpu-idle.cpu).Microseconds())/1000/float64(n), "ms-cpu-above-version")
	b.ReportMetric(0, "ns/op")
}
