package cache

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestBytesBeyondTheLength: neither Put nor Write writes any of them, and each says
// how many there were to be.
func TestBytesBeyondTheLength(t *testing.T) {
	t.Parallel()
	data := random(80, 4<<20)
	const length = 1<<20 + 500
	for name, beyond := range map[string]func(*Stage) error{
		"put": func(g *Stage) error {
			b, err := g.Buffer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return g.Put(b, copy(b.Data, data[:501]), 1<<20, 0)
		},
		"write": func(g *Stage) error {
			n, err := g.Write(data[:length+1])
			if n != 0 {
				t.Errorf("expected nothing written, found %d bytes", n)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := open(t, t.TempDir()).Stage(t.Context(), digests(data[:length]), length)
			if err != nil {
				t.Fatal(err)
			}
			want := &MismatchError{Want: g.want.Primary(), WantLength: length, GotLength: length + 1}
			for range 2 { // the error stays
				var found *MismatchError
				if err := beyond(g); !errors.As(err, &found) || !reflect.DeepEqual(found, want) {
					t.Errorf("expected %v, found %v", want, err)
				}
			}
			if info, err := os.Stat(g.path); err != nil || info.Size() != 0 || g.Written() != 0 {
				t.Errorf("expected an empty file, found %d bytes and %d of them counted, %v", info.Size(), g.Written(), err)
			}
			if _, err := g.Commit(t.Context()); !errors.Is(err, ErrMismatch) {
				t.Errorf("expected %v, found %v", ErrMismatch, err)
			}
			wantNothing(t, g.store)
			wantAllBuffers(t, g.store)
		})
	}
}

// wantAllBuffers demands that whoever took a buffer has given it back.
func wantAllBuffers(t *testing.T, s *Store) {
	t.Helper()
	if free := len(s.buffers.free) + len(s.buffers.make); free != bufferCount {
		t.Errorf("expected all %d buffers back, found %d", bufferCount, free)
	}
}

// TestFirstErrorStays: what fails after it, for another reason, tells the first one.
func TestFirstErrorStays(t *testing.T) {
	t.Parallel()
	data := random(81, 300<<10)
	g := stageOf(t, open(t, t.TempDir()), data)
	boom := errors.New("boom")
	g.also = refusing{boom}
	if _, err := g.Write(data[:100]); !errors.Is(err, boom) {
		t.Fatalf("expected %v, found %v", boom, err)
	}
	b, err := g.Buffer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Put(b, 100, int64(len(data)), 0); !errors.Is(err, boom) || errors.Is(err, ErrMismatch) {
		t.Errorf("expected %v, found %v", boom, err)
	}
	if _, err := g.Write(append(data, 'x')); !errors.Is(err, boom) || errors.Is(err, ErrMismatch) {
		t.Errorf("expected %v, found %v", boom, err)
	}
	if err := g.Prove(t.Context()); !errors.Is(err, boom) {
		t.Errorf("expected %v, found %v", boom, err)
	}
	if err := g.Abort(); err != nil {
		t.Error(err)
	}
	wantNothing(t, g.store)
	wantAllBuffers(t, g.store)
}

// TestLengthThatIsNone is refused, and the length stays unknown.
func TestLengthThatIsNone(t *testing.T) {
	t.Parallel()
	g, err := open(t, t.TempDir()).StageAny(t.Context(), digests(bytesA))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SetLength(-5); !errors.Is(err, ErrInvalid) || g.Length() != -1 {
		t.Errorf("expected %v and no length, found %v and %d", ErrInvalid, err, g.Length())
	}
	if _, err := g.Write(bytesA); err != nil {
		t.Error(err)
	}
	commit(t, g)
}

// TestPartialFileThatCantBeLookedAt fails a stage that is told its length.
func TestPartialFileThatCantBeLookedAt(t *testing.T) {
	t.Parallel()
	g, err := open(t, t.TempDir()).StageAny(t.Context(), digests(bytesA))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.SetLength(int64(len(bytesA))); !errors.Is(err, ErrDisk) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("expected %v, as the file is closed, found %v", ErrDisk, err)
	}
	if _, err := g.Commit(t.Context()); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
	wantNothing(t, g.store)
}

// TestRemnantThatStays: a stage does not begin beside what an earlier one has left
// and can't be removed, and leaves no lock.
func TestRemnantThatStays(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{partSuffix, resumeSuffix} {
		s := open(t, t.TempDir())
		path := s.stagingBase(digests(bytesA).Primary()) + suffix
		if err := os.MkdirAll(filepath.Join(path, "planted"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stage(t.Context(), digests(bytesA), int64(len(bytesA))); !errors.Is(err, ErrDisk) || !names(err, "remove", path) {
			t.Errorf("expected %v, as %s can't be removed, found %v", ErrDisk, path, err)
		}
		wantNothing(t, s)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		store(t, s, bytesA)
	}
}

// names reports whether an error is that of an operation on a path.
func names(err error, operation, path string) bool {
	var found *os.PathError
	return errors.As(err, &found) && found.Op == operation && found.Path == path
}

// TestRecordThatStays: that the record of a blob that is made can't be removed is
// told, and the blob is there. That there was none is nothing to tell.
func TestRecordThatStays(t *testing.T) {
	t.Parallel()
	var notices []string
	s, err := Open(t.TempDir(), Options{Notice: func(text string) { notices = append(notices, text) }})
	if err != nil {
		t.Fatal(err)
	}
	store(t, s, []byte("no record"))
	unsaved := stageOf(t, s, []byte("one that could not be written"))
	unsaved.recorded = true
	if _, err := unsaved.Write([]byte("one that could not be written")); err != nil {
		t.Fatal(err)
	}
	commit(t, unsaved)
	if len(notices) != 0 {
		t.Errorf("expected nothing to tell, found %q", notices)
	}
	g := stageOf(t, s, bytesA)
	g.recorded = true // as after a save
	if err := os.MkdirAll(filepath.Join(g.resumePath(), "planted"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Write(bytesA); err != nil {
		t.Fatal(err)
	}
	commit(t, g)
	if err := g.dropRecord(); !errors.Is(err, ErrDisk) || !names(err, "remove", g.resumePath()) {
		t.Errorf("expected %v, as %s can't be removed, found %v", ErrDisk, g.resumePath(), err)
	} else if len(notices) != 1 || notices[0] != err.Error() {
		t.Errorf("expected to be told %v, found %q", err, notices)
	}
}

// TestCutPartialFileIsNotFilledUp: what somebody has cut from the file is missing to
// the next stage, and not taken for zeros.
func TestCutPartialFileIsNotFilledUp(t *testing.T) {
	t.Parallel()
	data := random(82, 1<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 0, 512<<10, 0)
	if err := os.Truncate(g.path, 1000); err != nil {
		t.Fatal(err)
	}
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(g.path); err != nil || info.Size() != 1000 {
		t.Errorf("expected the file as it was cut, found %d bytes, %v", info.Size(), err)
	}
	g = stageOf(t, s, data)
	if g.Written() != 0 {
		t.Errorf("expected to begin anew, found %v", g.Spans())
	}
	put(t, g, data, 0, int64(len(data)), 0)
	commit(t, g)
}
