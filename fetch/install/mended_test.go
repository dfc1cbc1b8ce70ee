package install

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"assay/artifact/release"
	"assay/cache"
	"assay/fetch/unpack"
)

// endsAt is a context that ends when it is asked for the n-th time.
type endsAt struct {
	context.Context
	n int
}

func (c *endsAt) Err() error {
	if c.n--; c.n < 0 {
		return context.Canceled
	}
	return nil
}

// TestGivenUp: whoever gives an install up at any moment has the new release, or the
// old one, all links of that and no others; and going back goes to what did run.
func TestGivenUp(t *testing.T) {
	skipOnWindows(t)
	for n, installed := 0, 0; installed < 2; n += 1 + n/8 {
		b := newBench(t)
		b.installs("1.0.0", "1.1.0")
		r, data := version("2.0.0", entry{path: "new", text: script("new"), program: true})
		r.Executables = append(r.Executables, release.Executable{Path: "new"})
		_, err := b.Install(&endsAt{t.Context(), n}, r, b.blob(data), Options{})
		links, _ := readDir(b.Bin)
		if err == nil {
			installed++
			b.runs("hello", "2.0.0")
			b.runs("new", "new")
			continue
		}
		wantError(t, err, context.Canceled)
		b.runs("hello", "1.1.0")
		if !slices.Equal(links, []string{"hello"}) {
			t.Errorf("%d: expected the links of the old release, found %v", n, links)
		}
		if g, err := b.Back(hello, ""); err != nil || g.Version != "1.0.0" {
			t.Errorf("%d: found %+v, %v", n, g, err)
		}
		b.installs("1.2.0")
		if g, err := b.Back(hello, ""); err != nil || g.Version != "1.1.0" {
			t.Errorf("%d: expected what ran before, found %+v, %v", n, g, err)
		}
		if t.Failed() {
			return
		}
	}
}

// TestFirstGivenUp: of a first install that fails nothing is left, and nothing is kept
// in the cache.
func TestFirstGivenUp(t *testing.T) {
	for name, entries := range map[string][]entry{"given up": nil, "unsafe": {{path: "../evil", text: "x"}}} {
		t.Run(name, func(t *testing.T) {
			for n := 0; ; n += 3 {
				b := newBench(t)
				r, data := version("1.0.0", entries...)
				blob := b.blob(data)
				_, err := b.Install(&endsAt{t.Context(), n}, r, blob, Options{})
				if err == nil {
					break
				}
				list, current, listErr := b.Generations(hello)
				if current != 0 || listErr != nil || len(list) == 1 && !list[0].Loose {
					t.Fatalf("%d: expected none that runs, found %v, %d, %v", n, list, current, listErr)
				}
				if links, _ := readDir(b.Bin); len(links) != 0 {
					t.Fatalf("%d: expected no links, found %v", n, links)
				}
				refs, refsErr := b.Cache.References(t.Context())
				if len(refs) != len(list) || refsErr != nil {
					t.Fatalf("%d: expected nothing kept, found %v, %v", n, refs, refsErr)
				}
				if _, dirErr := os.Lstat(b.folder(hello)); len(list) == 0 && !errors.Is(dirErr, fs.ErrNotExist) {
					t.Fatalf("%d: expected no folder, found %v", n, dirErr)
				}
				if errors.Is(err, unpack.ErrUnsafe) {
					break
				}
				wantError(t, err, context.Canceled)
			}
		})
	}
}

// TestKeepsItsFolder: a generation's folder is the same for as long as it is there, as
// a program may run from it; its turn says what ran last.
func TestKeepsItsFolder(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	first := b.installs("1.0.0")
	b.installs("1.1.0")
	if again := b.installs("1.0.0"); again.Tree() != first.Tree() || again.Turn <= 2 {
		t.Errorf("expected %s and a later turn, found %s, %d", first.Tree(), again.Tree(), again.Turn)
	}
	list, current, err := b.Generations(hello)
	if err != nil || current != 1 || len(list) != 2 || list[0].Version != "1.0.0" {
		t.Errorf("found %+v, %d, %v", list, current, err)
	}
	// Gone back, it keeps its turn; what runs already, too.
	back, _ := b.Back(hello, "")
	_, data := version(back.Version)
	for _, options := range []Options{{Back: true}, {}} {
		done, err := b.Install(t.Context(), back.Release, b.blob(data), options)
		if err != nil || done.Turn != 2 || done.Number != 2 {
			t.Errorf("found %+v, %v", done, err)
		}
	}
	_, err = b.Back(hello, "")
	wantError(t, err, ErrMissing, "those after it are 1.0.0")
}

// TestAlias: a link to a program by another name is the user's own, and stays, if the
// release does not want its name.
func TestAlias(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	target, err := os.Readlink(filepath.Join(b.Bin, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	mustLink(t, target, filepath.Join(b.Bin, "hi"))
	links := []string{"hi"}
	if os.Symlink(target, filepath.Join(b.Bin, "HELLO")) == nil { // capital letters are others here
		links = []string{"HELLO", "hi"}
	}
	b.installs("1.1.0")
	b.runs("hi", "1.1.0")
	if own, err := b.OwnerOf("hi"); own != (Name{}) || err != nil {
		t.Errorf("expected it somebody else's, found %v, %v", own, err)
	}
	if own, err := b.OwnerOf("hello"); own != hello || err != nil {
		t.Errorf("expected it to be %v, found %v, %v", hello, own, err)
	}
	r, data := version("1.2.0")
	r.Executables[0].Link = "hi"
	_, err = b.Install(t.Context(), r, b.blob(data), Options{})
	wantError(t, err, ErrTaken, filepath.Join(b.Bin, "hi"), "found a link to")
	b.runs("hello", "1.1.0")
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Error(err)
	}
	if names, _ := readDir(b.Bin); !slices.Equal(names, links) {
		t.Errorf("expected the user's links %v left, found %v", links, names)
	}
}

// TestIdleLinks: the links that a switch which failed has made go.
func TestIdleLinks(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	p := b.product(hello)
	r, data := version("1.0.0")
	if err := os.MkdirAll(b.Bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.addLinks(r), p.dropIdle()); err != nil {
		t.Fatal(err)
	}
	if names, _ := readDir(b.Bin); len(names) != 0 {
		t.Errorf("expected no links, found %v", names)
	}
	b.install(r, data)
	r.Executables = append(r.Executables, release.Executable{Path: "new"})
	if err := errors.Join(p.addLinks(r), p.dropIdle()); err != nil {
		t.Fatal(err)
	}
	if names, _ := readDir(b.Bin); !slices.Equal(names, []string{"hello"}) {
		t.Errorf("expected the links of what runs, found %v", names)
	}
}

// TestNotOurs: what looks like a link of ours, and is none, is somebody else's.
func TestNotOurs(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	p := b.products()
	for _, target := range []string{
		p + "x/acme/hello/current/bin/hello", p + "/acme/hello/current/bin/hello/x", p + "/acme/hello/7/bin/hello",
		p + "/acme/hello/current/tree/hello", p + "/../acme/current/bin/hello", p + "/acme/../current/bin/hello", "/acme/hello/current/bin/hello",
		p + "/acme/hello/current/bin", p + "//hello/current/bin/hello", p + "/ACME/hello/current/bin/hello", p + "/acme//hello/current/bin/hello", "acme/hello/current/bin/hello",
	} {
		path := filepath.Join(b.Bin, "hello")
		mustLink(t, target, path)
		r, data := version("1.0.0")
		_, err := b.Install(t.Context(), r, b.blob(data), Options{})
		wantError(t, err, ErrTaken, quote(target))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMeanwhileTaken: what comes to be there between the look and the link stays.
func TestMeanwhileTaken(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	path := filepath.Join(b.Bin, "hello")
	mustWrite(t, path, "mine")
	p := b.product(hello)
	if err := p.makeLink("hello"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("expected %v, found %v", fs.ErrExist, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("expected it left alone, found %q, %v", text, err)
	}
	r, _ := version("1.0.0")
	wantError(t, p.addLinks(r), ErrTaken, path)
}

// TestFolderInPlaceOfCurrent: a copy that followed links is got over.
func TestFolderInPlaceOfCurrent(t *testing.T) {
	skipOnWindows(t)
	for _, uninstalls := range []bool{false, true} {
		b := newBench(t)
		b.installs("1.0.0", "1.1.0")
		path := filepath.Join(b.folder(hello), currentName)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, filepath.Join(path, "x"), "x")
		_, err := b.Current(hello)
		wantError(t, err, ErrRecord, path)
		if uninstalls {
			if was, err := b.Uninstall(t.Context(), hello); err != nil || was.Number != 0 {
				t.Errorf("found %+v, %v", was, err)
			}
			b.wantNothing()
			continue
		}
		b.installs("1.1.0")
		b.runs("hello", "1.1.0")
		b.installs("1.1.0") // tidies
		b.wantTidy("1", "2")
	}
}

// TestLeftovers: what crashes leave is gone with the next change.
func TestLeftovers(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0")
	left := []string{
		filepath.Join(g.dir, "."+recordName+".0011223344556677.tmp"), filepath.Join(b.folder(hello), "."+heldName+".0011223344556677.tmp"),
		filepath.Join(b.folder(hello), ".link-0011223344556677"), filepath.Join(b.folder(hello), newPrefix+"x", "tree", "y"),
		filepath.Join(b.folder(hello), gonePrefix+"x", "y"), filepath.Join(b.products(), "acme", gonePrefix+"hello@x", "y"),
	}
	other := filepath.Join(b.products(), "acme", gonePrefix+"hello-more@x", "y")
	for _, path := range append(left, other) {
		mustWrite(t, path, "x")
	}
	b.installs("1.1.0")
	for _, path := range left {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("expected %s gone, found %v", path, err)
		}
	}
	if _, err := os.Lstat(other); err != nil {
		t.Errorf("expected another product's left alone: %v", err)
	}
	b.wantTidy("1", "2")
}

// TestNumbers: numbers may have gaps, and end.
func TestNumbers(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	folder := b.folder(hello)
	for _, name := range []string{"9223372036854775807", "9223372036854775808", "1073741825", "-3", "007", "+8"} {
		mustWrite(t, filepath.Join(folder, name, "x"), "x")
	}
	if err := os.Rename(filepath.Join(folder, "1"), filepath.Join(folder, "41")); err != nil {
		t.Fatal(err)
	}
	if done := b.installs("1.1.0"); done.Number != 42 {
		t.Errorf("expected the number 42, found %d", done.Number)
	}
	b.runs("hello", "1.1.0")
	mustWrite(t, filepath.Join(folder, "1073741824"), "x")
	r, data := version("1.2.0")
	_, err := b.Install(t.Context(), r, b.blob(data), Options{})
	wantError(t, err, ErrRecord, folder, "1073741824")
	b.runs("hello", "1.1.0")
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Error(err)
	}
	b.installs("1.2.0")
	b.runs("hello", "1.2.0")
}

// TestDamagedGoes: a generation that can't be used does not stay, and one that was
// unpacked anew does not count twice.
func TestDamagedGoes(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	b.installs("1.0.0")
	damaged := b.installs("1.1.0")
	b.installs("1.2.0")
	mustWrite(t, filepath.Join(damaged.dir, recordName), "{")
	b.installs("1.3.0")
	b.wantTidy("1", "3", "4")
	list, _, _ := b.Generations(hello)
	mustWrite(t, filepath.Join(list[0].Tree(), "extra"), "x")
	b.installs("1.3.0")
	b.wantTidy("1", "3", "5")
	if g, err := b.Back(hello, ""); err != nil || g.Version != "1.2.0" {
		t.Errorf("found %+v, %v", g, err)
	}
}

// TestLooseGo: what was only run goes when it was not run for long, though nothing of
// the product was ever installed.
func TestLooseGo(t *testing.T) {
	b := newBench(t)
	ready := func(v string) Generation {
		r, data := version(v)
		g, err := b.Ready(t.Context(), r, b.blob(data), nil)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	old, used := ready("1.0.0"), ready("1.1.0")
	began := time.Now()
	b.Now = func() time.Time { return began.Add(looseAge + time.Hour) }
	b.Touch(used)
	ready("1.1.0")
	if _, err := os.Lstat(old.Tree()); err != nil {
		t.Errorf("expected nothing removed where nothing was made: %v", err)
	}
	ready("1.2.0")
	if _, err := os.Lstat(old.Tree()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected the old one gone, found %v", err)
	}
	list, _, err := b.Generations(hello)
	refs, refsErr := b.Cache.References(t.Context())
	if err != nil || refsErr != nil || len(list) != 2 || len(refs) != 1 || len(refs[0].Digests) != 2 {
		t.Errorf("found %v, %v, %v, %v", list, err, refs, refsErr)
	}
	// One that was installed is not touched.
	b.installs("1.3.0")
	g, _ := b.Current(hello)
	b.Now = time.Now
	before, _ := os.Stat(filepath.Join(g.dir, recordName))
	b.Now = func() time.Time { return began.Add(-time.Hour) }
	b.Touch(g)
	if after, _ := os.Stat(filepath.Join(g.dir, recordName)); !after.ModTime().Equal(before.ModTime()) {
		t.Error("expected the record of what is installed left alone")
	}
}

// TestGone: a generation that another process removed is missing, not damaged, and
// looking at it makes nothing.
func TestGone(t *testing.T) {
	b := newBench(t)
	g := b.installs("1.0.0").Generation
	_, data := version("1.0.0")
	blob := b.blob(data)
	if err := os.RemoveAll(g.Tree()); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.Check(t.Context(), g), ErrDamaged, g.Tree())
	wantError(t, b.Verify(t.Context(), g, blob), ErrDamaged, g.Tree())
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.Check(t.Context(), g), ErrMissing, "1.0.0")
	wantError(t, b.Verify(t.Context(), g, blob), ErrMissing, "1.0.0")
	b.wantNothing()
	if _, err := os.Lstat(b.folder(hello)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected no folder, found %v", err)
	}
}

// TestProgramLinkDamaged: a generation whose link to a program leads elsewhere, or is
// gone, is damaged; the next install mends it.
func TestProgramLinkDamaged(t *testing.T) {
	skipOnWindows(t)
	for name, damage := range map[string]func(path string) error{
		"gone":      os.Remove,
		"elsewhere": func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/bin/true", path)) },
		"a file":    func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o755)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			g := b.installs("1.0.0")
			if err := damage(filepath.Join(g.dir, binName, "hello")); err != nil {
				t.Fatal(err)
			}
			wantError(t, b.Check(t.Context(), g.Generation), ErrDamaged, `"hello" to lead to`)
			b.installs("1.0.0")
			b.runs("hello", "1.0.0")
		})
	}
}

// TestDangling: what is current must be there.
func TestDangling(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	g := b.installs("1.0.0")
	if err := os.RemoveAll(g.dir); err != nil {
		t.Fatal(err)
	}
	_, err := b.Current(hello)
	wantError(t, err, ErrRecord, filepath.Join(b.folder(hello), currentName))
	b.installs("1.0.0")
	b.runs("hello", "1.0.0")
}

// TestPruned: a blob that is gone is the cache's error, so that it is fetched again.
func TestPruned(t *testing.T) {
	for _, format := range []string{"tar.gz", "raw"} {
		b := newBench(t)
		r, data := version("1.0.0")
		blob := b.blob(data)
		r.Format = format
		if err := os.Remove(blob.Path()); err != nil {
			t.Fatal(err)
		}
		_, err := b.Install(t.Context(), r, blob, Options{})
		wantError(t, err, cache.ErrMissing)
		b.wantNothing()
	}
}

// TestRanBefore: the way back leads to what ran just before, also where that had been
// gone back to itself; and each step back goes further.
func TestRanBefore(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	back := func(to, want string) {
		t.Helper()
		g, err := b.Back(hello, to)
		if err != nil || g.Version != want {
			t.Fatalf("expected the way back to %s, found %s, %v", want, g.Version, err)
		}
		_, data := version(g.Version)
		if _, err := b.Install(t.Context(), g.Release, b.blob(data), Options{Back: true}); err != nil {
			t.Fatal(err)
		}
	}
	b.installs("1.0.0", "1.1.0", "1.2.0")
	back("", "1.1.0")
	back("", "1.0.0")
	// Something that was run only does not count.
	loose, data := version("9.0.0")
	if _, err := b.Ready(t.Context(), loose, b.blob(data), nil); err != nil {
		t.Fatal(err)
	}
	b.installs("1.2.0") // it is the last one already, and did not run before 1.0.0 alone
	back("", "1.0.0")
	b.installs("1.3.0") // a new one
	back("", "1.0.0")
	back("1.3.0", "1.3.0")
	back("", "1.0.0")
	// A switch that fails leaves the history as it was.
	b.installs("1.4.0")
	back("", "1.0.0")
	back("", "1.3.0")
	before, current, _ := b.Generations(hello)
	given, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.product(hello).use(given, before[0], false)
	wantError(t, err, context.Canceled)
	if after, runs, _ := b.Generations(hello); runs != current || !slices.EqualFunc(before, after, func(x, y Generation) bool { return x.Number == y.Number && x.Turn == y.Turn }) {
		t.Errorf("expected %+v, found %+v", before, after)
	}
}

// TestMeanwhile: what was decided by what ran before is not done where something else
// runs by now, unless that is what is wanted.
func TestMeanwhile(t *testing.T) {
	skipOnWindows(t)
	b := newBench(t)
	none := &Generation{}
	since := b.installs("1.0.0").Generation
	wanted, data := version("1.1.0")
	blob := b.blob(data)
	refused := func(since *Generation, says string) {
		t.Helper()
		_, err := b.Install(t.Context(), wanted, blob, Options{Since: since})
		wantError(t, err, ErrMeanwhile, "acme:hello", says)
	}
	refused(none, `expected it not installed, found 1.0.0 of the request "stable"`)
	b.runs("hello", "1.0.0")
	b.wantTidy("1")
	if _, err := b.Uninstall(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	refused(&since, "expected 1.0.0 of the request \"stable\", found it not installed")
	b.wantNothing()
	b.installs("1.0.0", "1.2.0")
	refused(&since, "found 1.2.0")
	// By another request it is another thing to follow.
	other, otherData := version("1.2.0")
	now, _ := b.Current(hello)
	other.Request = "candidate"
	b.install(other, otherData)
	refused(&now, `found 1.2.0 of the request "candidate"`)
	// What is wanted runs already; and what ran then does.
	now, _ = b.Current(hello)
	for _, since := range []*Generation{&now, none} {
		if _, err := b.Install(t.Context(), wanted, blob, Options{Since: since}); err != nil {
			t.Error(err)
		}
	}
	b.runs("hello", "1.1.0")
}
