package unpack

import (
	"strings"
	"time"
)

// kind is what a name stands for.
type kind string

const (
	folder  kind = "a folder"
	regular kind = "a file"
	link    kind = "a symbolic link"
)

// node is a name that the archive brought so far.
type node struct {
	name     string // as it was written
	kind     kind
	children map[string]*node // by rules.key
	modified time.Time        // of a folder: set when all that is in it is made
}

// find returns what stands under a path, or nil.
func (u *unpacker) find(parts []string) *node {
	at := u.tree
	for _, part := range parts {
		next := at.children[u.rules.key(part)]
		if next == nil || next.name != part {
			return nil
		}
		at = next
	}
	return at
}

// add takes a new name into the tree, and makes the folders on the way to it
// that are missing. A folder may be there already.
func (u *unpacker) add(path string, parts []string, as kind) (*node, error) {
	if len(parts) == 0 {
		if as != folder {
			return nil, refuse(ErrUnsafe, path, "expected the path of %s, found the folder that all is unpacked into", as)
		}
		return u.tree, nil
	}
	at := u.tree
	for i := range parts[:len(parts)-1] {
		next, err := u.enter(path, at, parts[:i+1], folder)
		if err != nil {
			return nil, err
		}
		at = next
	}
	return u.enter(path, at, parts, as)
}

// enter takes the last of parts into the folder at.
func (u *unpacker) enter(path string, at *node, parts []string, as kind) (*node, error) {
	name := parts[len(parts)-1]
	key := u.rules.key(name)
	if there := at.children[key]; there != nil {
		switch {
		case there.name != name:
			return nil, refuse(ErrUnsafe, path, "expected names that differ in more than letters' case, found %s and %s", quote(there.name), quote(name))
		case there.kind != folder && as == folder:
			return nil, refuse(ErrUnsafe, path, "expected a folder, found %s under %s", there.kind, quote(strings.Join(parts, "/")))
		case as != folder:
			return nil, refuse(ErrUnsafe, path, "expected each name once, found it again; it is %s already", there.kind)
		}
		return there, nil
	}
	if err := u.entry(path, name); err != nil {
		return nil, err
	}
	made := &node{name: name, kind: as}
	if as == folder {
		if err := u.mkdir(path, strings.Join(parts, "/")); err != nil {
			return nil, err
		}
	}
	if at.children == nil {
		at.children = map[string]*node{}
	}
	at.children[key] = made
	return made, nil
}
