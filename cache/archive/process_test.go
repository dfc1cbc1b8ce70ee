package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/cache"
)

const childVariable = "ASSAY_ARCHIVE_TEST_CHILD" // the cache folder

// TestMain is also the other process: with the variable set, the test binary
// imports its stdin.
func TestMain(m *testing.M) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := cache.Open(dir, cache.Options{LockWait: time.Minute})
	if err == nil {
		_, err = Read(context.Background(), os.Stdin, s, Options{Quota: 1 << 30})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func importing(dir string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+dir)
	return c
}

// TestKilledInImport: after kill -9 in the middle of a blob those before it are
// whole, and the next import goes on.
func TestKilledInImport(t *testing.T) {
	from, list := sample(t)
	text := export(t, from, list)
	dir := t.TempDir()
	c := importing(dir)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// The manifest, a part of the large blob and then nothing.
	if _, err := in.Write(text[:len(text)-300_000]); err != nil {
		t.Fatal(err)
	}
	staged := filepath.Join(dir, "staging", "*.part")
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		if parts, _ := filepath.Glob(staged); len(parts) == 1 {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("nothing was staged")
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	s := open(t, dir)
	wantWhole(t, s)
	imported, err := Read(t.Context(), bytes.NewReader(text), s, Options{Quota: 1 << 30})
	if err != nil || len(imported) != 4 {
		t.Fatalf("expected four blobs, found %+v, %v", imported, err)
	}
	wantWhole(t, s)
	if left := files(t, filepath.Join(dir, "staging")); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
	if again := len(items(t, s)); again != 4 {
		t.Errorf("expected four blobs, found %d", again)
	}
}

func wantWhole(t *testing.T, s *cache.Store) {
	t.Helper()
	if report, err := s.Verify(t.Context(), nil); err != nil || len(report.Damaged)+len(report.Missing) != 0 {
		t.Errorf("expected nothing damaged or missing, found %+v, %v", report, err)
	}
}

// TestManyImport: several processes read the same archive into one cache.
func TestManyImport(t *testing.T) {
	from, list := sample(t)
	text := export(t, from, list)
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			c := importing(dir)
			c.Stdin = bytes.NewReader(text)
			if output, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
	all.Wait()
	s := open(t, dir)
	wantWhole(t, s)
	for _, item := range items(t, s) {
		if n := len(item.Entry.Names); item.Entry.Length == 1 && n == 0 || n > 2 {
			t.Errorf("expected the names once, found %v", item.Entry.Names)
		}
	}
	if left := files(t, filepath.Join(dir, "staging")); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
}

// TestWriterFails: the error of what is written to is handed on, from every place.
func TestWriterFails(t *testing.T) {
	s, list := sample(t)
	wrong := errors.New("wrong")
	whole := len(export(t, s, list))
	for _, room := range []int{0, 600, 2000, 3000, 100_000, whole - 2000, whole - 1} {
		w := &limited{room: room, err: wrong}
		if err := Write(t.Context(), w, s, list, nil); !errors.Is(err, wrong) {
			t.Errorf("room for %d bytes: expected %v, found %v", room, wrong, err)
		}
	}
}

type limited struct {
	room int
	err  error
}

func (w *limited) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, w.err
	}
	w.room -= len(p)
	return len(p), nil
}

// TestEvidenceStays: an archive's evidence is read after all blobs, so that one that
// lies about it can't keep proven bytes out.
func TestEvidenceStays(t *testing.T) {
	entries, _ := honest(t)
	entries[3].text = []byte(strings.Repeat("x", len(entries[3].text)))
	s := open(t, t.TempDir())
	imported, err := Read(t.Context(), bytes.NewReader(pack(t, entries)), s, Options{Quota: 1000})
	if !errors.Is(err, ErrArchive) || len(imported) != 2 {
		t.Errorf("expected %v and both blobs, found %+v, %v", ErrArchive, imported, err)
	}
}
