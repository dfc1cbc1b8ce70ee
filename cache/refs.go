package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/durable"
)

// Kind is what sort of thing needs blobs.
type Kind string

// The kinds of a Reference.
const (
	KindInstall Kind = "install" // an installed release
	KindLock    Kind = "lock"    // a lock file
	KindPin     Kind = "pin"     // a person's wish
	KindMirror  Kind = "mirror"  // what a mirror serves
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{KindInstall, KindLock, KindPin, KindMirror} }

// The limits of references.
const (
	maxReferences       = 1 << 16
	maxReferenceDigests = 200_000
	maxReferenceName    = 200      // bytes
	maxReferenceFile    = 32 << 20 // bytes: that many SHA-512 digests
)

// Reference says that something needs blobs: Prune leaves them alone. It is kept
// as a file of its own, refs/KIND/NAME, for people to see, and so that a lost
// index loses none.
type Reference struct {
	Kind Kind
	// Name is one per kind: lower-case letters, digits and -._+@, beginning with a
	// letter or a digit, of at most 200 bytes.
	Name string
	// Origin is the absolute path of a file for which the blobs are needed; without
	// that file the reference is stale. Empty: there is none, and the reference
	// counts until it is released.
	Origin string
	// Since is when it was made; Keep fills it in.
	Since time.Time
	// Digests are what the blobs are stored under, held or not.
	Digests []artifact.Digest
	// Stale reports that the file Origin is gone: the reference does not count, and
	// Prune removes it.
	Stale bool
}

// String names the reference in a word or two.
func (r Reference) String() string {
	switch {
	case r.Kind == KindPin:
		return string(r.Kind)
	case r.Origin != "":
		return string(r.Kind) + " " + r.Origin
	}
	return string(r.Kind) + " " + r.Name
}

// holds reports whether the reference keeps a blob.
func (r Reference) holds(d artifact.Digest) bool {
	return !r.Stale && slices.Contains(r.Digests, d)
}

func (s *Store) refsDir() string { return filepath.Join(s.dir, "refs") }

func (s *Store) refPath(kind Kind, name string) string {
	return filepath.Join(s.refsDir(), string(kind), name)
}

// Keep makes a reference to blobs, in place of one of that kind and name. When it
// returns nil the reference is durable, and no Prune, of this process or another,
// removes any of the blobs from then on; one that had gone before is ErrMissing
// when it is asked for, so ask after Keep, not before. What can't be a reference is
// ErrInvalid: no digest or more than 200,000, another name or a relative origin.
//
// A crash leaves the reference of before or the new one.
func (s *Store) Keep(ctx context.Context, kind Kind, name, origin string, digests ...artifact.Digest) error {
	ref := Reference{Kind: kind, Name: name, Origin: origin, Since: s.now().UTC(), Digests: sortedDigests(digests)}
	if err := ref.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	text, err := ref.encode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s.withReferences(ctx, func() error {
		path := s.refPath(kind, name)
		if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return disk(path, err)
		}
		return disk(path, durable.WriteFile(path, text, 0o600))
	})
}

// Release ends a reference, and reports whether there was one. It need not be
// readable for that.
func (s *Store) Release(ctx context.Context, kind Kind, name string) (released bool, err error) {
	if err := (Reference{Kind: kind, Name: name}).checkName(); err != nil {
		return false, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	path := s.refPath(kind, name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	err = s.withReferences(ctx, func() error {
		err := os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return disk(path, err)
		}
		released = true
		// Crash here: the reference may be back after it. It keeps too much then, never
		// too little, and is released again.
		return disk(path, durable.SyncDir(filepath.Dir(path)))
	})
	return released, err
}

// withReferences runs fn while nobody else makes, ends or relies on references.
func (s *Store) withReferences(ctx context.Context, fn func() error) error {
	if err := durable.MkdirAll(s.dir, 0o700); err != nil {
		return disk(s.dir, err)
	}
	path := filepath.Join(s.dir, "refs"+lockSuffix)
	limited, cancel := context.WithTimeout(ctx, s.lockWait)
	defer cancel()
	lock, err := acquire(limited, path)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("%w: %s: it was in use for %v; try again", ErrBusy, path, s.lockWait)
	}
	if err != nil {
		return err
	}
	return errors.Join(fn(), lock.release())
}

// References gives the references in the order of their kinds and names. Those
// that can't be read are told by an error that wraps one *ReferenceError for each;
// the others are there all the same. Whoever removes anything must not go on then.
func (s *Store) References(ctx context.Context) ([]Reference, error) {
	found, err := s.readReferences(ctx, referenceSet{})
	return found.list, err
}

// referenceSet is what was read, and from which files.
type referenceSet struct {
	list  []Reference
	files map[string]fs.FileInfo
}

// readReferences reads them, or gives back those that were read before where the
// files are the same ones still.
func (s *Store) readReferences(ctx context.Context, before referenceSet) (referenceSet, error) {
	files, err := s.referenceFiles()
	if err != nil {
		return referenceSet{}, err
	}
	if before.files != nil && sameFiles(before.files, files) {
		return before, nil
	}
	found := referenceSet{files: files}
	var failed []error
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := ctx.Err(); err != nil {
			return referenceSet{}, err
		}
		ref, err := readReference(path, files[path])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // released since
		case err != nil:
			failed = append(failed, &ReferenceError{Path: path, Err: err})
		default:
			found.list = append(found.list, ref)
		}
	}
	return found, errors.Join(failed...)
}

// referenceFiles lists what stands in refs/, which must be nothing else: a folder
// of a kind that is not known here may be that of a newer assay.
func (s *Store) referenceFiles() (map[string]fs.FileInfo, error) {
	files := map[string]fs.FileInfo{}
	kinds, err := os.ReadDir(s.refsDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, disk(s.refsDir(), err)
	}
	for _, kind := range kinds {
		dir := filepath.Join(s.refsDir(), kind.Name())
		if !kind.IsDir() || !slices.Contains(Kinds(), Kind(kind.Name())) {
			return nil, &ReferenceError{Path: dir, Err: fmt.Errorf("expected a folder of one of the kinds %v, found %q", Kinds(), clip(kind.Name()))}
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, disk(dir, err)
		}
		for _, entry := range entries {
			if isTemporary(entry.Name()) {
				continue // what a crash left of one that never counted
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, disk(dir, err)
			}
			files[filepath.Join(dir, entry.Name())] = info
		}
	}
	if len(files) > maxReferences {
		return nil, &ReferenceError{Path: s.refsDir(), Err: fmt.Errorf("expected at most %d references, found %d", maxReferences, len(files))}
	}
	return files, nil
}

func sameFiles(before, now map[string]fs.FileInfo) bool {
	for path, info := range now {
		was, ok := before[path]
		if !ok || !os.SameFile(was, info) || was.Size() != info.Size() || !was.ModTime().Equal(info.ModTime()) {
			return false
		}
	}
	return len(before) == len(now)
}

// isTemporary reports whether a name is one that package durable gives to files in
// the making.
func isTemporary(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp")
}

func sortedDigests(digests []artifact.Digest) []artifact.Digest {
	sorted := slices.Clone(digests)
	slices.SortFunc(sorted, compareDigests)
	return slices.Compact(sorted)
}

func compareDigests(a, b artifact.Digest) int { return strings.Compare(a.String(), b.String()) }
