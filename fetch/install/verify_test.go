package install

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDamage: each change of the files is found, by what the record says, and by the
// artifact alone; the next install of the same release mends it.
func TestDamage(t *testing.T) {
	skipOnWindows(t)
	for name, test := range map[string]struct {
		change func(tree string) error
		says   string
	}{
		"changed": {func(tree string) error {
			path := filepath.Join(tree, "hello-1.0.0", "hello")
			return errors.Join(os.Chmod(path, 0o755), os.WriteFile(path, []byte(script("evil!")), 0o755))
		}, `"hello-1.0.0/hello" was changed`},
		"as long, with the old times": {func(tree string) error {
			path := filepath.Join(tree, "hello-1.0.0", "README")
			info, err := os.Stat(path)
			return errors.Join(err, os.Chmod(path, 0o644), os.WriteFile(path, []byte("HELLO 1.0.0"), 0o644), os.Chmod(path, 0o444), os.Chtimes(path, info.ModTime(), info.ModTime()))
		}, `"hello-1.0.0/README" was changed`},
		"no program any more": {func(tree string) error { return os.Chmod(filepath.Join(tree, "hello-1.0.0", "hello"), 0o444) }, `"hello-1.0.0/hello" was changed`},
		"missing":             {func(tree string) error { return os.Remove(filepath.Join(tree, "hello-1.0.0", "README")) }, `"hello-1.0.0/README" is missing`},
		"added":               {func(tree string) error { return os.WriteFile(filepath.Join(tree, "extra"), nil, 0o644) }, `"extra" is not of the artifact`},
		"all of it":           {os.RemoveAll, "no such file"},
		"another kind": {func(tree string) error {
			path := filepath.Join(tree, "hello-1.0.0", "README")
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o755))
		}, `"hello-1.0.0/README" is of another kind`},
		"link elsewhere": {func(tree string) error {
			path := filepath.Join(tree, "hello-1.0.0", "latest")
			return errors.Join(os.Remove(path), os.Symlink("hello", path))
		}, `"hello-1.0.0/latest" leads elsewhere`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			g := b.installs("1.0.0").Generation
			_, data := version("1.0.0")
			if err := errors.Join(b.Check(t.Context(), g), b.Verify(t.Context(), g, b.blob(data))); err != nil {
				t.Fatal(err)
			}
			if err := test.change(g.Tree()); err != nil {
				t.Fatal(err)
			}
			wantError(t, b.Check(t.Context(), g), ErrDamaged, g.Tree())
			wantError(t, b.Verify(t.Context(), g, b.blob(data)), ErrDamaged, test.says)
			b.wantTidy("1")

			again := b.installs("1.0.0")
			if again.Number != 2 || len(b.notices) != 1 {
				t.Errorf("expected it unpacked anew, and told, found %+v, %q", again, b.notices)
			}
			b.runs("hello", "1.0.0")
			b.wantTidy("2") // what was damaged is gone
			if err := b.Verify(t.Context(), again.Generation, b.blob(data)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestVerifyDoesNotRelyOnTheRecord: who changes files and record alike is found out,
// and so is who leads a program's name elsewhere.
func TestVerifyDoesNotRelyOnTheRecord(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	_, data := version("1.0.0")
	mustWrite(t, filepath.Join(g.Tree(), "extra"), "x")
	found, err := sum(t.Context(), g.Tree())
	if err != nil {
		t.Fatal(err)
	}
	g.Sum = found.sum
	if err := g.write(); err != nil {
		t.Fatal(err)
	}
	if err := b.Check(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.Verify(t.Context(), g, b.blob(data)), ErrDamaged, `"extra"`)

	if err := errors.Join(os.Remove(filepath.Join(g.Tree(), "extra")), os.Remove(filepath.Join(g.dir, binName, "hello")), os.Symlink("/bin/true", filepath.Join(g.dir, binName, "hello"))); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.Verify(t.Context(), g, b.blob(data)), ErrDamaged, `"hello" leads elsewhere`)
}
