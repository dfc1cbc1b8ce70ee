package unpack

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"assay/internal/durable"
)

const (
	stageInfix  = ".assay-"
	stageRandom = 8              // bytes, written as hex
	stageBase   = 200            // bytes of the target's name that a stage's keeps
	treeName    = "tree"         // what will be the target, in the stage
	staleAge    = 24 * time.Hour // after which a stage that can't be locked counts as left behind
)

// errInUse: another process has the stage.
var errInUse = errors.New("in use")

// stage is the hidden folder beside the target in which everything is made. Only
// its owner can enter it; the tree inside has its final mode from the start.
type stage struct {
	path      string // of the hidden folder
	target    string
	intoEmpty bool
	lock      *os.File // nil where there are no locks
}

// newStage removes what dead processes left for the same target, checks that
// the target may be made, and makes a stage for it, under a name that ends with what
// random gives.
func newStage(dir string, intoEmpty bool, random func() string) (*stage, error) {
	target, err := filepath.Abs(dir)
	if err != nil {
		return nil, disk(err)
	}
	parent, base := filepath.Split(target)
	prefix := "." + base[:min(len(base), stageBase)] + stageInfix
	sweep(parent, prefix)
	s := &stage{target: target, intoEmpty: intoEmpty}
	if err := s.checkTarget(); err != nil {
		return nil, err
	}
	const attempts = 100
	for range attempts {
		s.path = filepath.Join(parent, prefix+random())
		err := os.Mkdir(s.path, 0o700)
		if err == nil {
			// Another process may take it for one left behind until it is
			// locked, and remove it: then a next one is made.
			s.lock, err = lockStage(s.path)
		}
		if isTaken(err, parent) {
			continue
		}
		if err != nil {
			os.Remove(s.path) // it may have been made
			return nil, disk(err)
		}
		if err := os.Mkdir(s.tree(), folderMode); err != nil {
			return nil, errors.Join(disk(err), s.close())
		}
		return s, nil
	}
	return nil, disk(&fs.PathError{Op: "mkdir", Path: s.path, Err: fs.ErrExist})
}

// randomSuffix ends the name of a stage.
func randomSuffix() string {
	var random [stageRandom]byte
	rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// isTaken reports whether a stage could not be made as others have its name, or
// have removed it.
func isTaken(err error, parent string) bool {
	return errors.Is(err, fs.ErrExist) || errors.Is(err, errInUse) || errors.Is(err, fs.ErrNotExist) && exists(parent)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// tree is the folder that will be the target.
func (s *stage) tree() string { return filepath.Join(s.path, treeName) }

// checkTarget refuses a target that is there. A link is there, wherever to.
func (s *stage) checkTarget() error {
	info, err := os.Lstat(s.target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return disk(err)
	}
	if !s.intoEmpty || !info.IsDir() {
		return fmt.Errorf("%w: expected nothing under %s, found %s", ErrExists, s.target, describe(info))
	}
	entries, err := os.ReadDir(s.target)
	if err != nil {
		return disk(err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: expected an empty folder %s, found %s in it", ErrExists, s.target, quote(entries[0].Name()))
	}
	return nil
}

func describe(info fs.FileInfo) string {
	switch info.Mode().Type() {
	case 0:
		return "a file"
	case fs.ModeDir:
		return "a folder"
	case fs.ModeSymlink:
		return "a symbolic link"
	}
	return "a special file"
}

// commit gives the tree its name. It must be durable by now.
func (s *stage) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if err := s.checkTarget(); err != nil {
		return err
	}
	return s.rename()
}

// rename does it. Whatever came to be there since the check makes it fail, and
// stays, unless it is an empty folder.
func (s *stage) rename() error {
	if s.intoEmpty {
		// Only a folder goes, and only an empty one; if it stays the rename tells.
		// Crash here: it is gone, and the next call makes the target anew.
		syscall.Rmdir(s.target)
	}
	// Crash in the rename: the tree is whole under one of its two names.
	err := durable.Rename(s.tree(), s.target)
	if exists(s.target) && exists(s.tree()) {
		return fmt.Errorf("%w: expected nothing under %s: %w", ErrExists, s.target, err)
	}
	return disk(err)
}

// close removes the stage and what is in it, while it is still locked.
func (s *stage) close() error {
	err := os.RemoveAll(s.path)
	if s.lock != nil {
		s.lock.Close()
	}
	return disk(err)
}

// sweep removes the stages in parent that dead processes left for a target.
// What it can't remove waits for another time.
func sweep(parent, prefix string) {
	entries, _ := os.ReadDir(parent)
	for _, entry := range entries {
		random, ok := strings.CutPrefix(entry.Name(), prefix)
		if decoded, err := hex.DecodeString(random); !ok || err != nil || len(decoded) != stageRandom {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		lock, err := lockStage(path)
		if err != nil {
			continue
		}
		if lock == nil && !isStale(entry) {
			continue
		}
		// Crash here: what is left of it is unlocked, and goes next time.
		(&stage{path: path, lock: lock}).close()
	}
}

// isStale goes by age, where there are no locks.
func isStale(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && time.Since(info.ModTime()) > staleAge
}
