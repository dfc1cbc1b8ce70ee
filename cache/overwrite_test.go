package cache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestRecordThatOutlivesAnOverwrite: where the record can't be removed nothing is
// written over what it tells of, and the stage fails.
func TestRecordThatOutlivesAnOverwrite(t *testing.T) {
	t.Parallel()
	for name, overwrite := range map[string]func(*Stage, []byte){
		"discard": func(g *Stage, _ []byte) { g.Discard(1000, 2000) },
		"put": func(g *Stage, other []byte) {
			b, err := g.Buffer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Put(b, copy(b.Data, other[1000:2000]), 1000, 0); !errors.Is(err, ErrDisk) {
				t.Errorf("expected %v, found %v", ErrDisk, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, other := random(100, 300<<10), random(101, 300<<10)
			g := stageOf(t, open(t, t.TempDir()), data)
			put(t, g, data, 0, int64(len(data)), 0)
			if err := os.MkdirAll(filepath.Join(g.resumePath(), "planted"), 0o700); err != nil {
				t.Fatal(err)
			}
			overwrite(g, other)
			if err := g.Prove(t.Context()); !errors.Is(err, ErrDisk) || !names(err, "remove", g.resumePath()) {
				t.Errorf("expected %v, as %s can't be removed, found %v", ErrDisk, g.resumePath(), err)
			}
			if found, err := os.ReadFile(g.path); err != nil || string(found) != string(data) || g.Written() != int64(len(data)) {
				t.Errorf("expected the bytes of before, found %d of them counted, %v", g.Written(), err)
			}
			if err := os.RemoveAll(g.resumePath()); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Commit(t.Context()); !errors.Is(err, ErrDisk) {
				t.Errorf("expected %v, found %v", ErrDisk, err)
			}
			wantNothing(t, g.store)
			wantAllBuffers(t, g.store)
		})
	}
}

// TestPutIntoAGapKeepsTheRecord: what lies before the bytes that are there, and meets
// none of them, is no reason to forget them.
func TestPutIntoAGapKeepsTheRecord(t *testing.T) {
	t.Parallel()
	data := random(102, 1<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 512<<10, 1<<20, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	g = stageOf(t, s, data)
	put(t, g, data, 0, 512<<10, 0)
	if _, err := os.Lstat(g.resumePath()); err != nil {
		t.Errorf("expected the record to stay, found %v", err)
	}
	commit(t, g)
}
