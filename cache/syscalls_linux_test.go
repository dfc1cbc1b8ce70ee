package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"assay/artifact"
)

// init keeps the child on one thread, as strace counts the calls of each apart.
func init() {
	if os.Getenv(childVariable) == "everything" {
		runtime.LockOSThread()
	}
}

// neverFailing are calls whose failing says nothing of the store: an error of
// close can't be acted upon, and strace has the file stay open instead.
var neverFailing = []string{"close", "fcntl", "epoll_ctl", "readlinkat", "execve", "ioctl"}

// wantsRoom are the calls that a full disk may fail.
var wantsRoom = []string{"openat", "mkdirat", "write", "pwrite64", "fallocate", "ftruncate", "fsync", "fdatasync", "renameat", "renameat2", "rename", "linkat", "copy_file_range"}

// TestEachSyscallFails has each call to the system that the store makes fail, one
// at a time, by the fault injection of strace: of many calls of a name some, chosen
// at random, or with ASSAY_FAULTS=soak all of them. Whatever the call was, the
// store's own error comes of it, or none; no blob is lost, nothing unproven has a
// name, and everything succeeds once the disk does.
func TestEachSyscallFails(t *testing.T) {
	most := 6
	switch os.Getenv(faultsVariable) {
	case "soak":
		most = 1 << 20
	case "none":
		t.Skip("left out by " + faultsVariable)
	}
	template := filepath.Join(t.TempDir(), "cache")
	prepareEverything(t, template, maxNames)
	calls := callsOf(t, template)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	source := rand.New(rand.NewPCG(seed, 5))
	var faults []fault
	for name, all := range calls {
		source.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		tried := all[:min(len(all), most)]
		for _, n := range tried {
			faults = append(faults, fault{name, syscall.EIO, n})
			if slices.Contains(wantsRoom, name) {
				faults = append(faults, fault{name, syscall.ENOSPC, n})
			}
		}
		t.Logf("%s: %d of %d calls", name, len(tried), len(all))
	}
	for _, name := range []string{"openat", "pwrite64", "fsync", "flock", "unlinkat", "mmap", "fallocate"} {
		if len(calls[name]) == 0 {
			t.Errorf("expected the store to call %s, found only %d other names", name, len(calls))
		}
	}
	next := make(chan fault, len(faults))
	for _, f := range faults {
		next <- f
	}
	close(next)
	var counts faultCounts
	var all sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		all.Go(func() {
			for f := range next {
				if err := f.try(t, template, &counts); err != nil {
					t.Errorf("%s number %d: %v: %v", f.call, f.number, f.kind, err)
				}
			}
		})
	}
	all.Wait()
	injected, told := int(counts.injected.Load()), int(counts.told.Load())
	t.Logf("of %d faults %d took place, and %d of them led to an error or a notice", len(faults), injected, told)
	if injected < len(faults)/2 || told < len(faults)/4 {
		t.Errorf("expected most of the faults to take place, found %d of %d, and %d told", injected, len(faults), told)
	}
}

// callsOf runs everything once and gives the calls that concern the cache: their
// numbers, by their names.
func callsOf(t *testing.T, template string) map[string][]int {
	t.Helper()
	program, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	dir := copied(t, template)
	output, log, err := traced(t, program, dir, "-e", "trace=%file,%desc")
	if err != nil && len(log) == 0 {
		t.Skipf("strace can't be used here: %v: %s", err, output)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	found, count := map[string][]int{}, map[string]int{}
	for _, c := range parseCalls(log) {
		if c.thread != parseCalls(log[:1])[0].thread {
			continue
		}
		count[c.name]++
		if strings.Contains(c.text, dir) && !slices.Contains(neverFailing, c.name) {
			found[c.name] = append(found[c.name], count[c.name])
		}
	}
	return found
}

// call is a line of strace's.
type tracedCall struct{ thread, name, text string }

var callLine = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\(`)

func parseCalls(log []string) (calls []tracedCall) {
	for _, line := range log {
		if m := callLine.FindStringSubmatch(line); m != nil {
			calls = append(calls, tracedCall{m[1], m[2], line})
		}
	}
	return calls
}

// traced runs everything in a process under strace, and gives what it and what
// strace said.
func traced(t *testing.T, program, dir string, arguments ...string) (output []byte, log []string, err error) {
	file := filepath.Join(filepath.Dir(dir), "strace.log")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	arguments = append([]string{"-f", "-y", "-qq", "--seccomp-bpf", "-e", "signal=none", "-o", file}, arguments...)
	c := exec.CommandContext(ctx, program, append(arguments, os.Args[0])...)
	c.Env = command("everything", dir).Env
	c.WaitDelay = time.Second
	output, err = c.CombinedOutput()
	text, readErr := os.ReadFile(file)
	return output, strings.Split(strings.TrimSpace(string(text)), "\n"), errors.Join(err, readErr)
}

func copied(t *testing.T, template string) string {
	dir := filepath.Join(t.TempDir(), "cache")
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		t.Error(err)
	}
	return dir
}

// fault is one call that fails.
type fault struct {
	call   string
	kind   syscall.Errno
	number int // of the calls of a thread, from 1
}

// faultCounts tell that the faults did take place.
type faultCounts struct{ injected, told atomic.Int64 }

func (f fault) try(t *testing.T, template string, counts *faultCounts) error {
	dir := copied(t, template)
	output, log, err := traced(t, "strace", dir, "-e", "trace="+f.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, unix.ErrnoName(f.kind), f.number))
	mine := true
	for _, line := range log {
		switch {
		case !strings.HasSuffix(line, "(INJECTED)"):
		case strings.Contains(line, dir):
			counts.injected.Add(1)
		default:
			mine = false // one of the Go runtime's, on another thread: it may well not go on
		}
	}
	if err == nil && strings.Contains(string(output), f.kind.Error()) {
		counts.told.Add(1)
	}
	if err != nil && mine {
		return fmt.Errorf("%w: %s", err, output)
	}
	if err := heldAll(dir); err != nil {
		return fmt.Errorf("%w, after %s", err, output)
	}
	done := map[string]bool{}
	for line := range strings.Lines(string(output)) {
		if step, found := strings.CutSuffix(line, ": <nil>\n"); found {
			done[step] = true
		}
	}
	if err := afterFault(t.Context(), dir, done); err != nil {
		return fmt.Errorf("%w, after %s", err, output)
	}
	return os.RemoveAll(filepath.Dir(dir))
}

// heldAll demands that what is held is what its name says, that nothing was taken
// for damaged, and that nobody left a file that is not known.
func heldAll(dir string) error {
	known := regexp.MustCompile(`^(index\.db|facts\.db|(refs|index)\.lock|\.(index|facts)\.db\.[0-9a-f]{16}\.tmp` +
		`|blobs/sha256/[0-9a-f]{2}/[0-9a-f]{64}|refs/(pin|lock)/(held|resumed|\.resumed\.[0-9a-f]{16}\.tmp)` +
		`|staging/sha256-[0-9a-f]{64}\.(part|lock|resume|resume\.new))$`)
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil && !known.MatchString(name) {
			err = fmt.Errorf("expected no such file: %s", name)
		}
		if err != nil || !strings.HasPrefix(name, "blobs/") {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && artifact.DigestOf(artifact.SHA256, data).Hex() != filepath.Base(path) {
			err = fmt.Errorf("expected the bytes that the name says, found others: %s", name)
		}
		return err
	})
}

// afterFault demands what the steps that succeeded have promised, and that all of
// them succeed now.
func afterFault(ctx context.Context, dir string, done map[string]bool) error {
	var notices bytes.Buffer
	e, err := openEverything(dir, 10*time.Second, func(text string) { fmt.Fprintln(&notices, text) })
	if err != nil {
		return err
	}
	must := [][]byte{everythingHeld}
	if done["refer"] && done["fetch"] {
		must = append(must, everythingResumed)
	}
	for _, data := range must {
		blob, err := e.Get(digests(data).Primary())
		if err == nil {
			err = blob.Check(ctx)
		}
		if err != nil {
			return fmt.Errorf("a blob of %d bytes that a reference holds: %w", len(data), err)
		}
	}
	for _, step := range e.steps() {
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s, without a fault: %w", step.name, err)
		}
	}
	if err := e.fetch(ctx, everythingBegun); err != nil {
		return err
	}
	refs, err := e.References(ctx)
	if err == nil && len(refs) != 2 || notices.Len() > 0 {
		err = fmt.Errorf("expected two references, found %v; and nothing to heal, found %s", refs, &notices)
	}
	return errors.Join(err, heldAll(dir))
}
