package lockfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// names lists a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestWriteAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("expected %v, found %v", fs.ErrNotExist, err)
	}
	for _, f := range []File{{}, example(t)} {
		if err := Write(path, f); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil || !reflect.DeepEqual(got, f.sorted()) {
			t.Fatalf("expected %+v, found %+v, %v", f, got, err)
		}
	}
	if list := names(t, filepath.Dir(path)); !reflect.DeepEqual(list, []string{Name}) {
		t.Errorf("expected the lock file alone, found %v", list)
	}
	like := filepath.Join(t.TempDir(), "like")
	if err := os.WriteFile(like, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := mode(t, path), mode(t, like); got != want {
		t.Errorf("expected mode %v, found %v", want, got)
	}
}

func TestWriteToNowhere(t *testing.T) {
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "none", Name), example(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected %v, found %v", fs.ErrNotExist, err)
	}
	if list := names(t, dir); list != nil {
		t.Errorf("expected nothing, found %v", list)
	}
}

// A lock that can't be written leaves the one before.
func TestWriteRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	if err := Write(path, example(t)); err != nil {
		t.Fatal(err)
	}
	bad := example(t)
	bad.Pins[0].Digests = nil
	if err := Write(path, bad); !errors.Is(err, ErrMalformed) {
		t.Fatalf("expected %v, found %v", ErrMalformed, err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != goldenText(t) {
		t.Errorf("expected the file as it was, found %v", err)
	}
	if list := names(t, filepath.Dir(path)); !reflect.DeepEqual(list, []string{Name}) {
		t.Errorf("expected the lock file alone, found %v", list)
	}
}

func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	folder, link, dangling := filepath.Join(dir, "folder"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	real := filepath.Join(dir, "real")
	if err := errors.Join(os.Mkdir(folder, 0o755), Write(real, File{}), os.Symlink("real", link), os.Symlink("none", dangling)); err != nil {
		t.Skip(err) // no links here
	}
	before, _ := os.ReadFile(real)
	for path, says := range map[string]string{folder: "found a folder", link: "found a symbolic link", dangling: "found a symbolic link"} {
		if _, err := Read(path); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), path+": malformed lock file: expected a regular file, "+says) {
			t.Errorf("%s: read: expected %v, found %v", path, ErrMalformed, err)
		}
		if err := Write(path, example(t)); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: write: expected %v, found %v", path, ErrMalformed, err)
		}
	}
	if after, err := os.ReadFile(real); err != nil || string(after) != string(before) {
		t.Errorf("expected what the link leads to as it was, found %v", err)
	}
	if list := names(t, dir); len(list) != 4 {
		t.Errorf("expected nothing more, found %v", list)
	}
}

func TestReadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.lock")
	if err := os.WriteFile(path, []byte(replaced(t, "root = 3", "root = 0")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.HasPrefix(err.Error(), path+":8: malformed lock file: repository.root: expected a version from 1, found 0") {
		t.Errorf("expected the path and the line, found %v", err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("#", MaxSize+100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "expected at most 1048576 bytes") {
		t.Errorf("expected %v, found %v", ErrMalformed, err)
	}
}
