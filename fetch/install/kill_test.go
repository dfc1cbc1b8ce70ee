package install

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/cache"
)

// faultsVariable says how much is done to tests that kill, fill disks and the like:
// "soak" more, "none" nothing.
const faultsVariable = "ASSAY_FAULTS"

// childVariable has the test's program change an installed product until it is killed:
// the folder of the bench, and "all" or "stay" for whether it uninstalls, too.
const childVariable = "ASSAY_INSTALL_CHILD"

var killVersions = []string{"1.0.0", "1.1.0", "2.0.0"}

func TestMain(m *testing.M) {
	if home, what, ok := strings.Cut(os.Getenv(childVariable), "|"); ok {
		os.Exit(changeForEver(home, what == "all"))
	}
	os.Exit(m.Run())
}

func at(home string, notice func(string)) (*Store, error) {
	store, err := cache.Open(filepath.Join(home, "cache"), cache.Options{})
	if err != nil {
		return nil, err
	}
	return Open(Config{Dir: filepath.Join(home, "data"), Bin: filepath.Join(home, "bin"), Cache: store, Notice: notice})
}

func changeForEver(home string, uninstalls bool) int {
	s, err := at(home, nil)
	for err == nil {
		err = changeOnce(s, uninstalls)
	}
	os.Stderr.WriteString(err.Error())
	return 1
}

func changeOnce(s *Store, uninstalls bool) error {
	ctx := context.Background()
	r, data := version(killVersions[rand.IntN(len(killVersions))])
	options := Options{}
	switch n := rand.IntN(10); {
	case n == 0 && uninstalls:
		if _, err := s.Uninstall(ctx, hello); !errors.Is(err, ErrMissing) {
			return err
		}
		return nil
	case n < 4:
		back, err := s.Back(hello, "")
		if errors.Is(err, ErrMissing) {
			return nil
		}
		if err != nil {
			return err
		}
		_, data = version(back.Version)
		r, options.Back = back.Release, true
	}
	blob, err := putBlob(ctx, s.Cache, data)
	if err == nil {
		_, err = s.Install(ctx, r, blob, options)
	}
	return err
}

// TestKilled: a process that installs, upgrades, goes back and uninstalls is killed at
// any moment; what runs then is some whole release that was proven, and the next
// change finds nothing in its way.
func TestKilled(t *testing.T) {
	skipOnWindows(t)
	rounds := map[string]int{"": 200, "soak": 2000}[os.Getenv(faultsVariable)]
	if rounds == 0 {
		t.Skip("left out by " + faultsVariable)
	}
	if testing.Short() {
		rounds = 20
	}
	for what, share := range map[string]int{"stay": 2, "all": 2} {
		t.Run(what, func(t *testing.T) {
			b := newBench(t)
			home := filepath.Dir(b.Dir)
			b.installs("1.0.0")
			for range rounds / share {
				killOne(t, home, what)
				b.wantWhole(what == "all")
				if t.Failed() {
					return
				}
			}
			if what == "stay" {
				b.installs("2.0.0")
			} else if _, err := b.Uninstall(t.Context(), hello); err != nil && !errors.Is(err, ErrMissing) {
				t.Error(err)
			}
			if what == "all" {
				b.installs("2.0.0")
			}
			b.runs("hello", "2.0.0")
			names, _ := readDir(b.folder(hello))
			if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") }) {
				t.Errorf("expected nothing hidden left, found %v", names)
			}
			if links, _ := readDir(b.Bin); !slices.Equal(links, []string{"hello"}) {
				t.Errorf("expected one link, found %v", links)
			}
		})
	}
}

// killOne lets a process work for a moment.
func killOne(t *testing.T, home, what string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+home+"|"+what)
	var said bytes.Buffer
	child.Stderr = &said
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case <-ended:
		t.Fatalf("the process ended: %s", said.String())
	case <-time.After(time.Duration(10+rand.IntN(60)) * time.Millisecond):
	}
	child.Process.Kill()
	<-ended
}

// wantWhole asserts that what runs is whole, or that nothing is installed.
func (b *bench) wantWhole(mayBeGone bool) {
	b.t.Helper()
	path := filepath.Join(b.Bin, "hello")
	g, err := b.Current(hello)
	_, linkErr := os.Lstat(path)
	if mayBeGone && (errors.Is(err, ErrMissing) || errors.Is(linkErr, fs.ErrNotExist)) {
		return
	}
	if err != nil {
		b.t.Errorf("expected a release that runs: %v", err)
		return
	}
	out, err := exec.Command(path).CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != g.Version || !slices.Contains(killVersions, got) {
		b.t.Errorf("expected generation %s of %s to run, found %q, %v", strconv.Itoa(g.Number), g.Version, got, err)
	}
	if err := b.Check(b.t.Context(), g); err != nil {
		b.t.Error(err)
	}
	if _, err := b.Cache.Get(g.Digests.Primary()); err != nil {
		b.t.Errorf("expected its blob held: %v", err)
	}
}

// TestRunsThroughout: while a product is changed over and over, a program of it can be
// called at any moment.
func TestRunsThroughout(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s, err := at(filepath.Dir(b.Dir), nil)
		for range 30 {
			if err == nil {
				err = changeOnce(s, false)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}()
	for done := false; !done; {
		select {
		case <-ended:
			done = true
		default:
		}
		out, err := exec.Command(filepath.Join(b.Bin, "hello")).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || !slices.Contains(killVersions, got) {
			t.Fatalf("expected a version, found %q, %v", got, err)
		}
	}
}
