package unpack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTargetIsThere: nothing is unpacked over anything.
func TestTargetIsThere(t *testing.T) {
	archive := fileOf(tarOf(t, tarFile("f", "x")))
	for name, test := range map[string]struct {
		make func(path string) error
		into bool // unpacked where Options.IntoEmpty says so
		says string
	}{
		"a file":        {func(path string) error { return os.WriteFile(path, nil, 0o600) }, false, "found a file"},
		"a folder":      {func(path string) error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) }, false, "found a"},
		"empty folder":  {func(path string) error { return os.Mkdir(path, 0o700) }, true, "found a folder"},
		"link":          {func(path string) error { return os.Symlink(".", path) }, false, "found a symbolic link"},
		"dangling link": {func(path string) error { return os.Symlink("nowhere", path) }, false, "found a symbolic link"},
	} {
		for _, into := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, %v", name, into), func(t *testing.T) {
				dir := t.TempDir()
				target := filepath.Join(dir, "out")
				if err := test.make(target); err != nil {
					t.Skip(err)
				}
				before := list(t, dir)
				_, err := Into(t.Context(), archive, Tar, target, Options{IntoEmpty: into})
				if test.into && into {
					if err != nil {
						t.Fatal(err)
					}
					wantTree(t, target, "f 644 x")
					if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o755 {
						t.Errorf("expected mode 0755, found %v, %v", info.Mode(), err)
					}
				} else {
					says := test.says
					if into && name == "a folder" {
						says = `expected an empty folder`
					}
					wantError(t, err, ErrExists, says)
					wantTree(t, dir, before...)
				}
				if found := namesIn(t, dir); !slices.Equal(found, []string{"out"}) {
					t.Errorf("expected the target alone, found %q", found)
				}
			})
		}
	}
}

// appearing makes the target when the first bytes are written.
type appearing struct{ make func() error }

func (a *appearing) Add(int) {
	if a.make != nil {
		if err := a.make(); err != nil {
			panic(err)
		}
		a.make = nil
	}
}

// TestTargetAppears while the archive is unpacked, and stays as it is.
func TestTargetAppears(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	progress := &appearing{make: func() error { return os.WriteFile(target, []byte("mine"), 0o644) }}
	_, err := Into(t.Context(), fileOf(tarOf(t, tarFile("f", "x"))), Tar, target, Options{Progress: progress})
	wantError(t, err, ErrExists, "found a file")
	wantTree(t, dir, "out 644 mine")
	// As late as can be: the rename itself sees it.
	for _, into := range []bool{false, true} {
		other := filepath.Join(dir, "other")
		nowhere := &stage{path: dir, target: filepath.Join(dir, "none", "out"), intoEmpty: into}
		if err := os.Mkdir(nowhere.tree(), 0o755); err != nil {
			t.Fatal(err)
		}
		wantError(t, nowhere.commit(t.Context()), ErrDisk, "none")
		if err := os.Remove(nowhere.tree()); err != nil {
			t.Fatal(err)
		}
		stage, err := newStage(other, into, randomSuffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(other, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		wantError(t, stage.rename(), ErrExists, "other")
		if err := errors.Join(os.Remove(other), os.MkdirAll(filepath.Join(other, "sub"), 0o755)); err != nil {
			t.Fatal(err)
		}
		wantError(t, stage.rename(), ErrExists, "other")
		if err := stage.close(); err != nil {
			t.Fatal(err)
		}
		wantTree(t, dir, "other/ 755", "other/sub/ 755", "out 644 mine")
		if err := os.RemoveAll(other); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParentIsMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := Into(t.Context(), fileOf(tarOf(t)), Tar, filepath.Join(dir, "none", "out"), Options{})
	if wantError(t, err, ErrDisk, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected %v, found %v", fs.ErrNotExist, err)
	}
	if found := namesIn(t, dir); len(found) != 0 {
		t.Errorf("expected nothing, found %q", found)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Into(t.Context(), fileOf(tarOf(t)), Tar, filepath.Join(dir, "file", "out"), Options{})
	wantError(t, err, ErrDisk, "file")
}

// TestLongTargetName: the hidden folder's name fits beside it.
func TestLongTargetName(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, strings.Repeat("n", 255))
	if _, err := Into(t.Context(), fileOf(tarOf(t, tarFile("f", "x"))), Tar, target, Options{}); err != nil {
		t.Fatal(err)
	}
	if found := namesIn(t, dir); len(found) != 1 {
		t.Errorf("expected the target alone, found %q", found)
	}
}

// left makes a hidden folder as a crash leaves one.
func left(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Join(path, treeName, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLeftBehind: what a crash left is removed, what is in use or somebody
// else's is not.
func TestLeftBehind(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	dead := []string{left(t, dir, ".out.assay-0123456789abcdef"), left(t, dir, ".out.assay-00000000000000ff")}
	others := []string{".other.assay-0123456789abcdef", ".out.assay-0123456789abcde", ".out.assay-0123456789abcdeg", ".out.assay-0123456789abcdef00", "out.assay-0123456789abcdef", "0123456789abcdef", ".out.assay-0123456789abcdef0"}
	for _, name := range others {
		left(t, dir, name)
	}
	if err := os.WriteFile(filepath.Join(dir, ".out.assay-1111111111111111"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(others[0], filepath.Join(dir, ".out.assay-2222222222222222")); err != nil {
		t.Skip(err)
	}
	others = append(others, ".out.assay-1111111111111111", ".out.assay-2222222222222222")
	// One is at work.
	busy := left(t, dir, ".out.assay-ffffffffffffffff")
	lock, err := lockStage(busy)
	if err != nil {
		t.Fatal(err)
	}
	if lock == nil {
		t.Skip("no locks here")
	}
	old := time.Now().Add(-2 * staleAge)
	if err := os.Chtimes(busy, old, old); err != nil {
		t.Fatal(err)
	}
	others = append(others, filepath.Base(busy), "out")
	if _, err := Into(t.Context(), fileOf(tarOf(t, tarFile("f", "x"))), Tar, target, Options{}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(others)
	if found := namesIn(t, dir); !slices.Equal(found, others) {
		t.Errorf("expected %q without %q, found %q", others, dead, found)
	}
	// It dies, and although the target is there by now, it is tidied up.
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Into(t.Context(), fileOf(tarOf(t)), Tar, target, Options{})
	wantError(t, err, ErrExists, "found a folder")
	if found := namesIn(t, dir); slices.Contains(found, filepath.Base(busy)) || len(found) != len(others)-1 {
		t.Errorf("expected the dead one to be gone, found %q", found)
	}
	if found := namesIn(t, filepath.Join(dir, others[0])); len(found) != 1 {
		t.Errorf("expected others to be whole, found %q", found)
	}
}

// TestMeddling: what appears in the hidden folder is not written to, nor merged
// with.
func TestMeddling(t *testing.T) {
	for name, entry := range map[string]te{"a folder": tarDir("d"), "an implied folder": tarFile("d/f", "x"), "a file": tarFile("d", "x"), "a link": tarLink("d", "f")} {
		dir := t.TempDir()
		progress := &appearing{make: func() error {
			return os.Mkdir(filepath.Join(dir, namesIn(t, dir)[0], treeName, "d"), 0o755)
		}}
		_, err := Into(t.Context(), fileOf(tarOf(t, tarFile("f", "x"), entry)), Tar, filepath.Join(dir, "out"), Options{Progress: progress})
		wantError(t, err, ErrUnsafe, "one that this file system takes for another")
		if found := namesIn(t, dir); len(found) != 0 {
			t.Errorf("%s: expected nothing left, found %q", name, found)
		}
	}
}

// TestNamesAreTaken: a stage is made under another name, and not under any.
func TestNamesAreTaken(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	first, err := newStage(target, false, func() string { return "0000000000000000" })
	if err != nil {
		t.Fatal(err)
	}
	if first.lock == nil {
		t.Skip("no locks here")
	}
	_, err = newStage(target, false, func() string { return "0000000000000000" })
	if wantError(t, err, ErrDisk, ".out.assay-0000000000000000"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("expected %v, found %v", fs.ErrExist, err)
	}
	names := []string{"0000000000000000", "0000000000000001"}
	second, err := newStage(target, false, func() string {
		name := names[0]
		names = names[1:]
		return name
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.close(), second.close()); err != nil {
		t.Fatal(err)
	}
	if found := namesIn(t, dir); len(found) != 0 {
		t.Errorf("expected nothing, found %q", found)
	}
}

// TestLocks: who waited for a folder that has gone has no lock of it.
func TestLocks(t *testing.T) {
	dir := t.TempDir()
	_, err := lockStage(filepath.Join(dir, "none"))
	wantError(t, err, fs.ErrNotExist, "none")
	stage, err := newStage(filepath.Join(dir, "out"), false, randomSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if stage.lock == nil {
		t.Skip("no locks here")
	}
	if info, err := os.Stat(stage.path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("expected nobody else to enter, found %v, %v", info.Mode(), err)
	}
	_, err = lockStage(stage.path)
	wantError(t, err, errInUse, stage.path)
	if err := stage.close(); err != nil {
		t.Fatal(err)
	}
	if found := namesIn(t, dir); len(found) != 0 {
		t.Errorf("expected nothing, found %q", found)
	}
}

// TestStale: where there are no locks, age tells.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	path := left(t, dir, "stage")
	for age, want := range map[time.Duration]bool{0: false, staleAge - time.Hour: false, staleAge + time.Hour: true} {
		then := time.Now().Add(-age)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || isStale(entries[0]) != want {
			t.Errorf("%v: expected %v, found otherwise, %v", age, want, err)
		}
		if want {
			if err := os.RemoveAll(path); err != nil || isStale(entries[0]) {
				t.Errorf("expected one that has gone not to be stale, %v", err)
			}
			left(t, dir, "stage")
		}
	}
}

// TestTaken: which failures to make a stage are tried again under another name.
func TestTaken(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		err    error
		parent string
		want   bool
	}{
		{nil, dir, false}, {fs.ErrExist, dir, true}, {errInUse, dir, true}, {fs.ErrNotExist, dir, true},
		{fs.ErrNotExist, filepath.Join(dir, "none"), false}, {fs.ErrPermission, dir, false},
	} {
		if found := isTaken(test.err, test.parent); found != test.want {
			t.Errorf("%v: expected %v, found %v", test.err, test.want, found)
		}
	}
}

// TestAtOnce: several at once for one target; one makes it, the others find it.
func TestAtOnce(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	archive := tarOf(t, tarFile("a/f", "x"), tarFile("g", strings.Repeat("y", 1<<16)))
	const many = 8
	var group sync.WaitGroup
	results := make([]error, many)
	for i := range many {
		group.Go(func() {
			_, results[i] = Into(t.Context(), fileOf(archive), Tar, target, Options{})
		})
	}
	group.Wait()
	made := 0
	for _, err := range results {
		if err == nil {
			made++
		} else if !errors.Is(err, ErrExists) {
			t.Errorf("expected %v, found %v", ErrExists, err)
		}
	}
	if found := namesIn(t, dir); made != 1 || !slices.Equal(found, []string{"out"}) {
		t.Errorf("expected one to make it, found %d and %q", made, found)
	}
	wantTree(t, target, "a/ 755", "a/f 644 x", "g 644 "+strings.Repeat("y", 1<<16))
}
