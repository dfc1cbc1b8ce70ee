package trust_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/trust"
)

// scaleJob is what a child process is told, by the variable scaleVariable. It is
// a whole client with a folder of its own. Each line on its standard input has
// it refresh the repository and look one target up; it answers with scaleFigures
// as a line of JSON.
type scaleJob struct {
	Client string // assay or go-tuf
	URL    string
	Root   []byte
	Dir    string // state is kept here from one process to the next
	Path   string
}

const scaleVariable = "TEST_AS_SCALE_CLIENT"

// scaleFigures are what one refresh with one look-up took.
type scaleFigures struct {
	SHA256     string // of the target that was found
	Wall, CPU  time.Duration
	Peak       int64  // resident bytes of the process at most, files that it maps included; 0: the system doesn't tell
	Allocs     uint64 // count of allocated objects
	AllocBytes uint64
	Requests   int   // filled in by the parent, as is
	Wire       int64 // bytes of the bodies of the answers
}

// TestScaleChild is the child process; called otherwise it is skipped.
func TestScaleChild(t *testing.T) {
	text, ok := os.LookupEnv(scaleVariable)
	if !ok {
		t.Skip("only for the benchmarks of scale")
	}
	var job scaleJob
	must(t, json.Unmarshal([]byte(text), &job))
	var client func() (string, error)
	switch job.Client {
	case "assay":
		client = job.assay(t)
	case "go-tuf":
		client = job.goTUF
	default:
		t.Fatalf("no client is called %q", job.Client)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		figures, err := measure(client)
		must(t, err)
		must(t, json.NewEncoder(os.Stdout).Encode(figures))
	}
	must(t, lines.Err())
}

// softMemory is what the program's main sets, see there.
const softMemory = 256 << 20

// assay is the product: its engine, its state on disk, and package trust. The
// first call opens all of it, the next ones go on with the same Repository.
func (j scaleJob) assay(t *testing.T) func() (string, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	var repository *trust.Repository
	return func() (string, error) {
		if repository == nil {
			db, err := state.Open(j.Dir, state.Options{})
			if err != nil {
				return "", err
			}
			source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{URL: j.URL, Layout: fetch.LayoutBase})
			if err != nil {
				return "", err
			}
			if repository, err = trust.Open(trust.Config{Name: "large", Root: j.Root, Store: db.Trust("large"), Remote: source}); err != nil {
				return "", err
			}
		}
		view, err := repository.Refresh(t.Context())
		if err != nil {
			return "", err
		}
		target, err := view.Target(t.Context(), j.Path)
		if err != nil {
			return "", err
		}
		return target.Digests()[0].Hex(), nil
	}
}

// goTUF is go-tuf's own updater, with limits that let it read what is asked. One
// updater refreshes once only.
func (j scaleJob) goTUF() (string, error) {
	c, err := config.New(j.URL, j.Root)
	if err != nil {
		return "", err
	}
	c.LocalMetadataDir, c.LocalTargetsDir = filepath.Join(j.Dir, "metadata"), filepath.Join(j.Dir, "targets")
	c.TargetsMaxLength = 1 << 30
	u, err := updater.New(c)
	if err != nil {
		return "", err
	}
	if err := u.Refresh(); err != nil {
		return "", err
	}
	target, err := u.GetTargetInfo(j.Path)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(target.Hashes["sha256"]), nil
}

// measure runs fn once. Peak memory counts from here on, with what the process
// holds already. Not every kernel can count anew.
func measure(fn func() (string, error)) (f scaleFigures, err error) {
	debug.FreeOSMemory()
	unreset := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	used, began := processorTime(), time.Now()
	if f.SHA256, err = fn(); err != nil {
		return f, err
	}
	f.Wall, f.CPU = time.Since(began), processorTime()-used
	runtime.ReadMemStats(&after)
	f.Allocs, f.AllocBytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	if unreset == nil {
		f.Peak, err = peakMemory()
	}
	return f, err
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakMemory is the kernel's VmHWM, in bytes.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kilobytes, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status: expected a line VmHWM, found none")
}
