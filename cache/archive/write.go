package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"assay/cache"
)

// bufferSize is for copying blobs.
const bufferSize = 256 << 10

// Item is a blob to be put into an archive.
type Item struct {
	// Entry is that of Store.List; its digest and its names are written.
	Entry cache.Entry
	// Evidence is what Evidence makes of receipts; nil: there is none.
	Evidence []byte
}

// Write writes an archive of held blobs. The same items give the same bytes.
// progress, which may be nil, is told the bytes of blobs done so far and in all.
// A blob that is gone, or no longer whole, is an error of the cache (ErrMissing);
// a blob twice, or more than an archive holds, ErrInvalid; other errors are of w,
// or that of ctx. After an error what was written is no archive.
func Write(ctx context.Context, w io.Writer, store *cache.Store, items []Item, progress func(done, total int64)) error {
	items = slices.SortedFunc(slices.Values(items), func(a, b Item) int {
		return strings.Compare(a.Entry.Digest.String(), b.Entry.Digest.String())
	})
	m := manifest{Schema: schema, Blobs: []manifestBlob{}}
	for _, item := range items {
		blob, err := store.Get(item.Entry.Digest)
		if err != nil {
			return err
		}
		m.Blobs = append(m.Blobs, manifestBlob{blob.Digest(), blob.Length(), int64(len(item.Evidence)), item.Entry.Names})
	}
	text, err := m.encode()
	if err == nil {
		_, err = decodeManifest(text)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	out := &writer{ctx: ctx, tar: tar.NewWriter(w), store: store, buffer: make([]byte, bufferSize), total: m.total(), progress: progress}
	if err := out.bytes(manifestName, text); err != nil {
		return err
	}
	for _, b := range m.Blobs {
		if err := out.blob(b); err != nil {
			return err
		}
	}
	for i, b := range m.Blobs {
		if b.Evidence == 0 {
			continue
		}
		if err := out.bytes(b.evidenceName(), items[i].Evidence); err != nil {
			return err
		}
	}
	return out.tar.Close()
}

// writer is one run of Write.
type writer struct {
	ctx      context.Context
	tar      *tar.Writer
	store    *cache.Store
	buffer   []byte
	done     int64
	total    int64
	progress func(done, total int64)
}

// header begins an entry. It tells nothing of this machine or the time.
func (w *writer) header(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o444, ModTime: time.Unix(0, 0)})
}

func (w *writer) bytes(name string, text []byte) error {
	err := w.header(name, int64(len(text)))
	if err == nil {
		_, err = w.tar.Write(text)
	}
	return err
}

// blob copies one. Its reader finds out at the end whether it was whole.
func (w *writer) blob(b manifestBlob) error {
	// Asked for anew, as it may have taken long until here: see Store.Get.
	blob, err := w.store.Get(b.Digest)
	if err != nil {
		return err
	}
	if blob.Length() != b.Length {
		return fmt.Errorf("%w: %v: expected %d bytes, found %d", cache.ErrMissing, b.Digest, b.Length, blob.Length())
	}
	r, err := blob.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := w.header(b.blobName(), b.Length); err != nil {
		return err
	}
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(w.buffer)
		if _, err := w.tar.Write(w.buffer[:n]); err != nil {
			return err
		}
		if w.done += int64(n); w.progress != nil {
			w.progress(w.done, w.total)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
