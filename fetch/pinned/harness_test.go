package pinned_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// mover is a Mover with nothing clever about it: it reads whole answers.
type mover struct {
	engine *wire.Engine
	cache  *cache.Store
	asked  []transfer.Place
}

func (m *mover) Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (cache.Blob, int64, string, error) {
	missing := fs.ErrNotExist
	for _, place := range places {
		m.asked = append(m.asked, place)
		a, err := m.engine.Open(ctx, wire.Request{URL: place.URL, Reach: place.Reach})
		if errors.Is(err, fs.ErrNotExist) {
			missing = err
			continue
		}
		if err != nil {
			return cache.Blob{}, 0, "", err
		}
		defer a.Body.Close()
		data, err := io.ReadAll(io.LimitReader(a.Body, limit+1))
		if err != nil {
			return cache.Blob{}, 0, "", a.Broken(ctx, err)
		}
		if int64(len(data)) > limit {
			return cache.Blob{}, 0, "", fmt.Errorf("%s: %w", name, transfer.ErrTooLarge)
		}
		stage, err := m.cache.Stage(ctx, want, int64(len(data)))
		if err != nil {
			return cache.Blob{}, 0, "", err
		}
		defer stage.Abort()
		if _, err := stage.Write(data); err != nil {
			return cache.Blob{}, 0, "", err
		}
		blob, err := stage.Commit(ctx)
		return blob, int64(len(data)), a.URL, err
	}
	return cache.Blob{}, 0, "", missing
}

// rig is a getter and what is around it.
type rig struct {
	*pinned.Getter
	mover *mover
	cache *cache.Store
	dir   string // git's private folders
	root  string // the cache
}

func newRig(t *testing.T, change func(*pinned.Config)) *rig {
	t.Helper()
	r := &rig{root: t.TempDir(), dir: filepath.Join(t.TempDir(), "git")}
	store, err := cache.Open(r.root, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.cache, r.mover = store, &mover{engine: wire.New(wire.Options{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}), cache: store}
	config := pinned.Config{Cache: store, Mover: r.mover, Dir: r.dir, Env: os.Environ()}
	if change != nil {
		change(&config)
	}
	if r.Getter, err = pinned.New(config); err != nil {
		t.Fatal(err)
	}
	return r
}

func parse(t *testing.T, text string) *pinned.Source {
	t.Helper()
	source, err := pinned.Parse(text, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func of(content string) artifact.Digests {
	return artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte(content))}
}

// both are the digests of a content by all algorithms.
func both(content string) artifact.Digests {
	return append(of(content), artifact.DigestOf(artifact.SHA512, []byte(content)))
}

// content reads a blob.
func content(t *testing.T, blob cache.Blob) string {
	t.Helper()
	data, err := os.ReadFile(blob.Path())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nothingLeft wants no blob, no staged file and no private folder.
func (r *rig) nothingLeft(t *testing.T) {
	t.Helper()
	for _, dir := range []string{filepath.Join(r.root, "blobs"), filepath.Join(r.root, "staging"), r.dir} {
		_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				t.Errorf("%s is left", path)
			}
			return nil
		})
	}
	if entries, err := os.ReadDir(r.dir); err == nil && len(entries) > 0 {
		t.Errorf("%v are left of git", entries)
	}
}

// site serves files by path, and notes what it was asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string]string
	asked []string
	head  http.Header // of each answer
}

func newSite(t *testing.T, files map[string]string) *site {
	t.Helper()
	s := &site{files: files, head: http.Header{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.RequestURI())
	for key, values := range s.head {
		w.Header()[key] = slices.Clone(values)
	}
	text, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = io.Copy(w, bytes.NewReader([]byte(text)))
}

// wantError asserts which error, and that its text holds and does not hold words.
func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want %v", err, kind)
	}
	for _, word := range words {
		if not, is := strings.CutPrefix(word, "!"); is == strings.Contains(err.Error(), strings.TrimPrefix(word, "!")) {
			t.Errorf("%q: want %q (with ! in it: not %q)", err, word, not)
		}
	}
}
