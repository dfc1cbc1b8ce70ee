package boltfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

var bucketTest = []byte("bucket")

// soon is a deadline that nothing undisturbed comes near.
func soon() time.Time { return time.Now().Add(10 * time.Second) }

// put sets one value in a session of its own, on a new file where there is none.
func put(t *testing.T, path, value string) {
	t.Helper()
	s, err := Begin(t.Context(), path, true, soon())
	if errors.Is(err, ErrAbsent) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err = Create(t.Context(), path, soon())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := errors.Join(write(s, value), s.Commit()); err != nil {
		t.Fatal(err)
	}
}

func write(s *Session, value string) error {
	return s.Guard(func() error {
		b, err := s.Tx().CreateBucketIfNotExists(bucketTest)
		if err != nil {
			return err
		}
		return b.Put([]byte("key"), []byte(value))
	})
}

// wantValue reads in a session of its own, so that it also shows that the lock
// is free, or soon will be.
func wantValue(t *testing.T, path, want string) {
	t.Helper()
	s, err := Begin(t.Context(), path, false, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got string
	err = s.Guard(func() error { got = string(s.Tx().Bucket(bucketTest).Get([]byte("key"))); return nil })
	if err != nil || got != want {
		t.Errorf("expected %q, found %q, %v", want, got, err)
	}
}

// wantKind asserts an *Error about path that is of one kind alone.
func wantKind(t *testing.T, err error, kind error, path string) *Error {
	t.Helper()
	var found *Error
	if !errors.As(err, &found) || found.Kind != kind || !errors.Is(err, kind) || found.Path != path || found.Cause == nil {
		t.Fatalf("expected %v with its cause and path, found %v", kind, err)
	}
	return found
}

func TestCommitKeepsAndCloseForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "one")
	wantValue(t, path, "one")
	s, err := Begin(t.Context(), path, true, soon())
	if err != nil {
		t.Fatal(err)
	}
	if err := write(s, "lost"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	if s.Tx() != nil {
		t.Error("a closed session still hands out its transaction")
	}
	wantValue(t, path, "one")
	put(t, path, "two")
	wantValue(t, path, "two")
}

func TestGuardGivesErrorsAsTheyAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "one")
	s, err := Begin(t.Context(), path, true, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Guard(func() error { return fs.ErrClosed }); err != fs.ErrClosed {
		t.Errorf("expected %v as it is, found %v", fs.ErrClosed, err)
	}
	if err := errors.Join(write(s, "two"), s.Commit()); err != nil {
		t.Errorf("expected the session to go on, found %v", err)
	}
}

// TestNoSession lists what keeps Begin and Create from giving one. Each time the
// file is as it was, and no lock of it stays.
func TestNoSession(t *testing.T) {
	whole := database(t)
	flipped := bytes.Clone(whole)
	// The page of the root, as any other may be free and then holds nothing.
	meta, err := (&pageChecker{r: bytes.NewReader(whole), size: int64(len(whole))}).readMetas()
	if err != nil {
		t.Fatal(err)
	}
	flipped[int(meta.root)*os.Getpagesize()] ^= 1
	for _, test := range []struct {
		name    string
		content []byte // nil: no file
		kind    error
		cause   error
	}{
		{"absent", nil, ErrAbsent, fs.ErrNotExist},
		{"empty", []byte{}, ErrEmpty, nil},
		{"one byte", whole[:1], ErrDamaged, nil},
		{"one page", whole[:os.Getpagesize()], ErrDamaged, nil},
		{"cut", whole[:3*os.Getpagesize()], ErrDamaged, ErrPages},
		{"root page", flipped, ErrDamaged, ErrPages},
		{"text", bytes.Repeat([]byte("text"), 9999), ErrDamaged, nil},
	} {
		for _, writable := range []bool{false, true} {
			dir := t.TempDir()
			path := filepath.Join(dir, "db")
			if test.content != nil {
				if err := os.WriteFile(path, test.content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Begin(t.Context(), path, writable, soon())
			found := wantKind(t, err, test.kind, path)
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%s: expected %v as the cause, found %v", test.name, test.cause, err)
			}
			info, err := os.Stat(path)
			if test.content == nil {
				if !errors.Is(err, fs.ErrNotExist) || found.Info != nil {
					t.Errorf("%s: expected no file, found %v, %v", test.name, err, found.Info)
				}
				continue
			}
			if err != nil || !os.SameFile(info, found.Info) {
				t.Errorf("%s: expected the error to tell the file, found %v", test.name, found.Info)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, test.content) {
				t.Errorf("%s: the file was changed", test.name)
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			put(t, path, "after") // in the same file: its lock is free
		}
	}
}

func TestNoRegularFile(t *testing.T) {
	path := t.TempDir()
	_, err := Begin(t.Context(), path, true, soon())
	wantKind(t, err, ErrDisk, path)
	_, err = Create(t.Context(), path, soon())
	wantKind(t, err, ErrDisk, path)
}

func TestCreateNeverMakesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	_, err := Create(t.Context(), path, soon())
	wantKind(t, err, ErrAbsent, path)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected no file, found %v", err)
	}
}

func TestHeldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "one")
	holder, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, writable := range []bool{false, true} {
		start := time.Now()
		_, err := Begin(t.Context(), path, writable, start.Add(30*time.Millisecond))
		wantKind(t, err, ErrBusy, path)
		if took := time.Since(start); took < 30*time.Millisecond || took > 5*time.Second {
			t.Errorf("expected to wait 30 ms, found %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := Begin(ctx, path, writable, time.Now().Add(time.Hour)); err != context.DeadlineExceeded {
			t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
		}
	}
	time.AfterFunc(20*time.Millisecond, func() { holder.Close() })
	put(t, path, "two")
	wantValue(t, path, "two")
}

// TestReadersShare: two readers at once, and no writer beside them.
func TestReadersShare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "one")
	reader, err := Begin(t.Context(), path, false, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	wantValue(t, path, "one")
	_, err = Begin(t.Context(), path, true, time.Now())
	wantKind(t, err, ErrBusy, path)
	reader.Close()
	put(t, path, "two")
}

// TestPanicAbandons: after a panic the session refuses everything, and the
// lock is free although the session is not closed.
func TestPanicAbandons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	put(t, path, "one")
	s, err := Begin(t.Context(), path, true, soon())
	if err != nil {
		t.Fatal(err)
	}
	if err := write(s, "lost"); err != nil {
		t.Fatal(err)
	}
	err = s.Guard(func() error { panic("boom") })
	found := wantKind(t, err, ErrDamaged, path)
	if info, statErr := os.Stat(path); statErr != nil || !os.SameFile(info, found.Info) || !os.SameFile(info, s.Info()) || !errors.Is(err, ErrPanic) {
		t.Errorf("expected %v and the file, found %v, %v", ErrPanic, err, found.Info)
	}
	wantValue(t, path, "one")
	ran := false
	err = s.Guard(func() error { ran = true; return nil })
	if wantKind(t, err, ErrDamaged, path); ran {
		t.Error("a step was run on an abandoned session")
	}
	wantKind(t, s.Commit(), ErrDamaged, path)
	s.Close()
	put(t, path, "two")
	wantValue(t, path, "two")
}

// TestPanicWhileOpening damages the list of free pages, over which bbolt panics
// when it opens a file for writing; Create does not look before.
func TestPanicWhileOpening(t *testing.T) {
	whole := database(t)
	meta, err := (&pageChecker{r: bytes.NewReader(whole), size: int64(len(whole))}).readMetas()
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[int(meta.freelist)*os.Getpagesize()+8] = flagLeaf
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Create(t.Context(), path, soon())
	if wantKind(t, err, ErrDamaged, path); !errors.Is(err, ErrPanic) {
		t.Errorf("expected %v, found %v", ErrPanic, err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, damaged) {
		t.Error("the damaged file was changed")
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, path, "after") // in the same file: its lock is free
	wantValue(t, path, "after")
}

func TestTurn(t *testing.T) {
	turn := NewTurn()
	end, err := turn.Take(t.Context(), soon())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := turn.Take(t.Context(), time.Now().Add(10*time.Millisecond)); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turn.Take(ctx, soon()); err != context.Canceled {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	time.AfterFunc(10*time.Millisecond, end)
	end, err = turn.Take(t.Context(), soon())
	if err != nil {
		t.Fatal(err)
	}
	end()
}
