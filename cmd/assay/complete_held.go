package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay/artifact/release"
	"assay/cache/state"
	"assay/internal/config"
	"assay/trust"
)

// heldNames are the names that the metadata on this machine knows, for
// completion. Every signature is checked, as ever, but not expiry: what is
// chosen is judged by the command. What can't be read has no names.
type heldNames struct {
	ctx    context.Context
	app    *app
	config string // of --config
	opened *session
}

// lockPatience is how long completion waits for another process to let go of the
// state.
const lockPatience = 100 * time.Millisecond

// session opens what is stored. It makes no directory, and no request.
func (h *heldNames) session() (*session, error) {
	if h.opened != nil {
		return h.opened, nil
	}
	a := h.app
	cfg, err := config.Load(config.LoadOptions{
		SystemDir: a.systemDir, Dirs: a.dirs, ConfigFlag: h.config, WorkDir: a.workDir, Env: a.env,
		Flags: map[string]string{config.KeyOffline: "true"},
	})
	if err != nil {
		return nil, err
	}
	if err := cfg.NeedDirs(); err != nil {
		return nil, err
	}
	s := &session{config: cfg}
	if s.state, err = state.Open(cfg.StateDir, state.Options{LockWait: lockPatience, Now: a.now}); err != nil {
		return nil, err
	}
	if s.repositories, err = s.list(h.ctx); err == nil {
		h.opened = s
	}
	return s, err
}

// views are what is held of the repository of a name, or of all without one.
func (h *heldNames) views(only string) (views []*trust.View) {
	s, err := h.session()
	if err != nil {
		return nil
	}
	for _, r := range s.repositories {
		if only != "" && r.name != only {
			continue
		}
		c := trust.Config{Name: r.name, Store: s.state.Trust(r.name), Now: h.app.now, Limits: limitsOf(s.config)}
		if r.registered != nil {
			c.Store = s.state.TrustOf(*r.registered)
		}
		if opened, err := trust.Open(c); err == nil {
			if view, err := opened.Offline(h.ctx); err == nil {
				views = append(views, view)
			}
		}
	}
	return views
}

// catalog is the catalog of a view, nil where none is held.
func (h *heldNames) catalog(view *trust.View) *release.Catalog {
	target, err := view.HeldTopLevelTarget(release.CatalogPath)
	if err != nil {
		return nil
	}
	data := h.read(target, release.MaxCatalogBytes)
	if data == nil || !release.IsOurs(data) {
		return nil
	}
	catalog, err := release.DecodeCatalog(data)
	if err != nil {
		return nil
	}
	return catalog
}

// read is a document of the cache that fits its target, of at most limit bytes;
// nil: it is not held. It leaves no trace, as the cache's own reading does, which
// notes what was asked for; so a look at it keeps nothing from being pruned.
func (h *heldNames) read(target trust.Target, limit int64) []byte {
	d := target.Digests().Primary()
	if d.IsZero() || target.Length() > limit {
		return nil
	}
	path := filepath.Join(h.opened.config.CacheDir, "blobs", string(d.Algorithm()), d.Hex()[:2], d.Hex())
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, target.Length()+1))
	if err != nil || target.Check(data) != nil {
		return nil
	}
	return data
}

// repositoryWords are the names of the repositories.
func repositoryWords(h *heldNames, _ string) []string {
	s, err := h.session()
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range s.repositories {
		names = append(names, r.name)
	}
	return typable(names)
}

// productWords are products, behind their repository where one was typed, or
// where several have one of the name.
func productWords(h *heldNames, last string) []string {
	repository, _, asked := strings.Cut(last, ":")
	if !asked {
		repository = ""
	}
	in := map[string][]string{} // the repositories of each product
	for _, view := range h.views(repository) {
		if catalog := h.catalog(view); catalog != nil {
			for _, p := range catalog.Products {
				in[p.Name] = append(in[p.Name], view.Repository())
			}
		}
	}
	var words []string
	for name, repositories := range in {
		if len(repositories) == 1 && !asked {
			words = append(words, name)
			continue
		}
		for _, repository := range repositories {
			words = append(words, repository+":"+name)
		}
	}
	return typable(words)
}

// channelRefWords are products, and behind an @ their channels.
func channelRefWords(h *heldNames, last string) []string { return selectorWords(h, last, false) }

// refWords are products, and behind an @ their channels and versions.
func refWords(h *heldNames, last string) []string { return selectorWords(h, last, true) }

func selectorWords(h *heldNames, last string, versions bool) []string {
	ref, _, asked := strings.Cut(last, "@")
	if !asked {
		return productWords(h, last)
	}
	repository, product, named := strings.Cut(ref, ":")
	if !named {
		repository, product = "", ref
	}
	var words []string
	for _, view := range h.views(repository) {
		catalog := h.catalog(view)
		if catalog == nil {
			continue
		}
		p, _ := catalog.Lookup(product)
		for _, channel := range p.Channels {
			words = append(words, ref+"@"+channel)
			if versions {
				words = append(words, h.versions(view, ref, product, channel)...)
			}
		}
	}
	return typable(words)
}

// versions are the releases of a channel that may be got, as far as it is held.
func (h *heldNames) versions(view *trust.View, ref, product, channel string) (words []string) {
	target, err := view.HeldTarget(h.ctx, release.ChannelPath(product, channel))
	if err != nil {
		return nil
	}
	data := h.read(target, release.MaxChannelBytes)
	if data == nil {
		return nil
	}
	index, err := release.DecodeChannel(data, product, channel)
	if err != nil {
		return nil
	}
	for _, entry := range index.Releases {
		if entry.Status != release.StatusRevoked {
			words = append(words, ref+"@"+entry.Version.String())
		}
	}
	return words
}

// typable are the words, sorted and each once, that a shell takes as they are:
// names come from outside, and what is offered may end up in a command.
func typable(words []string) []string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+:@/-"
	slices.Sort(words)
	return slices.DeleteFunc(slices.Compact(words), func(word string) bool {
		return word == "" || len(word) > 256 || strings.HasPrefix(word, "-") || strings.Trim(word, plain) != ""
	})
}
