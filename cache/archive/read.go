package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"assay/artifact"
	"assay/cache"
)

// Options are for Read.
type Options struct {
	// Quota is how many bytes all blobs together may have, held ones included.
	Quota int64
	// Progress, which may be nil, is told the bytes of blobs done so far and in all.
	Progress func(done, total int64)
}

// Imported is a blob of an archive that is in the cache now.
type Imported struct {
	Digest artifact.Digest
	Length int64 // in bytes
	Names  []cache.Name
	Held   bool    // it was before
	Claims []Claim // what the archive's evidence claims; no proof of anything
}

// Read puts the blobs of an archive into a cache. It returns those that are there
// now, also with an error; those came whole. Names are noted for blobs that had
// none. An error is ErrArchive, ErrNewer or ErrQuota, one of the cache
// (cache.ErrMismatch for bytes that are not those of their digest), one of r, or
// that of ctx.
func Read(ctx context.Context, r io.Reader, store *cache.Store, opts Options) ([]Imported, error) {
	entries, err := store.List(ctx)
	if err != nil {
		return nil, err
	}
	in := &reader{ctx: ctx, source: source{r: r}, store: store, buffer: make([]byte, bufferSize), progress: opts.Progress, named: map[artifact.Digest]bool{}}
	in.tar = tar.NewReader(&in.source)
	for _, e := range entries {
		in.named[e.Digest] = len(e.Names) > 0
	}
	m, err := in.manifest()
	if err != nil {
		return nil, err
	}
	if in.total = m.total(); in.total > opts.Quota {
		return nil, fmt.Errorf("%w: expected at most %d bytes, found %d announced", ErrQuota, opts.Quota, in.total)
	}
	for _, b := range m.Blobs {
		if err := in.blob(b); err != nil {
			return in.imported, err
		}
	}
	for i, b := range m.Blobs {
		if b.Evidence == 0 {
			continue
		}
		if err := in.evidence(i, b); err != nil {
			return in.imported, err
		}
	}
	if header, err := in.tar.Next(); err == nil {
		return in.imported, fmt.Errorf("%w: expected its end, found %q", ErrArchive, clip(header.Name))
	} else if !errors.Is(err, io.EOF) {
		return in.imported, in.explain("its end", err)
	}
	return in.imported, nil
}

// reader is one run of Read.
type reader struct {
	ctx      context.Context
	source   source
	tar      *tar.Reader
	store    *cache.Store
	buffer   []byte
	named    map[artifact.Digest]bool // the held blobs that have names
	done     int64
	total    int64
	progress func(done, total int64)
	imported []Imported
}

// source remembers the error of what is read from, so that it is not taken for one
// of the archive.
type source struct {
	r      io.Reader
	failed error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}

// explain says what an error in reading an entry was.
func (in *reader) explain(name string, err error) error {
	switch {
	case in.source.failed != nil:
		return fmt.Errorf("%s: %w", name, in.source.failed)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: expected %s, found the end of the file", ErrArchive, name)
	default:
		return fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
	}
}

// next goes to the next entry, which must be the regular file of that name, and
// returns its size.
func (in *reader) next(name string) (size int64, err error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	h, err := in.tar.Next()
	if err != nil {
		return 0, in.explain(name, err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg || h.Linkname != "" {
		return 0, fmt.Errorf("%w: expected the file %s, found %q of type %q", ErrArchive, name, clip(h.Name), h.Typeflag)
	}
	// A sparse file has more bytes than the archive; other records mean nothing here.
	for key := range h.PAXRecords {
		if key != "path" && key != "size" {
			return 0, fmt.Errorf("%w: %s: expected a plain entry, found a record %q", ErrArchive, name, clip(key))
		}
	}
	if h.Format != tar.FormatUSTAR && h.Format != tar.FormatPAX {
		return 0, fmt.Errorf("%w: %s: expected an entry in the form USTAR or PAX, found %v", ErrArchive, name, h.Format)
	}
	return h.Size, nil
}

// text reads an entry as a whole, of at most limit bytes.
func (in *reader) text(name string, limit int64) ([]byte, error) {
	size, err := in.next(name)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%w: %s: expected at most %d bytes, found %d", ErrArchive, name, limit, size)
	}
	text, err := io.ReadAll(in.tar)
	if err != nil {
		return nil, in.explain(name, err)
	}
	return text, nil
}

func (in *reader) manifest() (manifest, error) {
	text, err := in.text(manifestName, maxManifest)
	if err != nil {
		return manifest{}, err
	}
	return decodeManifest(text)
}

// blob takes the next entry into the cache, or passes it by where it is held.
func (in *reader) blob(b manifestBlob) error {
	size, err := in.next(b.blobName())
	if err != nil {
		return err
	}
	if size != b.Length {
		return fmt.Errorf("%w: %s: expected %d bytes, as %s says, found %d", ErrArchive, b.blobName(), b.Length, manifestName, size)
	}
	one := Imported{Digest: b.Digest, Length: b.Length, Names: b.Names}
	held, err := in.store.Get(b.Digest)
	if one.Held = err == nil && held.Length() == b.Length; one.Held {
		err = in.copy(b, io.Discard)
	} else if err == nil || errors.Is(err, cache.ErrMissing) {
		one.Held, err = in.stage(b)
	}
	if err != nil {
		return err
	}
	in.imported = append(in.imported, one)
	if in.named[b.Digest] || len(b.Names) == 0 {
		return nil
	}
	// Crash here: a blob without a name. It gets one when the archive is read again.
	newestLast := slices.Clone(b.Names)
	slices.Reverse(newestLast)
	return in.store.Note(in.ctx, b.Digest, newestLast...)
}

// stage makes a blob of the entry. held reports that another process did.
func (in *reader) stage(b manifestBlob) (held bool, err error) {
	stage, err := in.store.Stage(in.ctx, artifact.Digests{b.Digest}, b.Length)
	if err != nil {
		return false, err
	}
	defer stage.Abort()
	if _, held := stage.Held(in.ctx); held {
		return true, in.copy(b, io.Discard)
	}
	for _, there := range stage.Spans() { // of a transfer that was cut: all of it comes now
		stage.Discard(there.From, there.To)
	}
	if err := in.copy(b, stage); err != nil {
		return false, err
	}
	if _, err := stage.Commit(in.ctx); err != nil {
		return false, fmt.Errorf("%s: %w", b.blobName(), err)
	}
	return false, nil
}

// copy hands the bytes of the entry on.
func (in *reader) copy(b manifestBlob, to io.Writer) error {
	for {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		n, err := in.tar.Read(in.buffer)
		if _, err := to.Write(in.buffer[:n]); err != nil {
			return err
		}
		if in.done += int64(n); in.progress != nil {
			in.progress(in.done, in.total)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return in.explain(b.blobName(), err)
		}
	}
}

// evidence reads what is claimed of the i-th blob.
func (in *reader) evidence(i int, b manifestBlob) error {
	text, err := in.text(b.evidenceName(), b.Evidence)
	if err != nil {
		return err
	}
	if int64(len(text)) != b.Evidence {
		return fmt.Errorf("%w: %s: expected %d bytes, as %s says, found %d", ErrArchive, b.evidenceName(), b.Evidence, manifestName, len(text))
	}
	in.imported[i].Claims, err = decodeClaims(b, text)
	return err
}
