package pinned_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/cache"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

// gitRepo is a repository made for a test.
type gitRepo struct {
	t    *testing.T
	dir  string
	head string // the whole commit of its first state
}

// newGitRepo makes a repository with two states, or skips where git is missing.
func newGitRepo(t *testing.T) *gitRepo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed:", err)
	}
	r := &gitRepo{t: t, dir: filepath.Join(t.TempDir(), "repo.git")}
	if err := os.MkdirAll(filepath.Join(r.dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.git("init", "-q", "-b", "main")
	r.file("bin/tool", "one")
	r.file(".gitattributes", "* text eol=crlf ident export-subst filter=evil\n")
	r.file("ident", "$Id$\n")
	if err := os.Symlink("/etc/passwd", filepath.Join(r.dir, "link")); err != nil {
		t.Skip("no links:", err)
	}
	if err := os.Symlink("bin", filepath.Join(r.dir, "linked")); err != nil {
		t.Fatal(err)
	}
	r.commit()
	r.head = strings.TrimSpace(r.git("rev-parse", "HEAD"))
	r.git("tag", "-m", "annotated", "v1")
	r.file("bin/tool", "two")
	r.commit()
	r.git("branch", "release/2")
	return r
}

func (r *gitRepo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "core.autocrlf=false"}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (r *gitRepo) file(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *gitRepo) commit() {
	r.git("add", "-A")
	r.git("commit", "-qm", "state")
}

func (r *gitRepo) url(inside string) string {
	return "git::file://" + filepath.ToSlash(r.dir) + "/.git//" + inside
}

func TestGetGit(t *testing.T) {
	repo := newGitRepo(t)
	for _, test := range []struct{ inside, content string }{
		{"bin/tool", "two"},
		{"bin/tool?ref=v1", "one"},
		{"bin/tool?ref=release/2", "two"},
		{"bin/tool?ref=refs/heads/main", "two"},
		{"bin/tool?ref=" + repo.head, "one"},
		{"ident?ref=v1", "$Id$\n"}, // no attribute and no filter changes bytes
	} {
		t.Run(test.inside, func(t *testing.T) {
			r := newRig(t, func(c *pinned.Config) { c.Offline = true }) // it lies on this machine
			source := parse(t, repo.url(test.inside))
			got, err := r.Get(t.Context(), source, both(test.content))
			if err != nil || content(t, got.Blob) != test.content || got.Moved != int64(len(test.content)) || got.From != source.String() {
				t.Fatalf("got %+v, %v", got, err)
			}
			if entries, err := os.ReadDir(r.dir); err != nil || len(entries) != 0 {
				t.Errorf("%v are left, %v", entries, err)
			}
		})
	}
}

func TestGetGitRefuses(t *testing.T) {
	repo := newGitRepo(t)
	for _, test := range []struct {
		name, inside, content string
		kind                  error
		words                 string
	}{
		{"other bytes", "bin/tool", "one", cache.ErrMismatch, "git::file://"},
		{"a link", "link", "/etc/passwd", wire.ErrNotRegular, "found a symbolic link"},
		{"a link on the way", "linked/tool", "two", wire.ErrSource, "found none"},
		{"a folder", "bin", "", wire.ErrNotRegular, "found a folder"},
		{"no such file", "bin/none", "", wire.ErrSource, "found none"},
		{"no such revision", "bin/tool?ref=v9", "", wire.ErrSource, "git fetch failed"},
		{"no such commit", "bin/tool?ref=" + strings.Repeat("1", 40), "", wire.ErrSource, "git fetch failed"},
		{"a pattern", "bin/t*", "two", wire.ErrSource, "found none"},
		{"a magic path", ":(glob)**/tool", "two", wire.ErrSource, "found none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, nil)
			_, err := r.Get(t.Context(), parse(t, repo.url(test.inside)), of(test.content))
			wantError(t, err, test.kind, test.words)
			r.nothingLeft(t)
		})
	}
}

func TestGetGitSubmodule(t *testing.T) {
	repo := newGitRepo(t)
	repo.git("update-index", "--add", "--cacheinfo", "160000,"+repo.head+",sub")
	repo.git("commit", "-qm", "submodule")
	r := newRig(t, nil)
	_, err := r.Get(t.Context(), parse(t, repo.url("sub")), of(""))
	wantError(t, err, wire.ErrNotRegular, "found a submodule")
	if got, err := r.Get(t.Context(), parse(t, repo.url("bin/tool")), of("two")); err != nil || content(t, got.Blob) != "two" {
		t.Errorf("a submodule beside it: got %+v, %v", got, err)
	}
}

func TestGetGitTooLong(t *testing.T) {
	repo := newGitRepo(t)
	repo.file("big", strings.Repeat("x", 64<<10))
	repo.commit()
	r := newRig(t, func(c *pinned.Config) { c.MaxSize = 64<<10 - 1 })
	_, err := r.Get(t.Context(), parse(t, repo.url("big")), of(strings.Repeat("x", 64<<10)))
	wantError(t, err, transfer.ErrTooLarge)
	r.nothingLeft(t)
	exact := newRig(t, func(c *pinned.Config) { c.MaxSize = 64 << 10 })
	if _, err := exact.Get(t.Context(), parse(t, repo.url("big")), of(strings.Repeat("x", 64<<10))); err != nil {
		t.Error(err)
	}
}

// fakeGit is a program in git's place.
func fakeGit(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "git")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(path, "version").Start(); err != nil {
		t.Skip("no shell:", err)
	}
	return path
}

func TestGetGitFillsTheDisk(t *testing.T) {
	git := fakeGit(t, `if [ "$1" = fetch ]; then while :; do echo 0123456789012345678901234567890123456789 >>fill; done; fi`)
	r := newRig(t, func(c *pinned.Config) { c.GitPath, c.GitSize = git, 1000 })
	_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("x"))
	wantError(t, err, transfer.ErrTooLarge, "expected git to need at most 1000 bytes")
	r.nothingLeft(t)
}

func TestGetGitHangs(t *testing.T) {
	git := fakeGit(t, `if [ "$1" = fetch ]; then sleep 600 & wait; fi`) // with a helper that would go on
	r := newRig(t, func(c *pinned.Config) { c.GitPath, c.GitTime = git, 300*time.Millisecond })
	_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("x"))
	wantError(t, err, trust.ErrNoAnswer, "done within 300ms")
	if !errors.Is(err, wire.ErrSource) {
		t.Errorf("got %v", err)
	}
	r.nothingLeft(t)
}

func TestGetGitGivenUp(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	git := fakeGit(t, `if [ "$1" = fetch ]; then touch `+started+`; sleep 600 & wait; fi`)
	r := newRig(t, func(c *pinned.Config) { c.GitPath = git })
	gone := errors.New("the caller has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if _, err := os.Stat(started); err == nil || t.Context().Err() != nil {
				cancel(gone)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err := r.Get(ctx, parse(t, "git::https://h.example/r//f"), of("x"))
	wantError(t, err, gone)
	if errors.Is(err, wire.ErrSource) {
		t.Errorf("%v blames the source", err)
	}
	r.nothingLeft(t)
}

func TestGetGitSaysNonsense(t *testing.T) {
	for name, listed := range map[string]string{
		"two entries":   `100644 blob 1111111111111111111111111111111111111111\tf\000100644 blob 1111111111111111111111111111111111111111\tg\000`,
		"another name":  `100644 blob 1111111111111111111111111111111111111111\tg\000`,
		"no object":     `100644 blob --help\tf\000`,
		"short object":  `100644 blob 1111\tf\000`,
		"fields":        `100644 blob\tf\000`,
		"more fields":   `100644 blob 1111111111111111111111111111111111111111 9\tf\000`,
		"another kind":  `100644 tree 1111111111111111111111111111111111111111\tf\000`,
		"no hex":        `100644 blob gggggggggggggggggggggggggggggggggggggggg\tf\000`,
		"unknown mode":  `100600 blob 1111111111111111111111111111111111111111\tf\000`,
		"no end of it":  `100644 blob 1111111111111111111111111111111111111111\tff`,
		"endless entry": strings.Repeat("x", 9000),
	} {
		t.Run(name, func(t *testing.T) {
			git := fakeGit(t, `case "$1" in ls-tree) printf '`+listed+`';; cat-file) printf evil;; esac`)
			r := newRig(t, func(c *pinned.Config) { c.GitPath = git })
			_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("evil"))
			if !errors.Is(err, wire.ErrSource) && !errors.Is(err, transfer.ErrTooLarge) {
				t.Errorf("got %v", err)
			}
			r.nothingLeft(t)
		})
	}
	for _, object := range []string{strings.Repeat("1", 40), strings.Repeat("1", 64)} {
		git := fakeGit(t, `case "$1" in ls-tree) printf '100755 blob `+object+`\tf\000';; cat-file) printf good;; esac`)
		r := newRig(t, func(c *pinned.Config) { c.GitPath = git })
		if got, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("good")); err != nil || content(t, got.Blob) != "good" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

// Each step that fails is told, whatever the others would do.
func TestGetGitStepFails(t *testing.T) {
	for _, step := range []string{"init", "fetch", "ls-tree", "cat-file"} {
		git := fakeGit(t, `case "$1" in ls-tree) printf '100755 blob 1111111111111111111111111111111111111111\tf\000';; cat-file) printf good;; esac
if [ "$1" = `+step+` ]; then echo warning >&2; echo "fatal: it is broken" >&2; echo hint >&2; exit 128; fi`)
		r := newRig(t, func(c *pinned.Config) { c.GitPath = git })
		_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("good"))
		wantError(t, err, wire.ErrSource, "git "+step+" failed: fatal: it is broken")
		r.nothingLeft(t)
	}
}

// What is longer is not even written out.
func TestGetGitWritesTooMuch(t *testing.T) {
	git := fakeGit(t, `case "$1" in ls-tree) printf '100755 blob 1111111111111111111111111111111111111111\tf\000';; cat-file) printf 'too long';; esac`)
	r := newRig(t, func(c *pinned.Config) { c.GitPath, c.MaxSize = git, 7 })
	_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("too long"))
	wantError(t, err, transfer.ErrTooLarge, "expected at most 7 bytes, found more")
	if len(r.mover.asked) != 0 {
		t.Errorf("moved from %v", r.mover.asked)
	}
	r.nothingLeft(t)
}

func TestGetGitMissing(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o600, "garbage": 0o700} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte{0, 1, 2}, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "plain"), filepath.Join(dir, "garbage"), dir, "assay-no-such-program"} {
		r := newRig(t, func(c *pinned.Config) { c.GitPath = path })
		_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("x"))
		wantError(t, err, pinned.ErrGit)
		r.nothingLeft(t)
	}
}

func TestGetGitSweeps(t *testing.T) {
	now := time.Now()
	r := newRig(t, func(c *pinned.Config) { c.GitPath, c.Now = "assay-no-such-program", func() time.Time { return now } })
	old, young, other := filepath.Join(r.dir, "git-1"), filepath.Join(r.dir, "git-2"), filepath.Join(r.dir, "other")
	for _, dir := range []string{old, young, other} {
		if err := os.MkdirAll(filepath.Join(dir, "repository"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for dir, age := range map[string]time.Duration{old: 25 * time.Hour, young: 23 * time.Hour, other: 25 * time.Hour} {
		if err := os.Chtimes(dir, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := r.Get(t.Context(), parse(t, "git::https://h.example/r//f"), of("x"))
	wantError(t, err, pinned.ErrGit)
	for dir, want := range map[string]bool{old: false, young: true, other: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// gitServer serves a repository as code forges do, with a password if there is one.
func gitServer(t *testing.T, repo *gitRepo, user, password string) *httptest.Server {
	t.Helper()
	exe, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skip("git does not tell where its programs are:", err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(exe)), "git-http-backend"), Root: "/",
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(repo.dir), "GIT_HTTP_EXPORT_ALL=1"}, InheritEnv: []string{"PATH"}, Stderr: new(strings.Builder),
	}
	if _, err := os.Stat(backend.Path); err != nil {
		t.Skip("git-http-backend is not installed:", err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.Env = append(backend.Env[:2:2], fmt.Sprintf("GIT_PROTOCOL=%s", r.Header.Get("Git-Protocol")))
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestGetGitByHTTP(t *testing.T) {
	repo := newGitRepo(t)
	repo.git("config", "uploadpack.allowFilter", "true") // so that only the one file is brought
	server := gitServer(t, repo, "me", "secret")
	withPassword := strings.Replace(server.URL, "://", "://me:secret@", 1)
	r := newRig(t, nil)
	source := parse(t, "git::"+withPassword+"/repo.git/.git//bin/tool?ref=v1")
	got, err := r.Get(t.Context(), source, of("one"))
	if err != nil || content(t, got.Blob) != "one" || strings.Contains(got.From, "secret") {
		t.Fatalf("got %+v, %v", got, err)
	}
	// Without the password git does not ask for one.
	r = newRig(t, nil)
	_, err = r.Get(t.Context(), parse(t, "git::"+server.URL+"/repo.git/.git//bin/tool?ref=v1"), of("one"))
	wantError(t, err, wire.ErrSource, "git fetch failed")
	r.nothingLeft(t)
	// A wrong one is not told of.
	_, err = r.Get(t.Context(), parse(t, "git::"+strings.Replace(server.URL, "://", "://me:hidden@", 1)+"/repo.git/.git//bin/tool"), of("one"))
	wantError(t, err, wire.ErrSource, "!hidden", "!"+"bWU6aGlkZGVu")
}

// A redirect could lead to this machine, or take the password elsewhere.
func TestGetGitRedirected(t *testing.T) {
	repo := newGitRepo(t)
	asked := false
	behind := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer behind.Close()
	server := httptest.NewServer(http.RedirectHandler(behind.URL+"/"+repo.dir, http.StatusFound))
	defer server.Close()
	r := newRig(t, nil)
	_, err := r.Get(t.Context(), parse(t, "git::"+server.URL+"/repo.git//bin/tool"), of("two"))
	wantError(t, err, wire.ErrSource, "git fetch failed")
	if asked {
		t.Error("git followed a redirect")
	}
}
