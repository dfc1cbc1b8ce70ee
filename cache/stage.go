package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"assay/artifact"
	"assay/internal/durable"
)

const (
	partSuffix   = ".part"
	resumeSuffix = ".resume"
	lockSuffix   = ".lock"
	newSuffix    = ".new" // of a record that is being written
)

// KeepBytes is how much of a blob must be there for Keep to keep it; less is
// fetched again sooner than it is looked at.
const KeepBytes = 256 << 10

// Stage is a blob in the making, and the exclusive right to make it. What is
// written to it is hashed in order, beside the writing, by a goroutine of its
// own. It must be ended by Commit, Keep or Abort. Put and Discard may be called
// by several goroutines at once, for parts that do not overlap; nothing may run
// while it is ended.
type Stage struct {
	store  *Store
	want   artifact.Digests
	length int64 // -1: not known before the end is there
	path   string
	file   *os.File
	lock   *lockFile

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // of mu: what was written, hashed, or failed
	written spans
	origins []string
	also    io.WriterAt // where every byte goes, too; nil: nowhere
	failed  error       // what the first failed Put returned; later ones repeat it
	ended   bool
	hashing hashing
	// recorded: there may be a record on the disk.
	recorded bool
}

// Stage begins a blob of exactly length bytes that has all the digests of want,
// or takes up what an earlier Stage of it has left: ask Missing for what is still
// to be written. One stage at a time is open for a primary digest, over
// all processes: the call waits until ctx ends. Who waited may find the blob made
// meanwhile: ask Held before writing.
//
// A crash from here to Commit leaves the partial file, its record of what is in
// it, and the lock's file. The lock itself ends with the process: the next Stage
// of the digest goes on from the record, and a Stage of any digest removes all
// three after a week.
func (s *Store) Stage(ctx context.Context, want artifact.Digests, length int64) (*Stage, error) {
	if length < 0 {
		return nil, fmt.Errorf("%w: expected a length of 0 or more, found %d", ErrInvalid, length)
	}
	return s.stage(ctx, want, length)
}

// StageAny is Stage of a blob whose length nobody has promised: the digests alone
// decide. SetLength may tell it later.
func (s *Store) StageAny(ctx context.Context, want artifact.Digests) (*Stage, error) {
	return s.stage(ctx, want, -1)
}

func (s *Store) stage(ctx context.Context, want artifact.Digests, length int64) (*Stage, error) {
	want, err := artifact.NewDigests(want...)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.sweepOnce.Do(func() { s.sweep(staleAge) })
	base := s.stagingBase(want.Primary())
	lock, err := acquire(ctx, base+lockSuffix)
	if errors.Is(err, fs.ErrNotExist) { // the folder; as a rule it is there
		if err := durable.MkdirAll(s.stagingDir(), 0o700); err != nil {
			return nil, disk(s.stagingDir(), err)
		}
		lock, err = acquire(ctx, base+lockSuffix)
	}
	if err != nil {
		return nil, err
	}
	g := &Stage{store: s, want: want, length: length, path: base + partSuffix, lock: lock}
	g.changed = sync.NewCond(&g.mu)
	if g.hashing, err = newHashing(want); err == nil && !g.resume() {
		err = g.begin()
	}
	if err == nil {
		err = g.reserve()
	}
	if err != nil {
		return nil, errors.Join(err, g.Abort())
	}
	return g, nil
}

// stagingBase is what the names of a stage's files begin with.
func (s *Store) stagingBase(primary artifact.Digest) string {
	return filepath.Join(s.stagingDir(), string(primary.Algorithm())+"-"+primary.Hex())
}

// begin makes an empty partial file. What is there is removed, not cut to
// nothing, and the new file is created exclusively: a link planted under the name
// is not followed.
func (g *Stage) begin() (err error) {
	create := func() (*os.File, error) {
		return os.OpenFile(g.path, os.O_RDWR|os.O_CREATE|os.O_EXCL|durable.NotPolled, 0o600)
	}
	if !g.recorded { // as usual; to ask three times for nothing would cost as much as the file
		if g.file, err = create(); !errors.Is(err, fs.ErrExist) {
			return disk(g.path, err)
		}
	}
	if err := g.forget(); err != nil {
		return err
	}
	g.file, err = create()
	return disk(g.path, err)
}

// reserve takes the room for the whole blob, so that a disk that is too small is
// found out before anything is fetched.
func (g *Stage) reserve() error {
	if g.length < KeepBytes {
		return nil
	}
	return disk(g.path, preallocate(g.file, g.length))
}

// forget removes what an earlier stage left.
func (g *Stage) forget() error {
	for _, path := range []string{g.resumePath(), g.resumePath() + newSuffix, g.path} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return disk(path, err)
		}
	}
	return nil
}

// Held returns the blob where it is in the cache already, because another
// process made it while this one waited for the stage.
func (g *Stage) Held(ctx context.Context) (Blob, bool) {
	blob, err := g.store.get(ctx, g.want.Primary())
	return blob, err == nil && (blob.length == g.length || g.length < 0)
}

// Length is the blob's length in bytes; -1: not known.
func (g *Stage) Length() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.length
}

// ReadAt reads what was written; elsewhere it reads anything.
func (g *Stage) ReadAt(p []byte, offset int64) (int, error) {
	n, err := g.file.ReadAt(p, offset)
	if !errors.Is(err, io.EOF) {
		err = disk(g.path, err)
	}
	return n, err
}

// Want are the digests that the blob is to have.
func (g *Stage) Want() artifact.Digests { return slices.Clone(g.want) }

// SetLength tells a length that was not known. It is no promise: the digests decide,
// and no room is taken for it.
// What was written beyond it, by an earlier run that was told another one, is
// dropped.
func (g *Stage) SetLength(length int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.length >= 0 || length < 0 {
		return fmt.Errorf("%w: expected a length that is not known yet, found %d after %d", ErrInvalid, length, g.length)
	}
	if n := len(g.written); n > 0 && g.written[n-1].To > length {
		g.overwrite(length, g.written[n-1].To)
	}
	if g.failed == nil {
		g.cut(length)
	}
	g.length = length
	return g.failed
}

// cut gives back what the file has beyond its first bytes, room that was taken
// beforehand too; mu is held, or nobody else is there.
func (g *Stage) cut(length int64) {
	info, err := g.file.Stat()
	if err == nil && info.Size() < length {
		return // a shorter file has no room beyond this that would be missed
	}
	if err == nil {
		err = g.file.Truncate(length)
	}
	if err != nil {
		g.fail(disk(g.path, err))
	}
}

// Origin is the number by which a source is known to this Stage, over all runs.
// The texts are kept in the record: they must hold no secret, and be the same for
// the same source and the same state of its file.
func (g *Stage) Origin(name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.origins, name); i >= 0 {
		return i
	}
	g.origins = append(g.origins, name)
	return len(g.origins) - 1
}

// Origins are the sources by their numbers.
func (g *Stage) Origins() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.origins)
}

// Missing is what is still to be written, in order. Where the length is not known
// it is what lies before the last byte.
func (g *Stage) Missing() []Span {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.written.gaps(g.length)
}

// Written is the number of bytes that are there.
func (g *Stage) Written() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.written.size()
}

// Spans is what is there, in order.
func (g *Stage) Spans() []Span {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.written)
}

// Buffer waits for a buffer to read into, until ctx ends. All that a Store has
// lent at once are 16 MiB.
func (g *Stage) Buffer(ctx context.Context) (*Buffer, error) {
	if length := g.Length(); length >= 0 && length <= inlineBytes {
		return &Buffer{Data: make([]byte, length+1)}, nil // too short for a pool to be worth it
	}
	return g.store.buffers.take(ctx)
}

// Also has every byte written to another file as well, at the same offsets: an
// output, in the same pass. What is there already is copied now. An error of to
// is returned as it is, by Put too, and fails the stage.
func (g *Stage) Also(to io.WriterAt) error {
	for _, span := range g.Spans() {
		section := io.NewSectionReader(g.file, span.From, span.Len())
		if _, err := io.Copy(io.NewOffsetWriter(to, span.From), section); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.also = to
	return nil
}

// Cloner is a file that may become another one's twin without a copy of its bytes;
// errors.ErrUnsupported where that can't be.
type Cloner interface{ Clone(from *os.File) error }

// Clonable reports whether a file could be made of the blob by Blob.Clone, when it
// is there. Whatever to holds may be lost.
func (g *Stage) Clonable(to Cloner) bool { return to.Clone(g.file) == nil }

// Put writes the first n bytes of a buffer, which goes back to the pool, at an
// offset. Bytes beyond the length write nothing and are a *MismatchError; an error
// of the file is an ErrDisk. After an error every Put fails with it.
func (g *Stage) Put(b *Buffer, n int, offset int64, origin int) error {
	g.mu.Lock()
	switch {
	case g.ended:
		g.mu.Unlock()
		b.Release()
		return fmt.Errorf("%w: the stage has ended", ErrInvalid)
	case g.failed == nil && g.length >= 0 && int64(n) > g.length-offset:
		g.failed = &MismatchError{Want: g.want.Primary(), WantLength: g.length, GotLength: offset + int64(n)}
	}
	if end := offset + int64(n); g.failed == nil && g.written.meets(offset, end) {
		g.overwrite(offset, end)
	}
	failed, also := g.failed, g.also
	g.mu.Unlock()
	if failed != nil {
		b.Release()
		return failed
	}
	err := g.write(b.Data[:n], offset, also)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		b.Release()
		g.fail(err)
		return g.failed
	}
	g.written = g.written.add(Span{offset, offset + int64(n), origin})
	g.feed(b, n, offset)
	return g.failed
}

func (g *Stage) write(data []byte, offset int64, also io.WriterAt) error {
	if _, err := g.file.WriteAt(data, offset); err != nil {
		return disk(g.path, err)
	}
	if also != nil {
		_, err := also.WriteAt(data, offset)
		return err
	}
	return nil
}

// fail keeps the first error; mu is held.
func (g *Stage) fail(err error) {
	if g.failed == nil {
		g.failed = err
	}
	g.changed.Broadcast()
}

// Write appends p to what was written without a gap, for those who have the bytes
// already. It fails as Put does, and then nothing of p is written, or a part.
func (g *Stage) Write(p []byte) (int, error) {
	origin := g.Origin("")
	g.mu.Lock()
	end := g.written.reach(0)
	if g.length >= 0 && int64(len(p)) > g.length-end {
		g.fail(&MismatchError{Want: g.want.Primary(), WantLength: g.length, GotLength: end + int64(len(p))}) // Put says so
	}
	g.mu.Unlock()
	for done := 0; ; {
		b, err := g.Buffer(context.Background())
		if err != nil {
			return done, err
		}
		n := copy(b.Data, p[done:])
		if err := g.Put(b, n, end+int64(done), origin); err != nil {
			return done, err
		}
		if done += n; done == len(p) {
			return done, nil
		}
	}
}
