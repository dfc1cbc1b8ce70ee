package draft

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay/artifact"
)

// dist is the folder that goreleaser wrote.
type dist struct {
	root   *os.Root
	prefix string // what its list puts before each path
	left   []LeftOut
}

func openDist(path string) (*dist, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	return &dist{root: root}, nil
}

func (d *dist) close() error { return d.root.Close() }

// inside is a path of goreleaser's list as seen from the folder. goreleaser writes
// paths as seen from where it ran; which part of them is the folder's own is
// known from the place of metadata.json.
func (d *dist) inside(path string) (string, error) {
	slashed := strings.ReplaceAll(path, `\`, "/")
	rest, ok := strings.CutPrefix(slashed, d.prefix)
	local := filepath.FromSlash(rest)
	if !ok || !filepath.IsLocal(local) || filepath.Clean(local) == "." {
		return "", fmt.Errorf("%w: expected a path below %s, found %s", ErrOutside, quote(d.prefix), quote(path))
	}
	return filepath.Clean(local), nil
}

// open opens a regular file. The root keeps links from leading out; what is no
// file (a pipe would never answer) is not opened.
func (d *dist) open(local string) (*os.File, fs.FileInfo, error) {
	info, err := d.root.Stat(local)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%w: %s is missing", ErrDist, quote(local))
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, disk(err)
	case err != nil: // a link that leads out, for one
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrOutside, quote(local), err)
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%w: expected a regular file, found %s at %s", ErrOutside, info.Mode().Type(), quote(local))
	}
	file, err := d.root.Open(local)
	if err != nil {
		return nil, nil, disk(err)
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = fmt.Errorf("%w: %s", ErrChanged, quote(local))
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, opened, nil
}

// read reads a small file whole; one beyond limit bytes is an ErrDist.
func (d *dist) read(local string, limit int64) ([]byte, error) {
	file, _, err := d.open(local)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case err != nil:
		return nil, disk(err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%w: %s: expected at most %d bytes, found more", ErrDist, quote(local), limit)
	}
	return data, nil
}

// file is a file of the release, as it was when it was read.
type file struct {
	name    string // in the release
	local   string // in the folder
	length  int64  // in bytes
	sha256  artifact.Digest
	sha512  artifact.Digest
	pieces  []string // SHA-256 of each piece in hex; nil: not asked for
	changed time.Time
}

// measure reads a file through. pieceBytes above 0 asks for the digests of its pieces.
func (d *dist) measure(ctx context.Context, name, local string, pieceBytes int64) (file, error) {
	from, info, err := d.open(local)
	if err != nil {
		return file{}, err
	}
	defer from.Close()
	short, long := artifact.SHA256.New(), artifact.SHA512.New()
	into := []io.Writer{short, long}
	var cut *cutter
	if pieceBytes > 0 {
		if info.Size()/pieceBytes >= maxPieces {
			return file{}, fmt.Errorf("%w: %s: expected at most %d pieces, found more: make them longer than %d bytes", ErrInput, quote(name), maxPieces, pieceBytes)
		}
		cut = &cutter{length: pieceBytes, left: pieceBytes, hash: artifact.SHA256.New()}
		into = append(into, cut)
	}
	length, err := io.Copy(io.MultiWriter(into...), patient{ctx, from})
	if err != nil {
		return file{}, disk(err)
	}
	f := file{
		name: name, local: local, length: length, changed: info.ModTime(),
		sha256: artifact.SumOf(artifact.SHA256, short), sha512: artifact.SumOf(artifact.SHA512, long),
	}
	if cut != nil {
		f.pieces = cut.end()
	}
	return f, nil
}

// digests are those of a manifest: SHA-256, and SHA-512 where others speak of it.
func (f file) digests(long bool) artifact.Digests {
	if long {
		return artifact.Digests{f.sha256, f.sha512}
	}
	return artifact.Digests{f.sha256}
}

// patient ends reading with its context.
type patient struct {
	ctx  context.Context
	from io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, context.Cause(p.ctx)
	}
	return p.from.Read(b)
}

// maxPieces is the most pieces that a manifest can list for an artifact.
const maxPieces = 60_000

// cutter hashes what is written to it in pieces of one length.
type cutter struct {
	length, left int64
	hash         hash.Hash
	sums         []string
}

func (c *cutter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(int64(len(rest)), c.left)
		c.hash.Write(rest[:n])
		rest, c.left = rest[n:], c.left-n
		if c.left == 0 {
			c.cut()
		}
	}
	return len(p), nil
}

func (c *cutter) cut() {
	c.sums = append(c.sums, artifact.SumOf(artifact.SHA256, c.hash).Hex())
	c.hash.Reset()
	c.left = c.length
}

func (c *cutter) end() []string {
	if c.left < c.length {
		c.cut()
	}
	return c.sums
}
