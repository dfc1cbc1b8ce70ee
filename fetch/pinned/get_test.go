package pinned_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

func TestGet(t *testing.T) {
	s := newSite(t, map[string]string{"/tool.tgz": "tool"})
	r := newRig(t, nil)
	source := parse(t, s.URL+"/tool.tgz?token=secret")
	got, err := r.Get(t.Context(), source, both("tool"))
	if err != nil || content(t, got.Blob) != "tool" || got.Moved != 4 || got.From != s.URL+"/tool.tgz?…" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if s.asked[0] != "/tool.tgz?token=secret" {
		t.Errorf("asked for %v", s.asked)
	}
	// The same again moves nothing, offline either.
	offline := newRig(t, func(c *pinned.Config) { c.Offline, c.Cache = true, r.cache })
	for _, again := range []*rig{r, offline} {
		if got, err = again.Get(t.Context(), source, both("tool")); err != nil || got.Moved != 0 || content(t, got.Blob) != "tool" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if len(s.asked) != 1 {
		t.Errorf("asked for %v", s.asked)
	}
}

func TestGetRefuses(t *testing.T) {
	s := newSite(t, map[string]string{"/tool": "other"})
	for _, test := range []struct {
		name, url string
		want      artifact.Digests
		change    func(*pinned.Config)
		kind      error
	}{
		{"no digest", s.URL + "/tool", nil, nil, pinned.ErrNoDigest},
		{"empty digest", s.URL + "/tool", artifact.Digests{{}}, nil, pinned.ErrNoDigest},
		{"other bytes", s.URL + "/tool", of("tool"), nil, cache.ErrMismatch},
		{"one digest of two is wrong", s.URL + "/tool", artifact.Digests{of("other")[0], both("tool")[1]}, nil, cache.ErrMismatch},
		{"nothing there", s.URL + "/none", of("tool"), nil, wire.ErrSource},
		{"too long", s.URL + "/tool", of("other"), func(c *pinned.Config) { c.MaxSize = 4 }, transfer.ErrTooLarge},
		{"offline", s.URL + "/tool", of("other"), func(c *pinned.Config) { c.Offline = true }, trust.ErrNotHeld},
		{"bucket offline", "s3://bucket/key", of("other"), func(c *pinned.Config) { c.Offline = true }, trust.ErrNotHeld},
		{"no such store", "s3://bucket/key", of("other"), nil, pinned.ErrURL},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.change)
			got, err := r.Get(t.Context(), parse(t, test.url), test.want)
			wantError(t, err, test.kind)
			if strings.HasPrefix(err.Error(), ": ") {
				t.Errorf("%q names nothing", err)
			}
			if got != (pinned.Result{}) {
				t.Errorf("got %+v", got)
			}
			r.nothingLeft(t)
		})
	}
}

func TestGetFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a tool?x#y%20"), []byte("tool"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *pinned.Config) { c.Offline = true }) // this machine is no network
	source, err := pinned.Parse("a tool?x#y%20", dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Get(t.Context(), source, of("tool"))
	if err != nil || content(t, got.Blob) != "tool" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if info, err := os.Lstat(got.Blob.Path()); err != nil || !info.Mode().IsRegular() {
		t.Errorf("got %v, %v, want a copy", info, err)
	}
	folder, err := pinned.Parse("file://"+filepath.ToSlash(dir)+"/folder", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = newRig(t, nil).Get(t.Context(), folder, of("tool"))
	wantError(t, err, wire.ErrSource, "expected a regular file")
}

// A blob is stored under one digest: the other is hashed again when it is held.
func TestGetHeldByOneDigestOnly(t *testing.T) {
	s := newSite(t, map[string]string{"/tool": "tool"})
	r := newRig(t, nil)
	got, err := r.Get(t.Context(), parse(t, s.URL+"/tool"), of("tool"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Get(t.Context(), parse(t, s.URL+"/tool"), artifact.Digests{of("tool")[0], both("other")[1]})
	wantError(t, err, trust.ErrMismatch, both("other")[1].Hex())
	if content(t, got.Blob) != "tool" {
		t.Error("the blob has gone")
	}
}

func TestGetDamaged(t *testing.T) {
	s := newSite(t, map[string]string{"/tool": "tool"})
	r := newRig(t, nil)
	got, err := r.Get(t.Context(), parse(t, s.URL+"/tool"), of("tool"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(got.Blob.Path(), 0o600), os.WriteFile(got.Blob.Path(), []byte("evil"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, err = r.Get(t.Context(), parse(t, s.URL+"/tool"), of("tool")); err != nil || got.Moved != 4 || content(t, got.Blob) != "tool" {
		t.Errorf("got %+v, %v, want it fetched again", got, err)
	}
}

func TestNew(t *testing.T) {
	r := newRig(t, nil)
	whole := pinned.Config{Cache: r.cache, Mover: r.mover, Dir: r.dir}
	for name, lacks := range map[string]func(*pinned.Config){
		"cache": func(c *pinned.Config) { c.Cache = nil }, "mover": func(c *pinned.Config) { c.Mover = nil }, "folder": func(c *pinned.Config) { c.Dir = "" },
	} {
		config := whole
		lacks(&config)
		if getter, err := pinned.New(config); err == nil || getter != nil || !strings.Contains(err.Error(), "needs a cache") {
			t.Errorf("without a %s: got %v, %v", name, getter, err)
		}
	}
}

// A cache that can't be read is told, and nothing is asked in its place.
func TestGetFromABrokenCache(t *testing.T) {
	s := newSite(t, map[string]string{"/tool": "tool"})
	r := newRig(t, nil)
	if err := os.WriteFile(filepath.Join(r.root, "blobs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := r.Get(t.Context(), parse(t, s.URL+"/tool"), of("tool"))
	wantError(t, err, cache.ErrDisk)
	if len(s.asked) != 0 {
		t.Errorf("asked for %v", s.asked)
	}
}

// liar is a mover that brings another blob than was wanted.
type liar struct{ blob cache.Blob }

func (l liar) Move(context.Context, []transfer.Place, artifact.Digests, int64, string) (cache.Blob, int64, string, error) {
	return l.blob, 5, "", nil
}

func TestGetAnotherBlob(t *testing.T) {
	s := newSite(t, map[string]string{"/other": "other"})
	r := newRig(t, nil)
	other, err := r.Get(t.Context(), parse(t, s.URL+"/other"), of("other"))
	if err != nil {
		t.Fatal(err)
	}
	getter, err := pinned.New(pinned.Config{Cache: r.cache, Mover: liar{other.Blob}, Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	_, err = getter.Get(t.Context(), parse(t, s.URL+"/other"), of("tool"))
	wantError(t, err, trust.ErrMismatch, of("other")[0].Hex())
}
