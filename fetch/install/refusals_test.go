package install

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/fetch/unpack"
)

// TestOpenRefuses what would depend on the folder a person is in, or have no cache.
func TestOpenRefuses(t *testing.T) {
	good := newBench(t).Config
	for name, change := range map[string]func(*Config){
		"relative folder":          func(c *Config) { c.Dir = "data" },
		"relative folder of links": func(c *Config) { c.Bin = "bin" },
		"no cache":                 func(c *Config) { c.Cache = nil },
	} {
		c := good
		change(&c)
		if s, err := Open(c); s != nil || !errors.Is(err, ErrDisk) {
			t.Errorf("%s: expected %v, found %v, %v", name, ErrDisk, s, err)
		}
	}
}

// TestAnotherRequest: the same release by another request, or channel, or proven by
// other blobs, is noted, and nothing is unpacked again.
func TestAnotherRequest(t *testing.T) {
	b := newBench(t)
	r, data := version("1.0.0")
	b.install(r, data)
	proof := artifact.DigestOf(artifact.SHA256, []byte("proof"))
	for name, test := range map[string]struct {
		change  func(*Release)
		changed bool
	}{
		"request": {func(r *Release) { r.Request = "candidate" }, true},
		"channel": {func(r *Release) { r.Channel = "candidate" }, true},
		"blobs":   {func(r *Release) { r.Blobs = []artifact.Digest{proof} }, false},
	} {
		changed, _ := version("1.0.0")
		test.change(&changed)
		done := b.install(changed, data)
		g, err := b.Current(hello)
		if done.Changed != test.changed || done.Number != 1 || err != nil ||
			g.Request != changed.Request || g.Channel != changed.Channel || !slices.Equal(g.Blobs, changed.Blobs) {
			t.Errorf("%s: found changed %v, %+v, %v", name, done.Changed, g, err)
		}
		if refs, err := b.Cache.References(t.Context()); err != nil || slices.Contains(refs[0].Digests, proof) != (name == "blobs") {
			t.Errorf("%s: found %v, %v", name, refs, err)
		}
		b.install(r, data)
	}
	path := filepath.Join(b.folder(hello), "1", recordName)
	before, _ := os.Stat(path)
	b.install(r, data)
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("expected the record left alone where nothing is new, found %v", err)
	}
}

// TestNotTheSame: a release that differs in what comes of it is unpacked on its own.
func TestNotTheSame(t *testing.T) {
	for name, change := range map[string]func(r *Release, data *[]byte){
		"bytes": func(r *Release, data *[]byte) {
			_, *data = version("1.0.0", entry{path: "more", text: "x"})
			r.Digests = artifact.Digests{artifact.DigestOf(artifact.SHA256, *data)}
		},
		"platform": func(r *Release, _ *[]byte) { r.Platform.Arch += "x" },
		"version":  func(r *Release, _ *[]byte) { r.Version = "1.0.1" },
		"format":   func(r *Release, _ *[]byte) { r.Format = "tgz" },
		"name":     func(r *Release, _ *[]byte) { r.Name = "other.tar.gz" },
		"programs": func(r *Release, _ *[]byte) { r.Executables[0].Link = "hi" },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.installs("1.0.0")
			r, data := version("1.0.0")
			change(&r, &data)
			if done := b.install(r, data); done.Number != 2 || !done.Changed {
				t.Errorf("expected another generation, found %+v", done)
			}
		})
	}
}

// TestNoneToGoBackTo: what was cut short in mid-uninstall is not installed; a version
// that is not kept is not another one.
func TestNoneToGoBackTo(t *testing.T) {
	b := newBench(t)
	b.installs("1.0.0", "1.1.0")
	_, err := b.Back(hello, "9.9.9")
	wantError(t, err, ErrMissing, "9.9.9", "those that are: 1.0.0")
	if err := removeCurrent(b.folder(hello)); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"", "1.0.0"} {
		_, err = b.Back(hello, v)
		wantError(t, err, ErrMissing)
	}
	if was, err := b.Uninstall(t.Context(), hello); err != nil || was.Number != 0 {
		t.Errorf("expected the rest uninstalled, found %+v, %v", was, err)
	}
	b.wantNothing()
}

// TestBadNames never become paths.
func TestBadNames(t *testing.T) {
	b := newBench(t)
	for _, n := range []Name{{"acme", ".."}, {"..", "hello"}, {"acme", ""}, {"", "hello"}, {"acme", "a/b"}, {"ACME", "hello"}, {"acme", ".hello.lock"}} {
		_, err := b.Current(n)
		wantError(t, err, ErrMissing)
		_, _, err = b.Generations(n)
		wantError(t, err, ErrMissing)
		_, err = b.Uninstall(t.Context(), n)
		wantError(t, err, ErrMissing)
		_, err = b.Hold(t.Context(), n, true)
		wantError(t, err, ErrMissing)
		if b.Held(n) {
			t.Errorf("%v: expected it not held", n)
		}
	}
	if names, _ := readDir(b.Dir); len(names) != 0 {
		t.Errorf("expected nothing made, found %v", names)
	}
}

// TestFilesInTheWay: files where folders are to be are nothing installed.
func TestFilesInTheWay(t *testing.T) {
	for _, path := range []string{"products", "products/acme", "products/acme/hello"} {
		b := newBench(t)
		mustWrite(t, filepath.Join(b.Dir, path), "x")
		if list, broken, err := b.List(); len(list)+len(broken) != 0 || err != nil {
			t.Errorf("%s: found %v, %v, %v", path, list, broken, err)
		}
		_, err := b.Current(hello)
		wantError(t, err, ErrMissing)
		r, data := version("1.0.0")
		_, err = b.Install(t.Context(), r, b.blob(data), Options{})
		wantError(t, err, ErrDisk)
		if names, _ := readDir(b.Bin); len(names) != 0 {
			t.Errorf("%s: expected no links, found %v", path, names)
		}
	}
}

// TestBinInTheWay: where links can't be made the old release runs on, and what was
// unpacked counts as nothing that ran.
func TestBinInTheWay(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	good := b.Bin
	b.Bin = filepath.Join(b.Dir, "file", "bin")
	mustWrite(t, filepath.Dir(b.Bin), "x")
	r, data := version("1.1.0")
	_, err := b.Install(t.Context(), r, b.blob(data), Options{})
	wantError(t, err, ErrDisk, "file")
	if _, err := b.Uninstall(t.Context(), hello); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
	b.Bin = good
	b.runs("hello", "1.0.0")
	for _, g := range mustList(t, b) {
		if g.Version == "1.1.0" && !g.Loose {
			t.Errorf("expected one that did not run, found %+v", g)
		}
	}
	b.installs("1.2.0")
	if g, err := b.Back(hello, ""); err != nil || g.Version != "1.0.0" {
		t.Errorf("found %+v, %v", g, err)
	}
}

func mustList(t *testing.T, b *bench) []Generation {
	t.Helper()
	list, _, err := b.Generations(hello)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestHeldStays: who holds twice, or ends it twice, changes nothing; what can't be
// ended is an error.
func TestHeldStays(t *testing.T) {
	b := newBench(t)
	b.installs("1.0.0")
	if changed, err := b.Hold(t.Context(), hello, false); changed || err != nil {
		t.Errorf("found %v, %v", changed, err)
	}
	path := filepath.Join(b.folder(hello), heldName)
	var texts []string
	for i := range 2 {
		b.Now = func() time.Time { return time.Unix(int64(i)*1000, 0) }
		if _, err := b.Hold(t.Context(), hello, true); err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(path)
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] || texts[0] == "" {
		t.Errorf("expected the first time kept, found %q", texts)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(path, "x"), "x")
	_, err := b.Hold(t.Context(), hello, false)
	wantError(t, err, ErrDisk, path)
	if !b.Held(hello) {
		t.Error("expected it held still")
	}
}

// TestRawRefuses what is not one program.
func TestRawRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		programs []release.Executable
		says     string
	}{
		"two":          {[]release.Executable{{Path: "a"}, {Path: "b"}}, "expected one program of one file, found 2"},
		"the folder":   {[]release.Executable{{Path: ".", Link: "hello"}}, "inside of the release"},
		"by a detour":  {[]release.Executable{{Path: "a/../b", Link: "hello"}}, "inside of the release"},
		"a folder":     {[]release.Executable{{Path: "a/", Link: "hello"}}, "inside of the release"},
		"a backslash":  {[]release.Executable{{Path: `a\b`, Link: "hello"}}, "inside of the release"},
		"another disk": {[]release.Executable{{Path: "c:b", Link: "hello"}}, "inside of the release"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r, data := version("1.0.0")
			r.Format, r.Executables = rawFormat, test.programs
			_, err := b.Install(t.Context(), r, b.blob(data), Options{})
			wantError(t, err, ErrUnfit, test.says)
			b.wantNothing()
		})
	}
	r, _ := version("1.0.0")
	r.Format, r.Executables = rawFormat, nil
	if err := r.Fit(); err != nil {
		t.Errorf("expected a program to be fit whether or not it is named: %v", err)
	}
	r.Digests = nil
	_, err := newBench(t).Install(t.Context(), r, cache.Blob{}, Options{})
	wantError(t, err, ErrUnfit, "expected a digest")
}

// TestCorrupt: a blob that is not what was proven any more is not installed.
func TestCorrupt(t *testing.T) {
	b := newBench(t)
	r, data := version("1.0.0")
	r.Format, r.Executables = rawFormat, nil
	blob := b.blob(data)
	if err := errors.Join(os.Chmod(blob.Path(), 0o644), os.WriteFile(blob.Path(), []byte(strings.Repeat("x", len(data))), 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err := b.Install(t.Context(), r, blob, Options{})
	wantError(t, err, cache.ErrDamaged)
	b.wantNothing()
}

// TestVerifyFails with the error of what it could not do.
func TestVerifyFails(t *testing.T) {
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	err := b.Verify(t.Context(), g, b.blob([]byte("no archive")))
	wantError(t, err, unpack.ErrMalformed)
	if errors.Is(err, ErrDamaged) {
		t.Errorf("expected nothing said of the files, found %v", err)
	}
	err = b.Check(&endsAt{t.Context(), 1}, g)
	if errors.Is(err, ErrDisk) || errors.Is(err, ErrDamaged) || err == nil {
		t.Errorf("expected the context's error, found %v", err)
	}
	b.wantTidy("1")
}

// TestNearest names a file, not a folder.
func TestNearest(t *testing.T) {
	b := newBench(t)
	r, data := version("1.0.0", entry{path: "a/hello/x", text: "x"})
	r.Executables[0].Path = "bin/hello"
	_, err := b.Install(t.Context(), r, b.blob(data), Options{})
	wantError(t, err, ErrUnfit, `it has "hello-1.0.0/hello"`)
	r.Executables[0].Path = "bin/none"
	_, err = b.Install(t.Context(), r, b.blob(data), Options{})
	wantError(t, err, ErrUnfit)
	if strings.Contains(err.Error(), "it has") {
		t.Errorf("expected no other named, found %v", err)
	}
}

// TestRecordIsAFile: a link in its place is not followed.
func TestRecordIsAFile(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0")
	path := filepath.Join(g.dir, recordName)
	if err := errors.Join(os.Rename(path, filepath.Join(b.Dir, "else")), os.Symlink(filepath.Join(b.Dir, "else"), path)); err != nil {
		t.Fatal(err)
	}
	_, err := b.Current(hello)
	wantError(t, err, ErrRecord, path, "regular")
}

// TestUnreadable: where nothing can be said of the generations, all are kept.
func TestUnreadable(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	r, _ := version("1.0.0")
	loop := b.product(Name{"acme", "loop"})
	mustLink(t, "loop", loop.dir)
	loop.clean(t.Context(), 1)
	if len(b.notices) != 1 || !strings.Contains(b.notices[0], "symbolic links") {
		t.Errorf("expected to be told why, found %q", b.notices)
	}
	refs, err := b.Cache.References(t.Context())
	if err != nil || len(refs) != 1 || refs[0].Digests[0] != r.Digests.Primary() {
		t.Errorf("found %v, %v", refs, err)
	}
}

// TestLinksOfWhatCantBeRead stay.
func TestLinksOfWhatCantBeRead(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0")
	p := b.product(hello)
	mustWrite(t, filepath.Join(g.dir, recordName), "{")
	if err := p.dropIdle(); err != nil {
		t.Error(err)
	}
	b.runs("hello", "1.0.0")
}

// TestOneNameByTwo: where the file system takes capital letters for small ones, as a
// second name of the link does here, the link of a program that stays is not removed.
func TestOneNameByTwo(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	for _, other := range []string{"HELLO", "hi"} {
		if err := os.Link(filepath.Join(b.Bin, "hello"), filepath.Join(b.Bin, other)); err != nil {
			t.Skip(err)
		}
	}
	p := b.product(hello)
	if own, err := p.ownerOf("HELLO"); own.product != hello || err != nil {
		t.Errorf("expected it to be ours, found %+v, %v", own, err)
	}
	if own, err := p.ownerOf("hi"); own.product == hello || err != nil {
		t.Errorf("expected it to be the user's, found %+v, %v", own, err)
	}
	if err := p.dropLinks([]string{"HELLO"}); err != nil {
		t.Error(err)
	}
	if names, _ := readDir(b.Bin); !slices.Equal(names, []string{"HELLO", "hello", "hi"}) {
		t.Errorf("expected all left, found %v", names)
	}
	if err := p.dropLinks(nil); err != nil {
		t.Error(err)
	}
	if names, _ := readDir(b.Bin); !slices.Equal(names, []string{"hi"}) && !slices.Equal(names, []string{"HELLO", "hi"}) {
		t.Errorf("expected ours gone, found %v", names)
	}
}

// TestListThroughout: while a product comes and goes it is listed or not, never broken.
func TestListThroughout(t *testing.T) {
	b := newBench(t)
	ended := make(chan struct{})
	r, data := version("1.0.0")
	blob := b.blob(data)
	go func() {
		defer close(ended)
		for range 20 {
			if _, err := b.Install(t.Context(), r, blob, Options{}); err != nil {
				t.Error(err)
			}
			if _, err := b.Uninstall(t.Context(), hello); err != nil {
				t.Error(err)
			}
		}
	}()
	for done := false; !done; {
		select {
		case <-ended:
			done = true
		default:
		}
		list, broken, err := b.List()
		if err != nil || len(broken) > 0 || len(list) > 1 {
			t.Fatalf("found %v, %v, %v", list, broken, err)
		}
	}
}

// TestNeighbours: what is uninstalled leaves no file of a hidden name, whoever has the
// product's name as a beginning stays.
func TestNeighbours(t *testing.T) {
	b := newBench(t)
	for _, product := range []string{"hello", "hello-more", "hello.lock"} {
		r, data := version("1.0.0")
		r.Product, r.Executables[0].Link = product, product+"-x"
		b.install(r, data)
	}
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Uninstall(t.Context(), hello); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
	list, broken, err := b.List()
	if len(list) != 2 || len(broken) != 0 || err != nil {
		t.Errorf("found %v, %v, %v", list, broken, err)
	}
	names, _ := readDir(filepath.Join(b.products(), "acme"))
	for _, name := range names {
		if strings.HasPrefix(name, gonePrefix) {
			t.Errorf("expected nothing left of it, found %s", name)
		}
	}
	if _, err := os.Lstat(b.linkPath("hello-x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected the link gone, found %v", err)
	}
}
