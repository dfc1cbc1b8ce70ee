package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/internal/durable"
	"assay/internal/shown"
)

// CheckName reports, as an ErrInvalid, what keeps a name from being a document's.
func CheckName(name string) error {
	good := name != "" && len(name) <= MaxName
	for segment := range strings.SplitSeq(name, "/") {
		good = good && segment != "" && segment[0] != '.'
		for _, c := range []byte(segment) {
			good = good && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("._-", c) >= 0)
		}
	}
	if !good {
		return fmt.Errorf("%w: expected a document's name of segments of lower-case letters, digits and ._-, joined by /, none beginning with a dot, at most %d bytes, found %s",
			ErrInvalid, MaxName, shown.Quote(name, 60))
	}
	return nil
}

// CheckDocument reports, as an ErrInvalid, a text that is too long for a document.
func CheckDocument(data []byte) error {
	if len(data) > MaxDocument {
		return fmt.Errorf("%w: expected a document of at most %d bytes, found %d", ErrInvalid, MaxDocument, len(data))
	}
	return nil
}

// VersionOf is the version of a text, its SHA-256; nil has the zero one.
func VersionOf(data []byte) Version {
	if data == nil {
		return ""
	}
	return Version(artifact.DigestOf(artifact.SHA256, data).String())
}

// slash stands for '/' in the names of files: documents lie in one folder, so that a
// name can't be in the way of another, and no link between leads elsewhere.
const slash = "+"

func (f *Folder) documentPath(name string) string {
	return filepath.Join(f.documents, strings.ReplaceAll(name, "/", slash))
}

// Document reads a document. Where something else than a file stands in its place
// that is an ErrDisk, not a missing one: the mirror must not begin anew for it.
func (f *Folder) Document(ctx context.Context, name string) ([]byte, Version, error) {
	if err := CheckName(name); err != nil {
		return nil, "", err
	}
	data, err := readDocument(ctx, f.documentPath(name))
	return data, VersionOf(data), err
}

// readDocument reads a file of a document; nil: there is none.
func readDocument(ctx context.Context, path string) ([]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		before, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, disk(err)
		}
		// A link is not followed, and a pipe, which would block, not opened.
		if !before.Mode().IsRegular() {
			return nil, notRegular(path, before)
		}
		data, same, err := readSame(path, before)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !same:
			continue // Replace came between
		case err != nil:
			return nil, disk(err)
		case len(data) > MaxDocument:
			return nil, fmt.Errorf("%w: %s: expected a document of at most %d bytes, found more", ErrDisk, path, MaxDocument)
		}
		return data, nil
	}
}

// readSame reads a file if it is the one that before describes, one byte more than a
// document may have at most.
func readSame(path string, before fs.FileInfo) (data []byte, same bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !os.SameFile(before, info) {
		return nil, false, err
	}
	data, err = io.ReadAll(io.LimitReader(file, MaxDocument+1))
	return data, true, err
}

// Replace compares and writes under a mutex, which suffices: the lock of the folder
// makes this process the only one that writes documents.
//
// Crash here: the old text or the new one, see durable.WriteFile, and perhaps a
// temporary file, which the next Open removes.
func (f *Folder) Replace(ctx context.Context, name string, old Version, data []byte) (Version, error) {
	if err := errors.Join(CheckName(name), CheckDocument(data)); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return "", fmt.Errorf("%w: %s: the folder was given up", ErrInvalid, f.dir)
	}
	path := f.documentPath(name)
	current, err := readDocument(ctx, path)
	if err != nil {
		return "", err
	}
	if found := VersionOf(current); found != old {
		return "", fmt.Errorf("%w: %s: expected %s, found %s", ErrChanged, name, old, found)
	}
	if data != nil {
		if err := durable.WriteFile(path, data, 0o600); err != nil {
			return "", disk(err)
		}
		return VersionOf(data), nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", disk(err)
	}
	// Crash here: the document may be back, as it was.
	return "", disk(durable.SyncDir(f.documents))
}

// String tells a version; the zero one is that of no document.
func (v Version) String() string {
	if v == "" {
		return "none"
	}
	return string(v)
}

// Documents lists the names of what is in the folder of documents.
func (f *Folder) Documents(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(f.documents)
	if err != nil {
		return nil, disk(err)
	}
	var names []string
	for _, entry := range entries {
		name := strings.ReplaceAll(entry.Name(), slash, "/")
		if strings.HasPrefix(name, prefix) && CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names) // '+' sorts elsewhere than '/'
	return names, nil
}

// sweep removes what writers that died have left: none is alive, as the folder is
// locked.
func (f *Folder) sweep() {
	entries, err := os.ReadDir(f.documents)
	for _, entry := range entries {
		if name := entry.Name(); err == nil && strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp") {
			err = os.Remove(filepath.Join(f.documents, name))
		}
	}
	if err != nil {
		f.notice(fmt.Sprintf("what a crash left among the documents could not be removed: %v", err))
	}
}
