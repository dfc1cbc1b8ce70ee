package cache

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"assay/artifact"
)

// TestHeldMeanwhile: a stage finds the blob that another has made, where it has the
// length that is wanted.
func TestHeldMeanwhile(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	held, missing := bytesA, []byte("missing")
	blob := store(t, s, held)
	for _, test := range []struct {
		want   artifact.Digests
		length int64 // -1: any
		found  bool
	}{
		{digests(held), int64(len(held)), true},
		{digests(held), -1, true},
		{digests(held), int64(len(held)) + 1, false},
		{digests(missing), int64(len(missing)), false},
		{digests(missing), -1, false},
		{digests(missing), 0, false},
	} {
		t.Run(fmt.Sprint(test.want[0], test.length), func(t *testing.T) {
			g, err := s.stage(t.Context(), test.want, test.length)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Abort()
			found, ok := g.Held(t.Context())
			if ok != test.found || ok && found != blob {
				t.Errorf("expected %v, found %v, %+v", test.found, ok, found)
			}
		})
	}
}

// TestReadOfAStage: what was written is read again, its end is io.EOF and nothing
// else, and an error is one of the disk.
func TestReadOfAStage(t *testing.T) {
	t.Parallel()
	g := stageOf(t, open(t, t.TempDir()), bytesA)
	defer g.Abort()
	if _, err := g.Write(bytesA[:1000]); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 600)
	if n, err := g.ReadAt(p, 100); n != 600 || err != nil || string(p) != string(bytesA[100:700]) {
		t.Errorf("expected 600 bytes, found %d, %v", n, err)
	}
	if n, err := g.ReadAt(p, 500); n != 500 || err != io.EOF || string(p[:n]) != string(bytesA[500:1000]) {
		t.Errorf("expected 500 bytes and the end, found %d, %v", n, err)
	}
	if _, err := g.ReadAt(p, -1); !errors.Is(err, ErrDisk) || !names(err, "readat", g.path) {
		t.Errorf("expected %v with the path, found %v", ErrDisk, err)
	}
}
