package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// publishes goes through all that the script of an example of a TUF library does, with a
// consumer who follows, and through what the example has to refuse.
func publishes(t *testing.T, p *place, script string, publish ...string) {
	t.Helper()
	try := func(want string, args ...string) {
		t.Helper()
		p.refused(1, want, append(publish, args...)...)
	}
	p.runs("", script, "init")
	p.runs("", script, "first")
	p.begins()
	p.runs("", script, "next")
	p.follows()
	p.runs("", script, "revoke")
	p.withdraws()

	p.runs("", script, "rotate")
	p.runs("", script, "rotate-root")
	out, err := p.command("", "assay", "trust", "refresh", "acme")
	must(t, err)
	if want := "root 1 → 2"; !strings.Contains(out, want) {
		t.Errorf("a change of root keys: expected %q, found %s", want, out)
	}

	try("expected no repository", "init", "repo", "keys", "hello")
	try("expected files of role", "add", "repo", "product", "files/1.1.0", "nope")
	try("expected a key of role", "add", "repo", "channel", "files/1.1.0", "hello")
	stray := filepath.Join(p.dir, "stray")
	must(t, os.CopyFS(filepath.Join(stray, "deep", "hello"), os.DirFS("files/1.1.0")))
	try("expected a path that role", "add", "repo", "product", "stray/deep")
	must(t, os.MkdirAll(filepath.Join(stray, "other", "ferry", "1.0.0"), 0o700))
	must(t, os.WriteFile(filepath.Join(stray, "other", "ferry", "1.0.0", "x"), nil, 0o600))
	try("targets does not delegate to it", "add", "repo", "product", "stray/other")
	must(t, os.CopyFS(filepath.Join(stray, "changed"), os.DirFS("files/1.1.0")))
	must(t, os.WriteFile(filepath.Join(stray, "changed", "hello", "1.1.0", "checksums.txt"), []byte("other"), 0o600))
	try("expected the bytes that were published", "add", "repo", "product", "stray/changed", "hello")
	out, err = p.command("", append(publish, "online", "repo", "online")...)
	if err != nil {
		t.Fatalf("after what was refused: %v\n%s", err, out)
	}
	out, err = p.command("", "assay", "trust", "refresh", "acme")
	if err != nil {
		t.Fatalf("after what was refused: %v\n%s", err, out)
	}
}

func TestGoTUF(t *testing.T) {
	t.Parallel()
	publishes(t, newPlace(t), "go-tuf/publish.sh", filepath.Join(bin, "publish"))
}

func TestPythonTUF(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.python(pythonTUF)
	program, err := filepath.Abs("python-tuf/publish.py")
	must(t, err)
	must(t, os.Symlink(program, filepath.Join(p.dir, "publish.py")))
	publishes(t, p, "python-tuf/publish.sh", filepath.Join(p.dir, "bin", "python3"), "publish.py")
}

// Both examples keep a repository and its keys in the same form: what one began the
// other goes on with.
func TestOneGoesOnWithTheOthers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.python(pythonTUF)
	program, err := filepath.Abs("python-tuf/publish.py")
	must(t, err)
	must(t, os.Symlink(program, filepath.Join(p.dir, "publish.py")))
	p.runs("", "go-tuf/publish.sh", "init")
	p.runs("", "python-tuf/publish.sh", "first")
	p.begins()
	p.runs("", "python-tuf/publish.sh", "rotate-root")
	p.runs("", "go-tuf/publish.sh", "next")
	p.follows()
	p.runs("", "go-tuf/publish.sh", "rotate")
	p.runs("", "python-tuf/publish.sh", "revoke")
	p.withdraws()
}
