package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"assay/artifact/release"
	"assay/fetch"
	"assay/internal/testrepo"
)

func TestSave(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	client := b.client()
	held := b.mustGet("hello")
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	for i, want := range []bool{true, false} {
		changed, err := client.Save(t.Context(), held, path, false)
		if err != nil || changed != want {
			t.Errorf("save %d: expected changed %v, found %v, %v", i, want, changed, err)
		}
	}
	must(t, os.WriteFile(path, []byte("mine"), 0o644))
	if _, err := client.Save(t.Context(), held, path, false); !errors.Is(err, fetch.ErrExists) {
		t.Errorf("other bytes in the way: expected ErrExists, found %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file in the way was touched")
	}
	must(t, os.WriteFile(path, make([]byte, held.Target.Length()), 0o644))
	if _, err := client.Save(t.Context(), held, path, false); !errors.Is(err, fetch.ErrExists) {
		t.Errorf("other bytes of the same length: expected ErrExists, found %v", err)
	}
	if changed, err := client.Save(t.Context(), held, os.DevNull, false); err != nil || !changed {
		t.Errorf("a device: expected it to be written to, found %v, %v", changed, err)
	}
	if info, err := os.Lstat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("the device was replaced: %v", err)
	}
	// An artifact that is itself the program may be run, any other may not.
	program := held
	program.Artifact.Format, program.Artifact.Executables = "raw", []release.Executable{{Path: "hello"}}
	for name, held := range map[string]fetch.Held{"program": program, "data": held} {
		path := filepath.Join(dir, name)
		_, err := client.Save(t.Context(), held, path, false)
		must(t, err)
		info, err := os.Stat(path)
		must(t, err)
		if runs := info.Mode()&0o100 != 0; runs != (name == "program") && runtime.GOOS != "windows" {
			t.Errorf("%s: found mode %s", name, info.Mode())
		}
	}
	// A link is replaced, not followed.
	precious := filepath.Join(dir, "precious")
	must(t, os.WriteFile(precious, []byte("keep"), 0o644))
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(precious, link))
	if _, err := client.Save(t.Context(), held, link, true); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(precious); string(data) != "keep" {
		t.Error("a link was followed")
	}
	if _, err := client.Save(t.Context(), held, dir, true); !errors.Is(err, fetch.ErrExists) {
		t.Errorf("a folder: expected ErrExists, found %v", err)
	}
	if _, err := client.Save(t.Context(), held, filepath.Join(dir, "no", "such"), true); !errors.Is(err, fetch.ErrOutput) {
		t.Errorf("no such folder: expected ErrOutput, found %v", err)
	}
	if err := client.WriteTo(t.Context(), held, failingWriter{}); !errors.Is(err, fetch.ErrOutput) {
		t.Errorf("a full pipe: expected ErrOutput, found %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }
