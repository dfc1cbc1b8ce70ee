package testrepo

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"assay/artifact"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Publish signs new versions of every role that changed, then snapshot and
// timestamp, and appends the result as a new generation. On an error nothing is
// published and no version is used up.
func (r *Repo) Publish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.draft()
	if r.roles[metadata.ROOT].dirty {
		if err := d.root(); err != nil {
			return err
		}
	}
	for _, step := range []func() error{d.targets, d.snapshot, d.timestamp} {
		if err := step(); err != nil {
			return err
		}
	}
	d.commit()
	return nil
}

// PublishRoot publishes a new version of root alone.
func (r *Repo) PublishRoot() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.draft()
	if err := d.root(); err != nil {
		return err
	}
	d.commit()
	return nil
}

// RotateRoot replaces the keys of root and publishes that root alone.
func (r *Repo) RotateRoot() error {
	if err := r.RotateKey(metadata.ROOT); err != nil {
		return err
	}
	return r.PublishRoot()
}

// PublishTimestamp publishes a new timestamp for the snapshot that is there.
// Before the first Publish it fails with ErrUnknown.
func (r *Repo) PublishTimestamp() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.versions[metadata.SNAPSHOT] == 0 {
		return fmt.Errorf("%w snapshot: nothing is published yet", ErrUnknown)
	}
	d := r.draft()
	if err := d.timestamp(); err != nil {
		return err
	}
	d.commit()
	return nil
}

// draft is a publication under way: copies of what commit replaces, so that a
// failure leaves the repository as it was. The mutex of repo is held.
type draft struct {
	repo     *Repo
	now      time.Time
	versions map[string]int64
	signed   map[string][]byte
	files    map[string]content
	done     []string // roles that got a new version
}

func (r *Repo) draft() *draft {
	files := map[string]content{}
	maps.Copy(files, r.generation(0))
	return &draft{
		repo: r, now: r.opts.Now(), versions: maps.Clone(r.versions), signed: maps.Clone(r.signed), files: files,
	}
}

func (d *draft) commit() {
	r := d.repo
	r.versions, r.signed = d.versions, d.signed
	r.generations = append(r.generations, d.files)
	for _, name := range d.done {
		r.roles[name].dirty = false
		delete(r.forgeries, name)
		if name == metadata.ROOT {
			r.rootSigners = slices.Clone(r.roles[name].signers())
		}
	}
}

// signers are the keys that sign: as many as the threshold asks for.
func (x *role) signers() []*Key { return x.keys[:x.threshold] }

// next opens a new version of a role and gives its number and expiry. Expiry is
// rounded up to a whole second, the resolution that metadata has.
func (d *draft) next(name string) (int64, time.Time) {
	d.versions[name]++
	d.done = append(d.done, name)
	expires := d.now.Add(d.repo.roles[name].expiry).UTC()
	if whole := expires.Truncate(time.Second); !whole.Equal(expires) {
		expires = whole.Add(time.Second)
	}
	return d.versions[name], expires
}

// put stores signed metadata under its file name.
func (d *draft) put(name string, data []byte) {
	d.signed[name] = data
	d.files[d.fileName(name)] = memory(data)
}

// fileName is where a role's metadata lies (specification section 6.2; root is
// always versioned, timestamp never).
func (d *draft) fileName(name string) string {
	plain := url.PathEscape(name) + ".json"
	if name == metadata.TIMESTAMP || (name != metadata.ROOT && d.repo.opts.PlainSnapshots) {
		return plain
	}
	return fmt.Sprintf("%d.%s", d.versions[name], plain)
}

func (d *draft) root() error {
	r := d.repo
	version, expires := d.next(metadata.ROOT)
	m := metadata.Root(expires)
	m.Signed.Version = version
	m.Signed.ConsistentSnapshot = !r.opts.PlainSnapshots
	for _, name := range metadata.TOP_LEVEL_ROLE_NAMES {
		m.Signed.Roles[name].Threshold = r.roles[name].threshold
		for _, key := range r.roles[name].keys {
			if err := m.Signed.AddKey(key.public, name); err != nil {
				return fmt.Errorf("testrepo: list a key of %s: %w", name, err)
			}
		}
	}
	signers := slices.Clone(r.roles[metadata.ROOT].signers())
	for _, key := range r.rootSigners {
		if !slices.Contains(signers, key) {
			signers = append(signers, key)
		}
	}
	data, err := seal(metadata.ROOT, m, r.forgeries[metadata.ROOT], signers)
	if err != nil {
		return err
	}
	d.put(metadata.ROOT, data)
	return nil
}

// targets signs every changed role that lists targets, and lays out the files.
func (d *draft) targets() error {
	r := d.repo
	for _, name := range r.order {
		if !r.roles[name].dirty {
			continue
		}
		if r.roles[name].written {
			return fmt.Errorf("%w: what Large wrote of %q can't be published anew", ErrConflict, name)
		}
		version, expires := d.next(name)
		m := metadata.Targets(expires)
		m.Signed.Version = version
		for path, t := range r.roles[name].targets {
			m.Signed.Targets[path] = &metadata.TargetFiles{
				Length: t.content.size(), Hashes: hashesOf(t.digests), Path: path,
			}
		}
		m.Signed.Delegations = r.delegations(r.roles[name])
		data, err := seal(name, m, r.forgeries[name], r.roles[name].signers())
		if err != nil {
			return err
		}
		d.put(name, data)
	}
	d.layOut()
	return nil
}

// layOut puts the targets' files, and those elsewhere, where clients ask for
// them. With consistent snapshots older files stay; plain ones are replaced.
func (d *draft) layOut() {
	r := d.repo
	if r.opts.PlainSnapshots {
		maps.DeleteFunc(d.files, func(name string, _ content) bool { return strings.HasPrefix(name, "targets/") })
	}
	for _, name := range r.order {
		for where, t := range r.roles[name].targets {
			if r.opts.PlainSnapshots {
				d.files["targets/"+where] = t.content
				continue
			}
			dir, base := path.Split(where)
			for _, digest := range t.digests {
				d.files["targets/"+dir+digest.Hex()+"."+base] = t.content
			}
		}
	}
	for name, c := range r.elsewhere {
		d.files["elsewhere/"+name] = c
	}
}

func (d *draft) snapshot() error {
	r := d.repo
	version, expires := d.next(metadata.SNAPSHOT)
	m := metadata.Snapshot(expires)
	m.Signed.Version = version
	for _, name := range r.order {
		m.Signed.Meta[name+".json"] = d.describe(name)
	}
	data, err := seal(metadata.SNAPSHOT, m, r.forgeries[metadata.SNAPSHOT], r.roles[metadata.SNAPSHOT].signers())
	if err != nil {
		return err
	}
	d.put(metadata.SNAPSHOT, data)
	return nil
}

func (d *draft) timestamp() error {
	r := d.repo
	version, expires := d.next(metadata.TIMESTAMP)
	m := metadata.Timestamp(expires)
	m.Signed.Version = version
	m.Signed.Meta["snapshot.json"] = d.describe(metadata.SNAPSHOT)
	data, err := seal(metadata.TIMESTAMP, m, r.forgeries[metadata.TIMESTAMP], r.roles[metadata.TIMESTAMP].signers())
	if err != nil {
		return err
	}
	d.put(metadata.TIMESTAMP, data)
	return nil
}

// describe is a role's entry in snapshot or timestamp.
func (d *draft) describe(name string) *metadata.MetaFiles {
	if d.repo.opts.NoMetaHashes {
		return metadata.MetaFile(d.versions[name])
	}
	return Describe(d.versions[name], d.signed[name])
}

// Describe is an entry of snapshot or timestamp for metadata of these bytes,
// with its length and SHA-256, for a Forgery that promises something else.
func Describe(version int64, data []byte) *metadata.MetaFiles {
	m := metadata.MetaFile(version)
	m.Length = int64(len(data))
	m.Hashes = hashesOf(artifact.Digests{artifact.DigestOf(artifact.SHA256, data)})
	return m
}
