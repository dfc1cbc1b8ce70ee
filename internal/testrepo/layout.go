package testrepo

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const catalogPath = "catalog.json"

// indexPath is the target path of a channel index.
func indexPath(channel, product string) string {
	return channelRole(channel) + "/" + product + ".json"
}

// channelRole is the role that signs a channel, and the folder it signs.
func channelRole(channel string) string { return "channel-" + channel }

// AddProduct puts a product with its channels into the catalog, makes the roles
// `channel-CHANNEL` and PRODUCT where they do not exist, and an empty index for
// each channel.
func (r *Repo) AddProduct(name, summary string, channels ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	catalog := catalogDocument{Schema: "assay.catalog/v1"}
	if _, ok := r.holder(catalogPath); ok {
		if err := r.read(catalogPath, &catalog); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(catalog.Products, func(p catalogProduct) bool { return p.Product == name }) {
		return fmt.Errorf("%w: product %q is in the catalog already", ErrConflict, name)
	}
	for _, channel := range channels {
		if err := r.ensureRole(channelRole(channel), channelRole(channel)+"/*"); err != nil {
			return err
		}
		index := indexDocument{
			Schema: "assay.channel/v1", Product: name, Channel: channel, Updated: r.second(), MaxAge: "90d",
			Releases: []indexRelease{},
		}
		if err := r.write(channelRole(channel), indexPath(channel, name), index); err != nil {
			return err
		}
	}
	if err := r.ensureRole(name, name+"/*/*"); err != nil {
		return err
	}
	catalog.Products = append(catalog.Products, catalogProduct{Product: name, Summary: summary, Channels: slices.Clone(channels)})
	return r.write(metadata.TARGETS, catalogPath, catalog)
}

// ensureRole makes a role that the top-level one delegates a path to, if it
// does not exist. r.mu is held.
func (r *Repo) ensureRole(name, path string) error {
	if _, ok := r.roles[name]; ok {
		return nil
	}
	return r.delegate(metadata.TARGETS, DelegatedRole{Name: name, Paths: []string{path}})
}

// SetStatus changes the status of a release in a channel, with the reason and
// the address of an advisory where there are some.
func (r *Repo) SetStatus(product, channel, version, status, reason, advisory string) error {
	return r.editRelease(product, channel, version, func(entry *indexRelease, now time.Time) {
		entry.Status, entry.Reason, entry.Advisory, entry.Since = status, reason, advisory, now
	})
}

// SetRollout changes the rollout of a release in a channel; nil ends it.
func (r *Repo) SetRollout(product, channel, version string, rollout *Rollout) error {
	return r.editRelease(product, channel, version, func(entry *indexRelease, _ time.Time) {
		entry.Rollout = rollout
	})
}

func (r *Repo) editRelease(product, channel, version string, edit func(*indexRelease, time.Time)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.editIndex(product, channel, func(index *indexDocument) error {
		for i := range index.Releases {
			if index.Releases[i].Version == version {
				edit(&index.Releases[i], index.Updated)
				return nil
			}
		}
		return fmt.Errorf("%w release %s of %q in channel %q", ErrUnknown, version, product, channel)
	})
}

// editIndex changes a channel index and dates it. r.mu is held.
func (r *Repo) editIndex(product, channel string, edit func(*indexDocument) error) error {
	path := indexPath(channel, product)
	var index indexDocument
	if err := r.read(path, &index); err != nil {
		return err
	}
	index.Updated = r.second()
	if err := edit(&index); err != nil {
		return err
	}
	return r.write(channelRole(channel), path, index)
}

// EditDocument changes a JSON target in the role that has it: catalog, channel
// index or manifest. The layout's own methods keep the change, except fields
// that they do not know.
func (r *Repo) EditDocument(path string, edit func(document map[string]any)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var document map[string]any
	if err := r.read(path, &document); err != nil {
		return err
	}
	edit(document)
	role, _ := r.holder(path)
	return r.write(role, path, document)
}

// read decodes a JSON target. r.mu is held.
func (r *Repo) read(path string, into any) error {
	role, ok := r.holder(path)
	if !ok {
		return fmt.Errorf("%w target %q", ErrUnknown, path)
	}
	held, ok := r.roles[role].targets[path].content.(memory)
	if !ok {
		return fmt.Errorf("%w: target %q is not a document", ErrConflict, path)
	}
	if err := json.Unmarshal(held, into); err != nil {
		return fmt.Errorf("testrepo: decode %q: %w", path, err)
	}
	return nil
}

// write encodes a JSON target into a role. r.mu is held.
func (r *Repo) write(role, path string, document any) error {
	data, err := encode(document)
	if err != nil {
		return err
	}
	digests, err := digestsOf(memory(data), r.opts.Algorithms)
	if err != nil {
		return err
	}
	return r.place(path, target{content: memory(data), digests: digests}, []string{role})
}

// second is the present time as documents give it.
func (r *Repo) second() time.Time { return r.opts.Now().UTC().Truncate(time.Second) }
