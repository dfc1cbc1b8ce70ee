package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func wantOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := names(t, dir); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s: expected %q, found %q", dir, want, got)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s: expected %q, found %q", path, want, got)
	}
}

func TestWriteFileReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, content := range []string{"old, and longer", "new"} {
		if err := WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, content)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("expected mode 0600, found %v, %v", info.Mode(), err)
	}
	wantOnly(t, dir, "a")
}

func TestWriteFileDoesNotFollowLinks(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Skip(err)
	}
	if err := WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantContent(t, victim, "mine")
	wantContent(t, path, "theirs")
}

func TestLongNameFits(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 255)
	if err := WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, name)
}

func TestFailuresLeaveNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		write func(path string) error
		want  error
		stays []string
	}{
		{"folder in the way", func(path string) error {
			if err := os.MkdirAll(filepath.Join(path, "sub"), 0o700); err != nil {
				return err
			}
			return WriteFile(path, nil, 0o600)
		}, syscall.EEXIST, []string{"a"}},
		{"commit on a folder", func(path string) error {
			file, err := Create(path, 0o600)
			if err == nil {
				err = os.MkdirAll(filepath.Join(path, "sub"), 0o700)
			}
			if err != nil {
				return err
			}
			return file.Commit()
		}, syscall.EEXIST, []string{"a"}},
		{"no folder", func(path string) error {
			return WriteFile(filepath.Join(path, "b"), nil, 0o600)
		}, fs.ErrNotExist, nil},
		{"no name", func(path string) error {
			return WriteFile(path+"/", nil, 0o600)
		}, fs.ErrInvalid, nil},
		{"aborted", func(path string) error {
			file, err := Create(path, 0o600)
			if err != nil {
				return err
			}
			if err := errors.Join(file.Abort(), file.Abort()); err != nil {
				return err
			}
			return file.Commit()
		}, fs.ErrClosed, nil},
		{"CommitNew on a file", func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return commitNew(path)
		}, fs.ErrExist, []string{"a"}},
		{"CommitNew on a dangling link", func(path string) error {
			if err := os.Symlink("nowhere", path); err != nil {
				return err
			}
			return commitNew(path)
		}, fs.ErrExist, []string{"a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := test.write(filepath.Join(dir, "a")); !errors.Is(err, test.want) {
				t.Errorf("expected %v, found %v", test.want, err)
			}
			wantOnly(t, dir, test.stays...)
		})
	}
}

func commitNew(path string) error {
	file, err := Create(path, 0o644)
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write([]byte("new")); err != nil {
		return err
	}
	return file.CommitNew()
}

func TestCommitNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := commitNew(path); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "new")
	wantOnly(t, dir, "a")
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		if err := MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("expected a folder of mode 0700, found %v, %v", info, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if err := MkdirAll(path, 0o700); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%s: expected ENOTDIR, found %v", path, err)
		}
	}
}

func TestRenameBetweenFolders(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	from, to := filepath.Join(one, "a"), filepath.Join(two, "b")
	if err := os.WriteFile(from, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Rename(from, to); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, one)
	wantContent(t, to, "x")
	if err := Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected %v, found %v", fs.ErrNotExist, err)
	}
}
