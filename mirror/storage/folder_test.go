package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/mirror/storage"
	"assay/mirror/storage/storagetest"
)

const childVariable = "ASSAY_STORAGE_TEST_DIR"

// TestMain is also the other process, which opens a folder and waits to be killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := storage.Open(dir, storage.Options{}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	select {}
}

func open(t *testing.T, dir string) *storage.Folder {
	t.Helper()
	f, err := storage.Open(dir, storage.Options{Notice: func(text string) { t.Error("notice:", text) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFolder(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storagetest.Backend {
		dir := filepath.Join(t.TempDir(), "new", "mirror")
		f := open(t, dir)
		return storagetest.Backend{Storage: f, Cache: f.Cache(), Damage: func(t *testing.T, digest artifact.Digest) { damage(t, objectPath(dir, digest)) }}
	})
}

func objectPath(dir string, d artifact.Digest) string {
	return filepath.Join(dir, "objects", "blobs", string(d.Algorithm()), d.Hex()[:2], d.Hex())
}

// damage changes a bit of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, f *storage.Folder, data []byte) artifact.Digest {
	t.Helper()
	digest, err := f.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// files lists all files below a folder, by their paths in it.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(dir, path)
			list = append(list, filepath.ToSlash(relative))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return list
}

// TestObjectIsAFile: so that the system can send it by itself.
func TestObjectIsAFile(t *testing.T) {
	f := open(t, t.TempDir())
	object, err := f.Open(t.Context(), put(t, f, []byte("x")))
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if _, ok := object.(*os.File); !ok {
		t.Errorf("expected a file, found %T", object)
	}
}

// TestPutWritesOnce: what is there is left alone, and nothing else stays.
func TestPutWritesOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	digest := put(t, f, []byte("x"))
	before, err := os.Stat(objectPath(dir, digest))
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, []byte("x"))
	after, err := os.Stat(objectPath(dir, digest))
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("expected the file of before, found %v, %v", after, err)
	}
	if left := files(t, filepath.Join(dir, "objects", "staging")); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
}

// TestAdoptOfAnotherCache: what is not an object is not taken for one.
func TestAdoptOfAnotherCache(t *testing.T) {
	f, other := open(t, t.TempDir()), open(t, t.TempDir())
	blob, err := other.Cache().Look(put(t, other, []byte("x")))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Adopt(t.Context(), blob); !errors.Is(err, storage.ErrMissing) {
		t.Errorf("expected %v, found %v", storage.ErrMissing, err)
	}
	put(t, f, []byte("x"))
	if err := f.Adopt(t.Context(), blob); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("expected %v, found %v", storage.ErrInvalid, err)
	}
	if err := os.Truncate(blob.Path(), 0); err != nil {
		t.Fatal(err)
	}
	if err := other.Adopt(t.Context(), blob); !errors.Is(err, storage.ErrMismatch) {
		t.Errorf("cut short: expected %v, found %v", storage.ErrMismatch, err)
	}
}

// TestPlantedInPlaceOfAnObject: what is no file is no object, and goes aside.
func TestPlantedInPlaceOfAnObject(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, plant := range []func(path string) error{
		func(path string) error { return os.Symlink(secret, path) },
		func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		digest := put(t, f, []byte("x"))
		path := objectPath(dir, digest)
		if err := errors.Join(os.Remove(path), plant(path)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Open(t.Context(), digest); !errors.Is(err, storage.ErrMissing) {
			t.Errorf("expected %v, found %v", storage.ErrMissing, err)
		}
		if left := files(t, filepath.Join(dir, "objects", "blobs")); len(left) != 0 {
			t.Errorf("expected it to be set aside, found %q", left)
		}
		if err := f.Delete(t.Context(), digest); err != nil {
			t.Error(err)
		}
	}
	if text, err := os.ReadFile(secret); err != nil || string(text) != "x" {
		t.Errorf("expected the file behind the link as it was, found %q, %v", text, err)
	}
}

// TestCheckKeepsToItsRate by a clock that stands still but for what is waited.
func TestCheckKeepsToItsRate(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	for _, test := range []struct{ length, rate int64 }{
		{1000, 100}, {1000, 3}, {1 << 20, 1 << 18}, {1<<20 + 1, 1 << 19}, {10, 1000}, {0, 10}, {1, 1},
	} {
		digest := put(t, f, bytes.Repeat([]byte{'x'}, int(test.length)))
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			if err := f.Check(t.Context(), digest, test.rate); err != nil {
				t.Error(err)
			}
			want := time.Duration(float64(test.length) / float64(test.rate) * float64(time.Second))
			if took := time.Since(start); took != want {
				t.Errorf("%d bytes at %d: expected %v, found %v", test.length, test.rate, want, took)
			}
		})
	}
	digest := put(t, f, []byte("slow"))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := f.Check(ctx, digest, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
		}
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("expected an end with the context, found it after %v", took)
		}
	})
	damage(t, objectPath(dir, digest))
	synctest.Test(t, func(t *testing.T) {
		if err := f.Check(t.Context(), digest, 2); !errors.Is(err, storage.ErrMismatch) || !errors.Is(err, storage.ErrMissing) {
			t.Errorf("expected %v, found %v", storage.ErrMismatch, err)
		}
	})
}

func TestFreeCounts(t *testing.T) {
	f := open(t, t.TempDir())
	if free, err := f.Free(t.Context()); err != nil || free == 0 {
		t.Errorf("expected some room, or -1, found %d, %v", free, err)
	}
}

// TestKilled: what the killed process left is in nobody's way.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer command.Wait()
	defer command.Process.Kill()
	line := make([]byte, len("open\n"))
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "open\n" {
		t.Fatalf("expected the other process to have it, found %q, %v", line, err)
	}
	var inUse *storage.InUseError
	f, err := storage.Open(dir, storage.Options{})
	if f != nil || !errors.Is(err, storage.ErrInUse) || !errors.As(err, &inUse) || inUse.Dir != dir || inUse.PID != command.Process.Pid {
		t.Fatalf("expected %v by %d, found %v", storage.ErrInUse, command.Process.Pid, err)
	}
	if text := err.Error(); !strings.Contains(text, dir) || !strings.Contains(text, fmt.Sprint(command.Process.Pid)) {
		t.Errorf("expected the folder and the process to be named, found %q", text)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	open(t, dir)
}

func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	version, err := first.Replace(t.Context(), "d", "", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	var inUse *storage.InUseError
	if f, err := storage.Open(dir, storage.Options{}); f != nil || !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
		t.Errorf("expected %v, found %v", storage.ErrInUse, err)
	}
	// What is no number is told by no number.
	for _, text := range []string{"", "-5", "x", strings.Repeat("9", 100)} {
		if err := os.WriteFile(filepath.Join(dir, "lock"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := storage.Open(dir, storage.Options{}); f != nil || !errors.As(err, &inUse) || inUse.PID != 0 || !strings.Contains(err.Error(), "another process") {
			t.Errorf("%q: expected %v, found %v", text, storage.ErrInUse, err)
		}
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Error(err)
	}
	if _, err := first.Replace(t.Context(), "d", version, []byte("late")); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("after Close: expected %v, found %v", storage.ErrInvalid, err)
	}
	second := open(t, dir)
	if data, found, err := second.Document(t.Context(), "d"); err != nil || found != version || string(data) != "one" {
		t.Errorf("expected what the first wrote, found %q, %v", data, err)
	}
	if _, err := storage.Open("", storage.Options{}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("expected %v, found %v", storage.ErrInvalid, err)
	}
}

// TestLinkInPlaceOfTheLock: the file behind it is not written to.
func TestLinkInPlaceOfTheLock(t *testing.T) {
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "other")
	if err := errors.Join(os.WriteFile(other, []byte("mine"), 0o600), os.Symlink(other, filepath.Join(dir, "lock"))); err != nil {
		t.Fatal(err)
	}
	if f, err := storage.Open(dir, storage.Options{}); f != nil || !errors.Is(err, storage.ErrDisk) || !strings.Contains(err.Error(), "expected a regular file") {
		t.Errorf("expected %v, found %v", storage.ErrDisk, err)
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "mine" {
		t.Errorf("expected the other file as it was, found %q, %v", text, err)
	}
}

// TestPlantedInPlaceOfADocument is neither read, nor followed, nor taken for none.
func TestPlantedInPlaceOfADocument(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, plant := range map[string]func(path string) error{
		"a link":          func(path string) error { return os.Symlink(other, path) },
		"a dangling link": func(path string) error { return os.Symlink("nowhere", path) },
		"a folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		"too long a file": func(path string) error { return os.WriteFile(path, make([]byte, storage.MaxDocument+1), 0o600) },
	} {
		path := filepath.Join(dir, "documents", "a+d")
		if err := plant(path); err != nil {
			t.Fatal(err)
		}
		if data, _, err := f.Document(t.Context(), "a/d"); data != nil || !errors.Is(err, storage.ErrDisk) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: expected %v, found %q, %v", what, storage.ErrDisk, data, err)
		}
		for _, data := range [][]byte{nil, []byte("theirs")} {
			for _, old := range []storage.Version{"", storage.VersionOf([]byte("mine"))} {
				if _, err := f.Replace(t.Context(), "a/d", old, data); !errors.Is(err, storage.ErrDisk) {
					t.Errorf("%s: expected %v, found %v", what, storage.ErrDisk, err)
				}
			}
		}
		if err := os.Remove(path); err != nil {
			t.Errorf("%s: expected it to be left alone: %v", what, err)
		}
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "mine" {
		t.Errorf("expected the other file as it was, found %q, %v", text, err)
	}
}

// TestLeftoversOfDocuments: a temporary file is no document, and goes with Open.
func TestLeftoversOfDocuments(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if _, err := f.Replace(t.Context(), "a/d", "", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".a+d.0123456789abcdef.tmp", "Not.Ours", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, "documents", name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir)
	if names, err := f.Documents(t.Context(), ""); err != nil || !slices.Equal(names, []string{"a/d"}) {
		t.Errorf("expected the document alone, found %q, %v", names, err)
	}
	if left := files(t, filepath.Join(dir, "documents")); !slices.Equal(left, []string{".hidden", "Not.Ours", "a+d"}) {
		t.Errorf("expected what is not ours to stay, found %q", left)
	}
	for _, folder := range []string{"", "objects", "documents"} {
		if info, err := os.Stat(filepath.Join(dir, folder)); err != nil || folder != "" && info.Mode().Perm() != 0o700 {
			t.Errorf("%q: expected mode 0700, found %v, %v", folder, info, err)
		}
	}
}

// TestObjectInUse: Delete leaves what a reference holds, and what is being fetched.
func TestObjectInUse(t *testing.T) {
	f := open(t, t.TempDir())
	digest := put(t, f, []byte("x"))
	stage, err := f.Cache().Stage(t.Context(), artifact.Digests{digest}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), digest); !errors.Is(err, storage.ErrInUse) || !errors.Is(err, cache.ErrInUse) {
		t.Errorf("being fetched: expected %v, found %v", storage.ErrInUse, err)
	}
	if err := stage.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := f.Cache().Keep(t.Context(), cache.KindPin, "p", "", digest); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), digest); !errors.Is(err, storage.ErrInUse) {
		t.Errorf("held: expected %v, found %v", storage.ErrInUse, err)
	}
	if err := f.Check(t.Context(), digest, 0); err != nil {
		t.Error(err)
	}
}

// TestFilesInTheWay: what can't be a folder is an error of the disk, and the lock is
// given up again.
func TestFilesInTheWay(t *testing.T) {
	for _, name := range []string{"objects", "documents"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := storage.Open(dir, storage.Options{}); f != nil || !errors.Is(err, storage.ErrDisk) || !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%s: expected %v, found %v", name, storage.ErrDisk, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		open(t, dir)
	}
}
