package install

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"assay/artifact/release"
	"assay/cache"
	"assay/fetch/unpack"
)

func skipOnWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs of these tests are shell scripts")
	}
}

// TestLife: a release is installed, upgraded, gone back from, and taken away.
func TestLife(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	done := b.installs("1.0.0")
	if !done.Changed || done.Before.Number != 0 || done.Number != 1 || done.Files != 2 || !slices.Equal(done.Links, []string{filepath.Join(b.Bin, "hello")}) {
		t.Errorf("found %+v", done)
	}
	b.runs("hello", "1.0.0")
	if done = b.installs("1.0.0"); done.Changed || done.Number != 1 {
		t.Errorf("expected no change the second time, found %+v", done)
	}
	if done = b.installs("1.1.0"); !done.Changed || done.Before.Version != "1.0.0" || done.Version != "1.1.0" {
		t.Errorf("found %+v", done)
	}
	b.runs("hello", "1.1.0")
	b.wantTidy("1", "2")

	back, err := b.Back(hello, "")
	if err != nil || back.Version != "1.0.0" {
		t.Fatalf("found %+v, %v", back, err)
	}
	_, data := version("1.0.0")
	if done, err = b.Install(t.Context(), back.Release, b.blob(data), Options{Back: true}); err != nil || !done.Changed || done.Number != 1 {
		t.Errorf("found %+v, %v", done, err)
	}
	b.runs("hello", "1.0.0")
	if _, err := b.Back(hello, ""); err == nil {
		t.Error("expected nothing before the first, found something")
	} else {
		wantError(t, err, ErrMissing, "those after it are 1.1.0")
	}
	if forth, err := b.Back(hello, "1.1.0"); err != nil || forth.Number != 2 {
		t.Errorf("found %+v, %v", forth, err)
	}
	_, err = b.Back(hello, "9.9.9")
	wantError(t, err, ErrMissing, "9.9.9", "those that are: 1.1.0")

	if was, err := b.Uninstall(t.Context(), hello); err != nil || was.Version != "1.0.0" {
		t.Errorf("found %+v, %v", was, err)
	}
	b.wantNothing()
	_, err = b.Uninstall(t.Context(), hello)
	wantError(t, err, ErrMissing)
	if refs, err := b.Cache.References(t.Context()); err != nil || len(refs) != 0 {
		t.Errorf("expected no reference left, found %v, %v", refs, err)
	}
	if len(b.notices) > 0 {
		t.Errorf("expected no notices, found %q", b.notices)
	}
}

// TestOrder: what ran last is what is gone back to, in whatever order versions came.
func TestOrder(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0", "1.1.0", "1.0.0")
	b.runs("hello", "1.0.0")
	if back, err := b.Back(hello, ""); err != nil || back.Version != "1.1.0" {
		t.Errorf("expected the one that ran before, found %+v, %v", back, err)
	}
	b.installs("1.2.0", "1.3.0", "1.4.0")
	list, current, err := b.Generations(hello)
	if err != nil || len(list) != Kept || list[0].Number != current || list[0].Version != "1.4.0" || list[1].Version != "1.3.0" || list[2].Version != "1.2.0" {
		t.Errorf("expected the last %d kept, found %+v, %d, %v", Kept, list, current, err)
	}
	refs, err := b.Cache.References(t.Context())
	if err != nil || len(refs) != 1 || refs[0].Kind != cache.KindInstall || len(refs[0].Digests) != Kept {
		t.Errorf("expected a reference to the blobs of those that are kept, found %+v, %v", refs, err)
	}
}

// TestReadOnly: what is installed can't be written to by mistake, and programs can be
// executed whether or not the archive says so.
func TestReadOnly(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	r, data := version("1.0.0", entry{path: "tool", text: script("tool")})
	r.Executables = append(r.Executables, release.Executable{Path: "tool"})
	g := b.install(r, data)
	b.runs("tool", "tool")
	for path, want := range map[string]os.FileMode{"tool": 0o555, "hello-1.0.0/hello": 0o555, "hello-1.0.0/README": 0o444} {
		if info, err := os.Stat(filepath.Join(g.Tree(), path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: expected %v, found %v, %v", path, want, info.Mode(), err)
		}
	}
}

// TestRaw: an artifact may be the program.
func TestRaw(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	r, _ := version("1.0.0")
	data := []byte(script("raw"))
	r.Format, r.Name, r.Executables, r.Length = "raw", "hello_linux_amd64", nil, int64(len(data))
	r.Digests = nil
	blob := b.blob(data)
	r.Digests = append(r.Digests, blob.Digest())
	b.install(r, data)
	b.runs("hello", "raw")
}

// TestTaken: a name in the folder of links is never taken from anybody.
func TestTaken(t *testing.T) {
	skipOnWindows(t)
	for name, test := range map[string]struct {
		make func(b *bench, path string)
		says string
	}{
		"file":   {func(b *bench, path string) { mustWrite(b.t, path, "mine") }, "found a file"},
		"folder": {func(b *bench, path string) { mustWrite(b.t, filepath.Join(path, "x"), "mine") }, "found a folder"},
		"link":   {func(b *bench, path string) { mustLink(b.t, "/bin/true", path) }, `found a link to "/bin/true"`},
		"looks like ours": {func(b *bench, path string) {
			mustLink(b.t, filepath.Join(b.products(), "acme", "hello", "current", "tree", "hello"), path)
		}, "found a link to"},
		"of another product": {func(b *bench, path string) {
			r, data := version("1.0.0")
			r.Product = "other"
			b.install(r, data)
		}, "is of acme:other already"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			path := filepath.Join(b.Bin, "hello")
			test.make(b, path)
			before, _ := os.Readlink(path)
			r, data := version("1.0.0")
			_, err := b.Install(t.Context(), r, b.blob(data), Options{})
			wantError(t, err, ErrTaken, path, test.says)
			if after, _ := os.Readlink(path); after != before {
				t.Errorf("expected it left alone, found %q", after)
			}
			if names, _ := readDir(b.folder(hello)); len(names) != 0 {
				t.Errorf("expected nothing unpacked, found %v", names)
			}
		})
	}
}

func mustLink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// TestLinksFollow: a new release brings programs, and takes others away, without a
// moment in which one that stays is not there.
func TestLinksFollow(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	one, data := version("1.0.0", entry{path: "old", text: script("old"), program: true})
	one.Executables = append(one.Executables, release.Executable{Path: "old"})
	b.install(one, data)
	two, data := version("2.0.0", entry{path: "new", text: script("new"), program: true})
	two.Executables = append(two.Executables, release.Executable{Path: "new"})
	b.install(two, data)
	b.runs("hello", "2.0.0")
	b.runs("new", "new")
	if names, _ := readDir(b.Bin); !slices.Equal(names, []string{"hello", "new"}) {
		t.Errorf("expected the old program's link gone, found %v", names)
	}
}

// TestUnfit: what can't be installed is refused before, or leaves nothing.
func TestUnfit(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Release)
		want   error
		says   string
	}{
		"no programs":      {func(r *Release) { r.Executables = nil }, ErrUnfit, "names no programs"},
		"a package":        {func(r *Release) { r.Format, r.Name = "deb", "hello.deb" }, ErrUnfit, `found the format "deb"`},
		"missing program":  {func(r *Release) { r.Executables[0].Path = "bin/hello" }, ErrUnfit, `it has "hello-1.0.0/hello"`},
		"a folder":         {func(r *Release) { r.Executables[0].Path = "hello-1.0.0" }, ErrUnfit, "to be a file"},
		"out of the tree":  {func(r *Release) { r.Executables[0].Path = "../hello" }, ErrUnfit, "inside of the release"},
		"link with a path": {func(r *Release) { r.Executables[0].Link = "../hello" }, ErrUnfit, ""},
		"one name twice": {func(r *Release) {
			r.Executables = append(r.Executables, release.Executable{Path: "hello-1.0.0/README", Link: "HELLO"})
		}, ErrUnfit, "twice"},
		"not that format": {func(r *Release) { r.Format = "zip" }, unpack.ErrMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r, data := version("1.0.0")
			test.change(&r)
			_, err := b.Install(t.Context(), r, b.blob(data), Options{})
			wantError(t, err, test.want, test.says)
			b.wantNothing()
		})
	}
}

// TestUnsafe: an archive that would write elsewhere is refused, and what was installed
// runs on.
func TestUnsafe(t *testing.T) {
	skipOnWindows(t)
	for name, e := range map[string][]entry{
		"parent":             {{path: "../evil", text: "x"}},
		"absolute":           {{path: "/evil", text: "x"}},
		"link out":           {{path: "out", link: "../../.."}},
		"through a link":     {{path: "out", link: "hello-2.0.0"}, {path: "out/evil", text: "x"}},
		"link then file":     {{path: "x", link: "hello-2.0.0/hello"}, {path: "x", text: "x"}},
		"folder over a file": {{path: "hello-2.0.0/hello/x", text: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.installs("1.0.0")
			r, data := version("2.0.0", e...)
			_, err := b.Install(t.Context(), r, b.blob(data), Options{})
			wantError(t, err, unpack.ErrUnsafe)
			b.runs("hello", "1.0.0")
			b.wantTidy("1")
		})
	}
}

// TestAtOnce: several installs of one product take turns, and the last one runs.
func TestAtOnce(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	var all sync.WaitGroup
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0", "1.0.0"} {
		r, data := version(v)
		blob := b.blob(data)
		all.Go(func() {
			if _, err := b.Install(context.Background(), r, blob, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	g, err := b.Current(hello)
	if err != nil {
		t.Fatal(err)
	}
	b.runs("hello", g.Version)
}

// TestBusy: who waits too long is told who has it.
func TestBusy(t *testing.T) {
	b := newBench(t)
	r, data := version("1.0.0")
	blob := b.blob(data)
	err := b.change(t.Context(), hello, func(*product) error {
		other := *b.Store
		other.LockWait = 1
		_, err := other.Install(t.Context(), r, blob, Options{})
		return err
	})
	wantError(t, err, ErrBusy, "acme:hello")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Install(ended, r, blob, Options{})
	wantError(t, err, context.Canceled)
	b.wantNothing()
}

// TestHold is kept over upgrades, and ends with the product.
func TestHold(t *testing.T) {
	b := newBench(t)
	_, err := b.Hold(t.Context(), hello, true)
	wantError(t, err, ErrMissing)
	b.installs("1.0.0")
	for i, want := range []bool{true, false} {
		if changed, err := b.Hold(t.Context(), hello, true); err != nil || changed != want || !b.Held(hello) {
			t.Errorf("%d: found %v, %v, held %v", i, changed, err, b.Held(hello))
		}
	}
	b.installs("1.1.0")
	if !b.Held(hello) {
		t.Error("expected it held still")
	}
	if changed, err := b.Hold(t.Context(), hello, false); err != nil || !changed || b.Held(hello) {
		t.Errorf("found %v, %v", changed, err)
	}
}

// TestReady: what is only run has no link, and is no version to go back to; installed
// later it is not unpacked again.
func TestReady(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	r, data := version("1.0.0")
	g, err := b.Ready(t.Context(), r, b.blob(data), nil)
	if err != nil || !g.Loose || g.Program("hello") == "" || g.Program("other") != "" {
		t.Fatalf("found %+v, %v", g, err)
	}
	if _, err := b.Current(hello); err == nil {
		t.Error("expected none current")
	}
	if list, broken, err := b.List(); len(list)+len(broken) != 0 || err != nil {
		t.Errorf("expected nothing installed, found %v, %v, %v", list, broken, err)
	}
	b.installs("1.1.0")
	_, err = b.Back(hello, "")
	wantError(t, err, ErrMissing, "no other version")
	if done := b.installs("1.0.0"); done.Loose || done.Before.Version != "1.1.0" {
		t.Errorf("found %+v", done)
	}
	b.runs("hello", "1.0.0")
	b.wantTidy("1", "2")
}

// TestReadyCleans: what was not run for long goes when another one is made to be run;
// what is current, or was run since, stays.
func TestReadyCleans(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	now := time.Now()
	b.Now = func() time.Time { return now }
	ready := func(v string) Generation {
		r, data := version(v)
		g, err := b.Ready(t.Context(), r, b.blob(data), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Touch(g)
		return g
	}
	ready("1.0.0")
	again := ready("1.1.0")
	if names, err := b.Known(); err != nil || !slices.Equal(names, []Name{hello}) {
		t.Errorf("expected %v, found %v, %v", hello, names, err)
	}
	b.installs("2.0.0")
	b.wantTidy("1", "2", "3")
	now = now.Add(looseAge + time.Hour)
	b.Touch(again)
	ready("1.2.0")
	b.wantTidy("2", "3", "4")
	b.runs("hello", "2.0.0")
}
