package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

	"assay/artifact/release"
)

// init is all of the child: it keeps to one thread, as strace counts the calls of each
// apart.
func init() {
	if home, once := strings.CutSuffix(os.Getenv(childVariable), "|once"); once {
		runtime.LockOSThread()
		os.Exit(changeInSteps(home))
	}
}

// neverFailing are calls whose failing says nothing: an error of close can't be acted
// upon, and the others are the Go runtime's.
var neverFailing = []string{"close", "fcntl", "epoll_ctl", "execve", "ioctl", "readlinkat"}

// onceSteps are a product's life, in an order in which each has something to do.
var onceSteps = []struct {
	name string
	run  func(context.Context, *Store) error
}{
	{"upgrade", func(ctx context.Context, s *Store) error { return installOnce(ctx, s, "2.0.0", Options{}) }},
	{"back", func(ctx context.Context, s *Store) error { return installOnce(ctx, s, "1.0.0", Options{Back: true}) }},
	{"hold", func(ctx context.Context, s *Store) error { _, err := s.Hold(ctx, hello, true); return err }},
	{"unhold", func(ctx context.Context, s *Store) error { _, err := s.Hold(ctx, hello, false); return err }},
	{"run", func(ctx context.Context, s *Store) error {
		r, data := manyPrograms("1.1.0")
		blob, err := putBlob(ctx, s.Cache, data)
		if err == nil {
			_, err = s.Ready(ctx, r, blob, nil)
		}
		return err
	}},
	{"uninstall", func(ctx context.Context, s *Store) error { _, err := s.Uninstall(ctx, hello); return err }},
	{"install", func(ctx context.Context, s *Store) error { return installOnce(ctx, s, "2.0.0", Options{}) }},
}

// manyPrograms is a version with a program that only it has.
func manyPrograms(v string) (Release, []byte) {
	r, data := version(v, entry{path: "tool", text: script(v)})
	r.Executables = append(r.Executables, release.Executable{Path: "tool", Link: "tool-" + v})
	return r, data
}

func installOnce(ctx context.Context, s *Store, v string, options Options) error {
	r, data := manyPrograms(v)
	blob, err := putBlob(ctx, s.Cache, data)
	if err == nil {
		_, err = s.Install(ctx, r, blob, options)
	}
	return err
}

// changeInSteps goes through all steps, whether or not they succeed.
func changeInSteps(home string) int {
	s, err := at(home, func(text string) { fmt.Println("notice:", text) })
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, step := range onceSteps {
		fmt.Printf("%s: %v\n", step.name, step.run(context.Background(), s))
	}
	return 0
}

// TestEachSyscallFails has each call to the system that is made to change a product
// fail, one at a time, by the fault injection of strace: of many calls of a name some,
// chosen at random, or with ASSAY_FAULTS=soak all of them. Whatever the call was, what
// runs then is whole or not installed, each link leads to a program of it, and
// everything succeeds once the disk does, with nothing hidden left.
func TestEachSyscallFails(t *testing.T) {
	most := 4
	switch os.Getenv(faultsVariable) {
	case "soak":
		most = 1 << 20
	case "none":
		t.Skip("left out by " + faultsVariable)
	}
	program, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	output, log, err := traced(t, program, newHome(t), "-e", "trace=%file,%desc")
	if err != nil {
		t.Skipf("strace can't be used here: %v: %s", err, output)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	source := rand.New(rand.NewPCG(seed, 5))
	var faults []syscallFault
	for name, all := range callsOf(log) {
		source.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		tried := all[:min(len(all), most)]
		for _, n := range tried {
			faults = append(faults, syscallFault{name, []syscall.Errno{syscall.EIO, syscall.EACCES}[n%2], n})
		}
		t.Logf("%s: %d of %d calls", name, len(tried), len(all))
	}
	var took, told atomic.Int64
	next := make(chan syscallFault, len(faults))
	for _, f := range faults {
		next <- f
	}
	close(next)
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Go(func() {
			for f := range next {
				if err := f.try(t, program, &took, &told); err != nil {
					t.Errorf("%s number %d: %v: %v", f.call, f.number, f.kind, err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("of %d faults %d took place, and %d of them led to an error or a notice", len(faults), took.Load(), told.Load())
	if int(took.Load()) < len(faults)/2 || int(told.Load()) < len(faults)/4 {
		t.Errorf("expected most of the faults to take place, found %d of %d, and %d told", took.Load(), len(faults), told.Load())
	}
}

// newHome is one in which a version of hello is installed.
func newHome(t *testing.T) string {
	home := t.TempDir()
	s, err := at(home, nil)
	if err == nil {
		err = installOnce(t.Context(), s, "1.0.0", Options{})
	}
	if err != nil {
		t.Error(err)
	}
	return home
}

// traced runs the steps in a process under strace, and gives what it said, and the
// calls of its first thread.
func traced(t *testing.T, program, home string, arguments ...string) (output string, log []string, err error) {
	file := filepath.Join(t.TempDir(), "strace.log")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	arguments = append([]string{"-f", "-y", "-qq", "--seccomp-bpf", "-e", "signal=none", "-o", file}, arguments...)
	child := exec.CommandContext(ctx, program, append(arguments, os.Args[0])...)
	child.Env = append(os.Environ(), childVariable+"="+home+"|once")
	child.WaitDelay = time.Second
	said, err := child.CombinedOutput()
	text, readErr := os.ReadFile(file)
	return string(said), strings.Split(strings.TrimSpace(string(text)), "\n"), errors.Join(err, readErr)
}

var callLine = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\(`)

// callsOf gives the calls that concern the folder of the store, by their names: their
// numbers among all of that name.
func callsOf(log []string) map[string][]int {
	found, count, thread := map[string][]int{}, map[string]int{}, ""
	for _, line := range log {
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if thread == "" {
			thread = m[1]
		}
		if m[1] != thread {
			continue
		}
		count[m[2]]++
		if (strings.Contains(line, "/data/") || strings.Contains(line, "/bin/") || strings.Contains(line, `/bin"`)) && strings.Contains(line, os.TempDir()) && !slices.Contains(neverFailing, m[2]) {
			found[m[2]] = append(found[m[2]], count[m[2]])
		}
	}
	return found
}

// syscallFault is one call that fails.
type syscallFault struct {
	call   string
	kind   syscall.Errno
	number int // of the calls of a thread, from 1
}

func (f syscallFault) try(t *testing.T, program string, took, told *atomic.Int64) error {
	home := newHome(t)
	inject := fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, unix.ErrnoName(f.kind), f.number)
	output, log, err := traced(t, program, home, "-e", "trace="+f.call, "-e", inject)
	mine := true
	for _, line := range log {
		switch {
		case !strings.HasSuffix(line, "(INJECTED)"):
		case strings.Contains(line, home):
			took.Add(1)
		default:
			mine = false // one of the Go runtime's, on another thread: it may well not go on
		}
	}
	if strings.Contains(output, f.kind.Error()) {
		told.Add(1)
	}
	if err != nil && mine {
		return fmt.Errorf("%w: %s", err, output)
	}
	var notices []string
	s, err := at(home, func(text string) { notices = append(notices, text) })
	if err == nil {
		err = wholeAfter(t.Context(), s)
	}
	if err != nil {
		return fmt.Errorf("%w, after %s", err, output)
	}
	for _, v := range []string{"1.0.0", "2.0.0"} {
		err = errors.Join(err, installOnce(t.Context(), s, v, Options{}), wholeAfter(t.Context(), s))
	}
	names, _ := readDir(s.folder(hello))
	links, _ := readDir(s.Bin)
	if slices.ContainsFunc(names, func(name string) bool { return name[0] == '.' }) || !slices.Equal(links, []string{"hello", "tool-2.0.0"}) || len(notices) > 0 {
		err = errors.Join(err, fmt.Errorf("expected nothing left, and nothing to tell, found %v, %v, %q", names, links, notices))
	}
	if err != nil {
		return fmt.Errorf("%w, after %s", err, output)
	}
	return os.RemoveAll(home)
}

// wholeAfter demands that what runs is whole, with all its links, or that none does.
func wholeAfter(ctx context.Context, s *Store) error {
	g, err := s.Current(hello)
	if errors.Is(err, ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.Check(ctx, g); err != nil {
		return err
	}
	for _, link := range g.Programs() {
		out, err := exec.CommandContext(ctx, s.linkPath(link)).CombinedOutput()
		if errors.Is(err, fs.ErrNotExist) && len(s.Links(g)) < len(g.Programs()) {
			continue // cut short in mid-uninstall: it can be uninstalled again, or installed
		}
		if got := strings.TrimSpace(string(out)); err != nil || got != g.Version {
			return fmt.Errorf("expected %s to say %s, found %q, %w", link, g.Version, got, err)
		}
	}
	if _, err := s.Cache.Get(g.Digests.Primary()); err != nil {
		return err
	}
	refs, err := s.Cache.References(ctx)
	if err != nil || len(refs) != 1 || !slices.Contains(refs[0].Digests, g.Digests.Primary()) {
		return fmt.Errorf("expected a reference to what runs, found %v, %w", refs, err)
	}
	return nil
}
