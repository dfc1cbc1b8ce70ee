package cache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
)

var bytesA = bytes.Repeat([]byte("assay"), 100_000)

func digests(data []byte) artifact.Digests {
	return artifact.Digests{artifact.DigestOf(artifact.SHA256, data), artifact.DigestOf(artifact.SHA512, data)}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{Notice: func(text string) { t.Log("notice:", text) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// store commits data and returns its blob.
func store(t *testing.T, s *Store, data []byte) Blob {
	t.Helper()
	stage, err := s.Stage(t.Context(), digests(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stage.Write(data); err != nil {
		t.Fatal(err)
	}
	blob, err := stage.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// files lists all files below dir, by their paths in it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	list := []string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(dir, path)
			list = append(list, relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// wantNothing demands that neither blobs/ nor staging/ holds a file.
func wantNothing(t *testing.T, s *Store) {
	t.Helper()
	for _, dir := range []string{s.blobsDir(), s.stagingDir()} {
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("%s: expected nothing, found %q", dir, left)
		}
	}
}

func TestStoreAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	s := open(t, dir)
	for _, data := range [][]byte{bytesA, {}} {
		want := digests(data).Primary()
		if _, err := s.Get(want); !errors.Is(err, ErrMissing) {
			t.Errorf("expected %v, found %v", ErrMissing, err)
		}
		store(t, s, data)
		blob, err := open(t, dir).Get(want)
		if err != nil || blob.Digest() != want || blob.Length() != int64(len(data)) {
			t.Fatalf("expected the blob, found %+v, %v", blob, err)
		}
		r, err := blob.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("expected %d bytes, found %d, %v", len(data), len(got), err)
		}
		if err := errors.Join(r.Close(), blob.Check(t.Context())); err != nil {
			t.Error(err)
		}
		path := filepath.Join(dir, "blobs", "sha256", want.Hex()[:2], want.Hex())
		if info, err := os.Stat(blob.Path()); blob.Path() != path || err != nil || info.Mode().Perm() != 0o444 {
			t.Errorf("expected %s, read-only, found %s, %v", path, blob.Path(), err)
		}
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected an empty staging folder, found %q", left)
	}
	for _, dir := range []string{dir, s.blobsDir(), s.stagingDir()} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: expected mode 0700, found %v, %v", dir, info.Mode(), err)
		}
	}
}

func TestSHA512Only(t *testing.T) {
	s := open(t, t.TempDir())
	want := artifact.Digests{artifact.DigestOf(artifact.SHA512, bytesA)}
	stage, err := s.Stage(t.Context(), want, int64(len(bytesA)))
	if err != nil {
		t.Fatal(err)
	}
	stage.Write(bytesA)
	blob, err := stage.Commit(t.Context())
	if err != nil || blob.Check(t.Context()) != nil || !strings.Contains(blob.Path(), filepath.Join("blobs", "sha512")) {
		t.Errorf("expected a blob by sha512, found %+v, %v", blob, err)
	}
}

func TestReadingCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	s := open(t, dir)
	_, getErr := s.Get(digests(bytesA).Primary())
	list, listErr := s.List(t.Context())
	report, verifyErr := s.Verify(t.Context(), nil)
	noteErr := s.Note(t.Context(), digests(bytesA).Primary(), Name{})
	if !errors.Is(getErr, ErrMissing) || !errors.Is(noteErr, ErrMissing) || len(list) != 0 || report.Checked != 0 || errors.Join(listErr, verifyErr) != nil {
		t.Errorf("expected an empty cache, found %v, %v, %v, %v, %v, %v", getErr, noteErr, list, report, listErr, verifyErr)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected no folder, found %v", err)
	}
}

func TestRefusedBytesLeaveNothing(t *testing.T) {
	length := int64(len(bytesA))
	wrong := slices.Clone(bytesA)
	wrong[7] ^= 1
	half := digests(bytesA)
	half[1] = artifact.DigestOf(artifact.SHA512, wrong)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name    string
		want    artifact.Digests
		content []byte
		ctx     context.Context
		is      error
		detail  *MismatchError
	}{
		{"wrong", digests(bytesA), wrong, t.Context(), ErrMismatch,
			&MismatchError{digests(bytesA)[0], digests(wrong)[0], length, length}},
		{"second digest wrong", half, bytesA, t.Context(), ErrMismatch,
			&MismatchError{half[1], digests(bytesA)[1], length, length}},
		{"too few", digests(bytesA), bytesA[1:], t.Context(), ErrMismatch,
			&MismatchError{digests(bytesA)[0], artifact.Digest{}, length, length - 1}},
		{"too many", digests(bytesA), append(slices.Clone(bytesA), 'x'), t.Context(), ErrMismatch,
			&MismatchError{digests(bytesA)[0], artifact.Digest{}, length, length + 1}},
		{"none", digests(bytesA), nil, t.Context(), ErrMismatch,
			&MismatchError{digests(bytesA)[0], artifact.Digest{}, length, 0}},
		{"cancelled", digests(bytesA), bytesA, cancelled, context.Canceled, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			stage, err := s.Stage(t.Context(), test.want, length)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(stage, bytes.NewReader(test.content))
			if tooMany := int64(len(test.content)) > length; errors.Is(err, ErrMismatch) != tooMany || stage.Written() > length {
				t.Fatalf("expected a refused write: %v, found %v after %d bytes", tooMany, err, stage.Written())
			}
			_, err = stage.Commit(test.ctx)
			var detail *MismatchError
			errors.As(err, &detail)
			if !errors.Is(err, test.is) || !reflect.DeepEqual(detail, test.detail) {
				t.Errorf("expected %v, found %v", test.detail, err)
			}
			wantNothing(t, s)
			if err := stage.Abort(); err != nil {
				t.Error(err)
			}
			if _, err := s.Get(digests(bytesA).Primary()); !errors.Is(err, ErrMissing) {
				t.Errorf("expected %v, found %v", ErrMissing, err)
			}
			store(t, s, bytesA)
		})
	}
}

func TestStageRefusesMisuse(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Stage(t.Context(), digests(bytesA), -1); !errors.Is(err, ErrInvalid) {
		t.Fatalf("expected %v, found %v", ErrInvalid, err)
	}
	if _, err := s.Stage(t.Context(), nil, 1); !errors.Is(err, artifact.ErrDigest) {
		t.Errorf("expected %v, found %v", artifact.ErrDigest, err)
	}
	if _, err := s.Get(artifact.Digest{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	if _, err := (Blob{}).Open(); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
	wantNothing(t, s)
	stage, err := s.Stage(t.Context(), digests(bytesA), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stage.Abort(), stage.Abort()); err != nil {
		t.Error(err)
	}
	if _, err := stage.Write(nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	if _, err := stage.Commit(t.Context()); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	wantNothing(t, s)
}

func TestAbortAfterCommitKeepsTheBlob(t *testing.T) {
	s := open(t, t.TempDir())
	stage, err := s.Stage(t.Context(), digests(nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := stage.Commit(t.Context())
	if err := errors.Join(err, stage.Abort(), blob.Check(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestOneWriterOthersFind: of many stages of one digest the first writes, and
// the others wait and find it.
func TestOneWriterOthersFind(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	var lock sync.Mutex
	written := 0
	for range 10 {
		all.Go(func() {
			s := open(t, dir)
			stage, err := s.Stage(t.Context(), digests(bytesA), int64(len(bytesA)))
			if err != nil {
				t.Error(err)
				return
			}
			defer stage.Abort()
			if _, held := stage.Held(t.Context()); held {
				return
			}
			lock.Lock()
			written++
			lock.Unlock()
			stage.Write(bytesA)
			if _, err := stage.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if written != 1 {
		t.Errorf("expected one writer, found %d", written)
	}
	if left := files(t, filepath.Join(dir, "staging")); len(left) != 0 {
		t.Errorf("expected an empty staging folder, found %q", left)
	}
}

func TestStageWaitsUntilTheContextEnds(t *testing.T) {
	s := open(t, t.TempDir())
	stage, err := s.Stage(t.Context(), digests(bytesA), 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := s.Stage(ctx, digests(bytesA), 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
	}
	// Another digest does not wait.
	store(t, s, []byte("other"))
	if err := stage.Abort(); err != nil {
		t.Error(err)
	}
	store(t, s, bytesA)
}

func TestPlantedAtTheBlobPath(t *testing.T) {
	for name, plant := range map[string]func(path, victim string) error{
		"link":     func(path, victim string) error { return os.Symlink(victim, path) },
		"dangling": func(path, victim string) error { return os.Symlink("nowhere", path) },
		"folder":   func(path, victim string) error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			d := digests(bytesA).Primary()
			victim := filepath.Join(t.TempDir(), "victim")
			err := errors.Join(os.WriteFile(victim, bytesA, 0o600), os.MkdirAll(filepath.Dir(s.path(d)), 0o700), plant(s.path(d), victim))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Get(d)
			var corrupt *CorruptError
			if !errors.Is(err, ErrMissing) || !errors.Is(err, ErrDamaged) || !errors.As(err, &corrupt) || corrupt.Aside == "" {
				t.Fatalf("expected a *CorruptError, found %v", err)
			}
			if _, err := os.Lstat(corrupt.Aside); err != nil {
				t.Errorf("expected it aside, found %v", err)
			}
			if err := plant(s.path(d), victim); err != nil {
				t.Fatal(err)
			}
			blob := store(t, s, bytesA)
			if err := blob.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if info, err := os.Lstat(victim); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the link was followed: %v, %v", info.Mode(), err)
			}
		})
	}
}

// damage changes the file of a blob.
func damage(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, content, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedBlobs(t *testing.T) {
	flipped := slices.Clone(bytesA)
	flipped[len(flipped)-1] ^= 0x80
	find := map[string]func(*testing.T, *Store, Blob) error{
		"reader": func(t *testing.T, s *Store, blob Blob) error {
			r, err := blob.Open()
			if err != nil {
				return err
			}
			defer r.Close()
			n, err := io.Copy(io.Discard, r)
			if n > blob.Length() {
				t.Errorf("expected at most %d bytes, found %d", blob.Length(), n)
			}
			if _, again := r.Read(make([]byte, 1)); again != err {
				t.Errorf("expected the same error again, found %v", again)
			}
			return err
		},
		"check": func(t *testing.T, s *Store, blob Blob) error { return blob.Check(t.Context()) },
		"verify": func(t *testing.T, s *Store, blob Blob) error {
			report, err := s.Verify(t.Context(), nil)
			if err != nil || len(report.Damaged) != 1 || report.Checked != 1 {
				t.Fatalf("expected one damaged blob, found %+v, %v", report, err)
			}
			return report.Damaged[0]
		},
	}
	reasons := map[string]string{"flipped": "expected sha256:", "short": "expected 500000 bytes, found", "long": "expected 500000 bytes, found", "empty": "expected 500000 bytes, found"}
	for how, content := range map[string][]byte{"flipped": flipped, "short": bytesA[1:], "long": append(slices.Clone(bytesA), 1), "empty": nil} {
		for by, find := range find {
			t.Run(how+" by "+by, func(t *testing.T) {
				s := open(t, t.TempDir())
				blob := store(t, s, bytesA)
				damage(t, blob.Path(), content)
				err := find(t, s, blob)
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || !errors.Is(err, ErrMissing) || corrupt.Digest != blob.Digest() || !strings.Contains(corrupt.Reason, reasons[how]) {
					t.Fatalf("expected a *CorruptError with %q, found %v", reasons[how], err)
				}
				if got, err := os.ReadFile(corrupt.Aside); err != nil || !bytes.Equal(got, content) {
					t.Errorf("expected the damaged bytes aside, found %d, %v", len(got), err)
				}
				if _, err := s.Get(blob.Digest()); !errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
					t.Errorf("expected %v, found %v", ErrMissing, err)
				}
				if err := store(t, s, bytesA).Check(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestGetNoticesTheLength(t *testing.T) {
	s := open(t, t.TempDir())
	blob := store(t, s, bytesA)
	damage(t, blob.Path(), bytesA[:9])
	_, err := s.Get(blob.Digest())
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || !strings.Contains(corrupt.Reason, "expected 500000 bytes, found 9") {
		t.Errorf("expected a *CorruptError with both lengths, found %v", err)
	}
	wantNothing(t, s)
}

func TestDiskErrors(t *testing.T) {
	d := digests(bytesA)
	for _, name := range []string{"staging", "blobs", "blobs/sha256/" + d.Primary().Hex()[:2]} {
		s := open(t, t.TempDir())
		path := filepath.Join(s.dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		stage, err := s.Stage(t.Context(), d, int64(len(bytesA)))
		if err == nil {
			stage.Write(bytesA)
			_, err = stage.Commit(t.Context())
			if left := files(t, s.stagingDir()); len(left) != 0 {
				t.Errorf("%s: expected nothing staged, found %q", name, left)
			}
		}
		if !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: expected %v with the path, found %v", name, ErrDisk, err)
		}
	}
}

func TestSweep(t *testing.T) {
	s := open(t, t.TempDir())
	if err := os.MkdirAll(s.stagingDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	held, err := s.Stage(t.Context(), digests([]byte("held")), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Abort()
	for _, name := range []string{"sha256-old.part", "sha256-old.lock", "sha256-old.resume", "sha256-older.resume.new", "sha256-alone.lock", "sha256-new.part"} {
		if err := os.WriteFile(filepath.Join(s.stagingDir(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-keptAge - time.Hour)
	for _, name := range files(t, s.stagingDir()) {
		if !strings.HasPrefix(name, "sha256-new") {
			os.Chtimes(filepath.Join(s.stagingDir(), name), old, old)
		}
	}
	store(t, open(t, s.dir), bytesA) // a Store sweeps once
	base := filepath.Base(held.path)
	want := []string{strings.TrimSuffix(base, partSuffix) + lockSuffix, base, "sha256-new.part"}
	slices.Sort(want)
	if got := files(t, s.stagingDir()); !reflect.DeepEqual(got, want) {
		t.Errorf("expected %q, found %q", want, got)
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	stage, err := s.Stage(t.Context(), digests(bytesA), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Abort()
	for range 10 * bufferCount { // until the pool has what it needs
		stage.Write(bytesA[:4096])
	}
	if n := testing.AllocsPerRun(10, func() { stage.Write(bytesA[:4096]) }); n > 1 {
		t.Errorf("expected no allocation, found %v", n)
	}
}
