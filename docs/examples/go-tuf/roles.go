package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// repository is the folder that is served, with the keys that are at hand.
type repository struct {
	dir, keys string
	now       time.Time
}

// doc: delegate

// delegation gives a role the paths that are its own and no others: a channel's role
// its indexes, a product's role the files of its releases.
func delegation(role string, keys []string, threshold int) metadata.DelegatedRole {
	pattern := role + "/*/*" // hello/1.0.0/release.json
	if strings.HasPrefix(role, "channel-") {
		pattern = role + "/*" // channel-stable/hello.json
	}
	return metadata.DelegatedRole{Name: role, KeyIDs: keys, Threshold: threshold, Terminating: true, Paths: []string{pattern}}
}

// doc: end

// init makes keys, a root, the top-level targets with its delegations, and the empty
// roles. Nothing is there yet for clients: that is for add and online.
func (r repository) init(roles []string) error {
	if found, err := filepath.Glob(filepath.Join(r.dir, "metadata", "*.root.json")); err != nil || len(found) > 0 {
		return errors.Join(fmt.Errorf("%s: expected no repository", r.dir), err)
	}
	root := metadata.Root() // consistent snapshots are its default
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		if err := r.grant(root, role); err != nil {
			return err
		}
	}
	targets := metadata.Targets()
	targets.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}}
	for _, role := range roles {
		if err := r.delegate(targets, role); err != nil {
			return err
		}
	}
	if err := r.signRoot(root, root); err != nil {
		return err
	}
	if err := r.signTargets(root, targets); err != nil {
		return err
	}
	for _, role := range roles {
		if err := r.signDelegated(targets, role, metadata.Targets()); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(r.file(metadata.ROOT, 1))
	if err == nil {
		fmt.Printf("root 1, sha256 %x: tell it to your users by another way than the web server\n", sha256.Sum256(data))
	}
	return err
}

// grant gives a top-level role new keys in root, in place of those that it has.
func (r repository) grant(root *metadata.Metadata[metadata.RootType], role string) error {
	held := slices.Clone(root.Signed.Roles[role].KeyIDs)
	keys, threshold, err := r.makeKeys(role)
	if err != nil {
		return err
	}
	root.Signed.Roles[role].Threshold = threshold
	for _, key := range keys {
		if err := root.Signed.AddKey(key, role); err != nil {
			return err
		}
	}
	for _, id := range held {
		if err := root.Signed.RevokeKey(id, role); err != nil {
			return err
		}
	}
	return nil
}

// delegate gives a role below targets new keys, in place of those that it has.
func (r repository) delegate(targets *metadata.Metadata[metadata.TargetsType], role string) error {
	keys, threshold, err := r.makeKeys(role)
	if err != nil {
		return err
	}
	d := targets.Signed.Delegations
	at := slices.IndexFunc(d.Roles, func(known metadata.DelegatedRole) bool { return known.Name == role })
	if at < 0 {
		d.Roles, at = append(d.Roles, delegation(role, nil, threshold)), len(d.Roles)
	}
	held := slices.Clone(d.Roles[at].KeyIDs)
	for _, key := range keys {
		if err := targets.Signed.AddKey(key, role); err != nil {
			return err
		}
	}
	for _, id := range held {
		if err := targets.Signed.RevokeKey(id, role); err != nil {
			return err
		}
	}
	return nil
}

// rotate gives a role other keys, and has its metadata signed by them. Whoever took the
// old keys can sign nothing any more once online has run; destroy them then.
func (r repository) rotate(role string) error {
	root, err := load[metadata.RootType](r, metadata.ROOT)
	if err != nil {
		return err
	}
	targets, err := load[metadata.TargetsType](r, metadata.TARGETS)
	if err != nil {
		return err
	}
	if !slices.Contains(metadata.TOP_LEVEL_ROLE_NAMES[:], role) {
		content, err := load[metadata.TargetsType](r, role)
		if err != nil {
			return err
		}
		if err := r.delegate(targets, role); err != nil {
			return err
		}
		if err := r.signTargets(root, targets); err != nil {
			return err
		}
		return r.signDelegated(targets, role, content)
	}
	before, err := load[metadata.RootType](r, metadata.ROOT)
	if err != nil {
		return err
	}
	if err := r.grant(root, role); err != nil {
		return err
	}
	if err := r.signRoot(before, root); err != nil {
		return err
	}
	if role == metadata.TARGETS {
		return r.signTargets(root, targets)
	}
	return nil // snapshot and timestamp are signed by the next online
}

// doc: root

// signRoot signs a new root by the keys of the root before it and by its own: that
// is how clients follow a change of root keys.
func (r repository) signRoot(before, root *metadata.Metadata[metadata.RootType]) error {
	root.Signed.Version = r.newest(metadata.ROOT) + 1
	root.Signed.Expires = r.until(metadata.ROOT)
	ids := slices.Concat(before.Signed.Roles[metadata.ROOT].KeyIDs, root.Signed.Roles[metadata.ROOT].KeyIDs)
	if err := sign(r, root, metadata.ROOT, ids); err != nil {
		return err
	}
	if err := before.VerifyDelegate(metadata.ROOT, root); err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.ROOT, root); err != nil {
		return err
	}
	return store(r, root, metadata.ROOT, root.Signed.Version)
}

// doc: end

func (r repository) signTargets(root *metadata.Metadata[metadata.RootType], targets *metadata.Metadata[metadata.TargetsType]) error {
	targets.Signed.Version = r.newest(metadata.TARGETS) + 1
	targets.Signed.Expires = r.until(metadata.TARGETS)
	if err := sign(r, targets, metadata.TARGETS, root.Signed.Roles[metadata.TARGETS].KeyIDs); err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.TARGETS, targets); err != nil {
		return err
	}
	return store(r, targets, metadata.TARGETS, targets.Signed.Version)
}

func (r repository) signDelegated(targets *metadata.Metadata[metadata.TargetsType], role string, content *metadata.Metadata[metadata.TargetsType]) error {
	edge, err := edgeTo(targets, role)
	if err != nil {
		return err
	}
	content.Signed.Version = r.newest(role) + 1
	content.Signed.Expires = r.until(role)
	if err := sign(r, content, role, edge.KeyIDs); err != nil {
		return err
	}
	if err := targets.VerifyDelegate(role, content); err != nil {
		return err
	}
	return store(r, content, role, content.Signed.Version)
}

// edgeTo finds a delegation by its role's name.
func edgeTo(targets *metadata.Metadata[metadata.TargetsType], role string) (metadata.DelegatedRole, error) {
	for _, edge := range targets.Signed.Delegations.Roles {
		if edge.Name == role {
			return edge, nil
		}
	}
	return metadata.DelegatedRole{}, fmt.Errorf("role %q: targets does not delegate to it", role)
}
