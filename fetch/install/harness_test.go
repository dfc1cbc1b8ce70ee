package install

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
)

// bench is a Store in new folders, and what it said.
type bench struct {
	*Store
	t       *testing.T
	notices []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	home := t.TempDir()
	store, err := cache.Open(filepath.Join(home, "cache"), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.Store, err = Open(Config{
		Dir: filepath.Join(home, "data"), Bin: filepath.Join(home, "bin"), Cache: store,
		Notice: func(text string) { b.notices = append(b.notices, text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var hello = Name{"acme", "hello"}

// entry is one of an archive: a file, a program, or a link.
type entry struct {
	path, text, link string
	program          bool
}

func archive(entries ...entry) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	list := tar.NewWriter(zip)
	for _, e := range entries {
		header := &tar.Header{Name: e.path, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		if e.program {
			header.Mode = 0o755
		}
		if e.link != "" {
			header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, e.link, 0
		}
		list.WriteHeader(header)
		list.Write([]byte(e.text))
	}
	list.Close()
	zip.Close()
	return out.Bytes()
}

// script is a program that prints a word.
func script(word string) string { return "#!/bin/sh\necho " + word + "\n" }

// release is a version of hello, in a folder that is called by the version, as
// publishers do it, and its archive.
func version(v string, more ...entry) (Release, []byte) {
	data := archive(append([]entry{
		{path: "hello-" + v + "/hello", text: script(v), program: true},
		{path: "hello-" + v + "/README", text: "hello " + v},
		{path: "hello-" + v + "/latest", link: "README"},
	}, more...)...)
	return Release{
		Repository: hello.Repository, Product: hello.Product, Version: v, Channel: "stable", Request: "stable",
		Platform: artifact.Host(), Target: "hello/" + v + "/hello.tar.gz", Name: "hello.tar.gz", Format: "tar.gz",
		Length: int64(len(data)), Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, data)},
		Executables: []release.Executable{{Path: "hello-" + v + "/hello", Link: "hello"}},
	}, data
}

// blob puts bytes into the cache.
func (b *bench) blob(data []byte) cache.Blob {
	b.t.Helper()
	blob, err := putBlob(b.t.Context(), b.Cache, data)
	if err != nil {
		b.t.Fatal(err)
	}
	return blob
}

func putBlob(ctx context.Context, store *cache.Store, data []byte) (cache.Blob, error) {
	digest := artifact.DigestOf(artifact.SHA256, data)
	if blob, err := store.Get(digest); err == nil {
		return blob, nil
	}
	stage, err := store.Stage(ctx, artifact.Digests{digest}, int64(len(data)))
	if err != nil {
		return cache.Blob{}, err
	}
	defer stage.Abort()
	if blob, held := stage.Held(ctx); held {
		return blob, nil
	}
	if _, err := stage.Write(data); err != nil {
		return cache.Blob{}, err
	}
	return stage.Commit(ctx)
}

func (b *bench) install(r Release, data []byte) Outcome {
	b.t.Helper()
	done, err := b.Install(b.t.Context(), r, b.blob(data), Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	return done
}

// installs installs versions of hello, one after the other.
func (b *bench) installs(versions ...string) (done Outcome) {
	b.t.Helper()
	for _, v := range versions {
		r, data := version(v)
		done = b.install(r, data)
	}
	return done
}

// runs has a program of the folder of links print its word.
func (b *bench) runs(link, want string) {
	b.t.Helper()
	out, err := exec.Command(filepath.Join(b.Bin, link)).CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != want {
		b.t.Errorf("%s: expected %q, found %q, %v", link, want, got, err)
	}
}

// wantNothing asserts that nothing was made, but for locks and empty folders.
func (b *bench) wantNothing() {
	b.t.Helper()
	for _, root := range []string{b.Dir, b.Bin} {
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && !strings.HasSuffix(path, ".lock") {
				b.t.Errorf("expected nothing left, found %s", path)
			}
			return nil
		})
	}
}

// wantTidy asserts that the product's folder has generations, and nothing hidden.
func (b *bench) wantTidy(numbers ...string) {
	b.t.Helper()
	names, err := readDir(b.folder(hello))
	if err != nil {
		b.t.Fatal(err)
	}
	want := append(slices.Clone(numbers), currentName)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		b.t.Errorf("expected %v, found %v", want, names)
	}
}

func wantError(t *testing.T, err, want error, says ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("expected %v, found %v", want, err)
		return
	}
	for _, text := range says {
		if !strings.Contains(fmt.Sprint(err), text) {
			t.Errorf("expected an error that says %q, found %v", text, err)
		}
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		t.Fatal(err)
	}
}
