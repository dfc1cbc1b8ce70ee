package airgap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/durable"
	"assay/internal/shown"
	"assay/mirror"
	"assay/mirror/storage"
)

// TreeSchema names the form of the note by which a tree is known again.
const TreeSchema = "assay.mirror.tree/v1"

// The files of a tree that are not the repository's.
const (
	treeNote = ".assay-tree.json"
	treeLock = ".assay-tree.lock"
)

// TreeOptions are for Publish.
type TreeOptions struct {
	Folder string // one that is empty, does not exist, or was published to before
	// Prune removes files that nothing leads to, neither the metadata of now nor a
	// timestamp of before that has not expired.
	Prune    bool
	Now      func() time.Time
	Progress func(done, total int64) // may be nil
}

// Tree is what Publish has done.
type Tree struct {
	Changed    bool      `json:"changed"`
	Repository string    `json:"repository"`
	Generation int64     `json:"generation"`
	Folder     string    `json:"folder"`
	Written    int       `json:"written"` // files, also those that were replaced
	Bytes      int64     `json:"bytes"`   // of them
	Kept       int       `json:"kept"`    // that were there already
	Removed    int       `json:"removed"`
	LeftOut    []LeftOut `json:"left_out,omitempty"`
}

// treeDoc is the note.
type treeDoc struct {
	Schema     string `json:"schema"`
	Repository string `json:"repository"`
	// The versions that the metadata in the tree has; 0: none yet.
	Root      int64 `json:"root"`
	Timestamp int64 `json:"timestamp"`
}

// Publish writes the files of a repository as any web server serves them: metadata at
// the folder, targets below targets/, by each of their digests, and by their plain
// names where the repository has those. The mirror may be at work.
//
// Targets come first and the timestamp last, each file whole and durable before it has
// its name, so that a client finds at each moment, and after a crash, what was
// published before, or the new generation. Metadata older than what is there is ErrUnfit.
func Publish(ctx context.Context, store *storage.Reader, repository string, opts TreeOptions) (Tree, error) {
	if err := durable.MkdirAll(opts.Folder, 0o755); err != nil {
		return Tree{}, disk(err)
	}
	if err := checkTree(opts.Folder, repository); err != nil {
		return Tree{}, err
	}
	lock, err := takeLock(filepath.Join(opts.Folder, treeLock))
	if err != nil {
		return Tree{}, err
	}
	defer lock.Close()
	return steady(ctx, store, repository, func(p *mirror.Published) (Tree, error) {
		t := &tree{ctx: ctx, store: store, opts: opts, published: p, names: map[string]bool{}}
		t.done = Tree{Repository: repository, Generation: p.Number, Folder: opts.Folder}
		err := t.publish()
		t.done.Changed = t.done.Written+t.done.Removed > 0
		return t.done, err
	})
}

// checkTree wants a folder that is empty, or was published to for this repository.
func checkTree(folder, repository string) error {
	note, err := readNote(folder)
	if err != nil {
		return err
	}
	if note != nil {
		if note.Repository != repository {
			return fmt.Errorf("%w: %s: expected the tree of %s, found that of %s", ErrForeign, folder, repository, shown.Quote(note.Repository, 80))
		}
		return nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return disk(err)
	}
	for _, entry := range entries {
		if entry.Name() != treeLock {
			return fmt.Errorf("%w: %s: expected an empty folder, or one that was published to before, found %s in it", ErrUnfit, folder, shown.Quote(entry.Name(), 80))
		}
	}
	return nil
}

// readNote reads the note of a tree; nil: there is none.
func readNote(folder string) (*treeDoc, error) {
	text, err := os.ReadFile(filepath.Join(folder, treeNote))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, disk(err)
	}
	note := &treeDoc{}
	if err := json.Unmarshal(text, note); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrVolume, treeNote, err)
	}
	return note, checkSchema(note.Schema, TreeSchema)
}

// tree is one run of Publish.
type tree struct {
	ctx       context.Context
	store     *storage.Reader
	opts      TreeOptions
	published *mirror.Published
	names     map[string]bool // that are led to, with slashes
	done      Tree
	total     int64
	moved     int64
}

func (t *tree) publish() error {
	p := t.published
	if p.Mode == mirror.Lazy {
		return fmt.Errorf("%s: %w: expected a mirror in the mode %q or %q, found %q, which holds what was asked for alone", p.Repository, ErrUnfit, mirror.Full, mirror.Filtered, p.Mode)
	}
	note, err := readNote(t.opts.Folder)
	if err != nil {
		return err
	}
	// Under a newer root the others may begin anew (specification 5.3.11).
	now := t.versions()
	if note != nil && (now.Root < note.Root || now.Root == note.Root && now.Timestamp < note.Timestamp) {
		return fmt.Errorf("%s: %w: expected no older metadata than the tree has, root %d and timestamp %d, found %d and %d",
			p.Repository, ErrUnfit, note.Root, note.Timestamp, now.Root, now.Timestamp)
	}
	list, aside := objectsOf(p)
	t.total, t.done.LeftOut = sum(list), aside
	// It says whose the folder is before anything else is in it.
	if note == nil {
		if err := t.note(treeDoc{}); err != nil {
			return err
		}
	}
	for _, target := range p.Targets {
		if err := t.target(target); err != nil {
			return err
		}
	}
	// Crash here: files that nothing leads to yet. The metadata follows, in an order in
	// which each file leads to what is there.
	for _, f := range p.Files {
		if err := t.file(f.Name, object{metadataFolder + f.Name, f.Digest, f.Length}); err != nil {
			return err
		}
	}
	if err := t.note(now); err != nil {
		return err
	}
	if t.opts.Prune {
		return t.prune()
	}
	return nil
}

// versions are those of the metadata to be published.
func (t *tree) versions() (doc treeDoc) {
	for _, r := range t.published.Roles {
		switch r.Role {
		case "root":
			doc.Root = r.Version
		case "timestamp":
			doc.Timestamp = r.Version
		}
	}
	return doc
}

func (t *tree) note(doc treeDoc) error {
	doc.Schema, doc.Repository = TreeSchema, t.published.Repository
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	path := filepath.Join(t.opts.Folder, treeNote)
	if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, append(text, '\n')) {
		return nil
	}
	return disk(durable.WriteFile(path, append(text, '\n'), 0o644))
}

// target writes one under all its names.
func (t *tree) target(target mirror.PublishedTarget) error {
	key := target.Digests.Primary()
	if _, aside := t.published.IsQuarantined(target.Path, key); aside {
		return nil
	}
	if !filepath.IsLocal(filepath.FromSlash(target.Path)) {
		return fmt.Errorf("%s: %w: expected the path of a target that a folder can have, found %s", t.published.Repository, ErrUnfit, shown.Quote(target.Path, 120))
	}
	o := object{blobName(key), key, target.Length}
	if !t.published.Consistent() {
		return t.file("targets/"+target.Path, o)
	}
	dir, base := "", target.Path
	if i := strings.LastIndexByte(base, '/'); i >= 0 {
		dir, base = base[:i+1], base[i+1:]
	}
	for _, d := range target.Digests {
		if err := t.file("targets/"+dir+d.Hex()+"."+base, o); err != nil {
			return err
		}
	}
	return nil
}

// file writes a file, unless it is there: by its length where the name has its digest
// in it, else by its bytes.
func (t *tree) file(name string, o object) error {
	if err := context.Cause(t.ctx); err != nil {
		return err
	}
	t.names[name] = true
	if name == treeNote || name == treeLock {
		return fmt.Errorf("%s: %w: expected other names than those of the tree's own files, found %s", t.published.Repository, ErrUnfit, name)
	}
	path := filepath.Join(t.opts.Folder, filepath.FromSlash(name))
	there, err := isRegular(path, o.length)
	if err != nil {
		return err
	}
	if there && !namesBytes(name, o) {
		if there, err = hasDigest(path, o); err != nil {
			return err
		}
	}
	if there {
		t.done.Kept++
	} else {
		if err := t.write(path, o); err != nil {
			return err
		}
		t.done.Written, t.done.Bytes = t.done.Written+1, t.done.Bytes+o.length
	}
	if t.moved += o.length; t.opts.Progress != nil {
		t.opts.Progress(min(t.moved, t.total), t.total)
	}
	return nil
}

// namesBytes reports whether a name has the digest of its bytes in it.
func namesBytes(name string, o object) bool {
	return strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], o.digest.Hex()+".")
}

// hasDigest hashes a file that is there.
func hasDigest(path string, o object) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, disk(err)
	}
	defer file.Close()
	hash := o.digest.Algorithm().New()
	if _, err := io.Copy(hash, file); err != nil {
		return false, disk(err)
	}
	return artifact.SumOf(o.digest.Algorithm(), hash) == o.digest, nil
}

// write copies an object, which is hashed on its way.
func (t *tree) write(path string, o object) error {
	r, err := t.store.Read(t.ctx, o.digest)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return disk(err)
	}
	return writeFile(path, func(w io.Writer) error {
		n, err := io.Copy(w, r)
		if err == nil && n != o.length {
			err = fmt.Errorf("%w: %s: expected %d bytes, found %d", storage.ErrMissing, o.digest, o.length, n)
		}
		return err
	})
}

// prune removes what nothing leads to, and folders that are empty then.
func (t *tree) prune() error {
	now := t.opts.Now()
	for _, old := range t.published.Retained {
		if old.Until.After(now) {
			t.names[old.Name] = true
		}
	}
	var folders []string
	err := filepath.WalkDir(t.opts.Folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := context.Cause(t.ctx); err != nil {
			return err
		}
		relative, err := filepath.Rel(t.opts.Folder, path)
		name := filepath.ToSlash(relative)
		switch {
		case err != nil, name == ".", name == treeNote, name == treeLock, t.names[name]:
			return err
		case entry.IsDir():
			folders = append(folders, path)
			return nil
		}
		t.done.Removed++
		return os.Remove(path)
	})
	for i := len(folders) - 1; i >= 0 && err == nil; i-- {
		_ = os.Remove(folders[i]) // stays, if something is in it
	}
	return disk(err)
}
