package install

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// summary is what a tree comes to.
type summary struct {
	sum   string
	files int
	bytes int64
}

// sum reads a whole tree: the SHA-256, in hex, of a line for each entry, in the order
// of the paths: what it is, its path, and the digest of a file's bytes or where a
// link leads. Which files can be executed counts where the system knows it; owners,
// times and other permissions do not.
func sum(ctx context.Context, tree string) (summary, error) {
	all := sha256.New()
	s, err := scan(ctx, tree, func(kind, path, detail string) { addLine(all, kind, path, detail) })
	s.sum = hex.EncodeToString(all.Sum(nil))
	return s, err
}

// The kinds of what is in a tree.
const (
	kindFolder  = "folder"
	kindLink    = "link"
	kindFile    = "file"
	kindProgram = "program" // a file that can be executed
)

// scan reads a whole tree, and tells each of its entries: its path with slashes, and
// the digest of a file or where a link leads. What is not there, or of another kind,
// is ErrDamaged.
func scan(ctx context.Context, tree string, each func(kind, path, detail string)) (s summary, err error) {
	buffer := make([]byte, 256<<10)
	err = filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		relative, err := filepath.Rel(tree, path)
		if err != nil {
			return err
		}
		kind, detail := kindFolder, ""
		switch mode := entry.Type(); {
		case mode.IsDir():
		case mode&fs.ModeSymlink != 0:
			kind = kindLink
			detail, err = os.Readlink(path)
		case mode.IsRegular():
			s.files++
			kind, detail, err = sumFile(path, buffer, &s.bytes)
		default:
			return fmt.Errorf("%w: %s: expected a file, a folder or a link, found %v", ErrDamaged, path, mode)
		}
		if err != nil {
			return err
		}
		each(kind, filepath.ToSlash(relative), detail)
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case !errors.Is(err, ErrDamaged):
		err = disk(err)
	}
	return s, err
}

func addLine(all hash.Hash, words ...string) {
	for _, word := range words {
		fmt.Fprintf(all, "%d:%s", len(word), word) // no word can be taken for two
	}
}

// sumFile reads one file.
func sumFile(path string, buffer []byte, count *int64) (kind, digest string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", "", err
	}
	kind = kindFile
	if runtime.GOOS != "windows" && info.Mode()&0o111 != 0 {
		kind = kindProgram
	}
	h := sha256.New()
	n, err := io.CopyBuffer(h, struct{ io.Reader }{file}, buffer)
	*count += n
	return kind, hex.EncodeToString(h.Sum(nil)), err
}
