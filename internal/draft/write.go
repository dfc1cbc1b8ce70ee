package draft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"assay/artifact"
	"assay/internal/durable"
)

// Written is a file of the tree of targets.
type Written struct {
	Target  string          `json:"target"`
	Length  int64           `json:"length"` // in bytes
	SHA256  artifact.Digest `json:"digest"`
	Changed bool            `json:"changed"` // it was not there before
}

// Write puts the release into the tree of targets: its files, and the manifest
// last. Files that are there with the same bytes stay. Those with others are an
// ErrTaken, and then nothing was written: published bytes never change. Only the
// manifest is replaced where replace says so, which is for a release that nobody
// has published yet.
//
// Crash here: some of the files are there, each whole, without a manifest or with
// the old one, and perhaps one under a hidden name; the next Write removes that and
// goes on from there. Of two processes the other one waits.
func (r *Release) Write(ctx context.Context, replace bool) ([]Written, error) {
	dist, err := openDist(r.options.Dist)
	if err != nil {
		return nil, err
	}
	defer dist.close()
	manifest := r.Place.Path()
	dir := filepath.Join(r.options.Output, filepath.FromSlash(path.Dir(manifest)))
	if err := durable.MkdirAll(r.options.Output, 0o755); err != nil {
		return nil, disk(err)
	}
	held, err := lockTree(ctx, r.options.Output)
	if err != nil {
		return nil, err
	}
	defer held.release()
	here := make([]bool, len(r.files))
	for i, f := range r.files {
		if here[i], err = f.isAt(ctx, filepath.Join(dir, f.name)); err != nil {
			return nil, err
		}
	}
	at := filepath.Join(dir, path.Base(manifest))
	same, err := holds(at, r.Manifest, replace)
	if err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return nil, disk(err)
	}
	if err := held.sweep(dir, r.names()...); err != nil {
		return nil, err
	}
	var written []Written
	for i, f := range r.files {
		if !here[i] {
			if err := f.copy(ctx, dist, filepath.Join(dir, f.name)); err != nil {
				return nil, err
			}
		}
		written = append(written, Written{Target: path.Dir(manifest) + "/" + f.name, Length: f.length, SHA256: f.sha256, Changed: !here[i]})
	}
	if !same {
		if err := durable.WriteFile(at, r.Manifest, 0o644); err != nil {
			return nil, disk(err)
		}
	}
	return append(written, Written{
		Target: manifest, Length: int64(len(r.Manifest)), SHA256: artifact.DigestOf(artifact.SHA256, r.Manifest), Changed: !same,
	}), nil
}

// names are those of all files of the release.
func (r *Release) names() []string {
	names := []string{manifestName}
	for _, f := range r.files {
		names = append(names, f.name)
	}
	return names
}

// isAt reports whether the file is there already.
func (f file) isAt(ctx context.Context, at string) (bool, error) {
	info, err := os.Lstat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, disk(err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s %w: expected a regular file", quote(at), ErrTaken)
	}
	from, err := os.Open(at)
	if err != nil {
		return false, disk(err)
	}
	defer from.Close()
	hash := artifact.SHA256.New()
	if _, err := io.Copy(hash, patient{ctx, from}); err != nil {
		return false, disk(err)
	}
	if found := artifact.SumOf(artifact.SHA256, hash); found != f.sha256 {
		return false, fmt.Errorf("%s %w: expected %s, found %s", quote(at), ErrTaken, f.sha256, found)
	}
	return true, nil
}

// holds reports whether a document is there already; one that differs may be
// replaced, or is an ErrTaken.
func holds(at string, document []byte, replace bool) (bool, error) {
	data, err := readSmall(at, int64(len(document)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err == nil && bytes.Equal(data, document):
		return true, nil
	case err != nil && !errors.Is(err, ErrInput):
		return false, disk(err)
	case !replace:
		return false, fmt.Errorf("%s %w: it is another manifest", quote(at), ErrTaken)
	}
	return false, nil
}

// copy copies the file out of goreleaser's folder. It gets its name only with the
// bytes that the manifest describes.
func (f file) copy(ctx context.Context, d *dist, to string) error {
	from, _, err := d.open(f.local)
	if err != nil {
		return err
	}
	defer from.Close()
	into, err := durable.Create(to, 0o644)
	if err != nil {
		return disk(err)
	}
	defer into.Abort()
	hash := artifact.SHA256.New()
	length, err := io.Copy(io.MultiWriter(into, hash), io.LimitReader(patient{ctx, from}, f.length+1))
	if err != nil {
		return disk(err)
	}
	if found := artifact.SumOf(artifact.SHA256, hash); found != f.sha256 || length != f.length {
		return fmt.Errorf("%w: %s: expected %s, found %s", ErrChanged, quote(f.name), f.sha256, found)
	}
	// Crash here: a hidden file is left beside, which the next Write removes.
	return disk(into.CommitNew())
}
