package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// doc: add

// add promises the files below a folder, each by the role that its path belongs to, and
// signs the roles that changed. Clients see none of it before online has run, so a crash
// here leaves the repository as it was for them; running add again completes it.
func (r repository) add(files string, only []string) error {
	root, err := load[metadata.RootType](r, metadata.ROOT)
	if err != nil {
		return err
	}
	targets, err := load[metadata.TargetsType](r, metadata.TARGETS)
	if err != nil {
		return err
	}
	found, err := byRole(files)
	if err != nil {
		return err
	}
	for _, role := range only {
		if len(found[role]) == 0 {
			return fmt.Errorf("%s: expected files of role %q, found none", files, role)
		}
	}
	for role, paths := range found {
		switch {
		case len(only) > 0 && !slices.Contains(only, role):
			continue
		case role == metadata.TARGETS:
			if err = r.promise(targets, files, paths); err == nil {
				err = r.signTargets(root, targets)
			}
		default:
			err = r.addDelegated(targets, role, files, paths)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// byRole sorts the paths below a folder by the role that signs them: the one that is
// named like their first segment, and the top-level one for those that have only one.
func byRole(files string) (map[string][]string, error) {
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(files), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		role, _, below := strings.Cut(path, "/")
		if !below {
			role = metadata.TARGETS
		}
		found[role] = append(found[role], path)
		return nil
	})
	return found, err
}

// doc: end

func (r repository) addDelegated(targets *metadata.Metadata[metadata.TargetsType], role, files string, paths []string) error {
	edge, err := edgeTo(targets, role)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if ok, err := edge.IsDelegatedPath(path); err != nil || !ok {
			return fmt.Errorf("%s: expected a path that role %q may sign, %v", path, role, edge.Paths)
		}
	}
	content, err := load[metadata.TargetsType](r, role)
	if err != nil {
		return err
	}
	if err := r.promise(content, files, paths); err != nil {
		return err
	}
	return r.signDelegated(targets, role, content)
}

// doc: promise

// promise lists files in a role, and lays them where clients ask for them: with
// consistent snapshots a file's digest stands before its name. Release files never
// change: assay refuses a release whose bytes did (17), so it is refused here before.
func (r repository) promise(role *metadata.Metadata[metadata.TargetsType], files string, paths []string) error {
	for _, name := range paths {
		data, err := os.ReadFile(filepath.Join(files, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		entry, err := metadata.TargetFile().FromBytes(name, data, "sha256")
		if err != nil {
			return err
		}
		held, known := role.Signed.Targets[name]
		if known && strings.Count(name, "/") == 2 && !bytes.Equal(held.Hashes["sha256"], entry.Hashes["sha256"]) {
			return fmt.Errorf("%s: expected the bytes that were published, sha256 %s, found %s: publish a new version", name, held.Hashes["sha256"], entry.Hashes["sha256"])
		}
		role.Signed.Targets[name] = entry
		folder, base := path.Split(name)
		if err := write(filepath.Join(r.dir, "targets", filepath.FromSlash(folder), entry.Hashes["sha256"].String()+"."+base), data); err != nil {
			return err
		}
	}
	return nil
}

// doc: end

// doc: online

// online signs a snapshot of the newest metadata of every role, and a timestamp for it.
// The timestamp is written last, and it alone replaces a file: until then clients see
// the repository as it was, and afterwards all of the new one.
func (r repository) online() error {
	root, err := load[metadata.RootType](r, metadata.ROOT)
	if err != nil {
		return err
	}
	targets, err := load[metadata.TargetsType](r, metadata.TARGETS)
	if err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.TARGETS, targets); err != nil {
		return err
	}
	snapshot := metadata.Snapshot(r.until(metadata.SNAPSHOT))
	snapshot.Signed.Version = r.newest(metadata.SNAPSHOT) + 1
	snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(targets.Signed.Version)
	for _, edge := range targets.Signed.Delegations.Roles {
		role, err := load[metadata.TargetsType](r, edge.Name)
		if err != nil {
			return err
		}
		if err := targets.VerifyDelegate(edge.Name, role); err != nil {
			return err
		}
		snapshot.Signed.Meta[edge.Name+".json"] = metadata.MetaFile(role.Signed.Version)
	}
	if err := sign(r, snapshot, metadata.SNAPSHOT, root.Signed.Roles[metadata.SNAPSHOT].KeyIDs); err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.SNAPSHOT, snapshot); err != nil {
		return err
	}
	timestamp := metadata.Timestamp(r.until(metadata.TIMESTAMP))
	timestamp.Signed.Version = snapshot.Signed.Version
	timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(snapshot.Signed.Version)
	if err := sign(r, timestamp, metadata.TIMESTAMP, root.Signed.Roles[metadata.TIMESTAMP].KeyIDs); err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.TIMESTAMP, timestamp); err != nil {
		return err
	}
	if err := store(r, snapshot, metadata.SNAPSHOT, snapshot.Signed.Version); err != nil {
		return err
	}
	return store(r, timestamp, metadata.TIMESTAMP, 0)
}

// doc: end
