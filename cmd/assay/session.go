package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/cache/state"
	"assay/fetch"
	"assay/internal/config"
	"assay/trust"
)

// session is what a command works with: everything that configuration and state
// say, joined. Only commands that need it make one.
type session struct {
	config *config.Config
	state  *state.DB
	cache  *cache.Store
	engine *fetch.Engine
	client *fetch.Client
	// repositories are those of `trust add` and of the configuration, by name.
	repositories []*repository
}

// repository is one that is trusted, and where that is written.
type repository struct {
	name        string
	url         string
	metadataURL string
	targetsURL  string
	layout      string
	rootSHA256  string // of the root that trust began with; empty: a file of the configuration says
	rootVersion int64
	origin      string
	declared    *config.Repository // nil: by trust add
	trust       *trust.Repository  // nil where the session is not about it
	source      *fetch.Source
}

// session opens what a command needs: all repositories, or, if it names any but
// the empty name, those only. It makes no request, but for the root of a
// declared repository that is used for the first time. A name that does not
// exist is no error here.
func (a *app) session(c *cli.Context, names ...string) (*session, error) {
	s, err := a.store(c)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	var joined []*fetch.Repository
	for _, r := range s.repositories {
		if len(names) > 0 && !slices.Contains(names, r.name) {
			continue
		}
		if err := a.connect(c.Context, s, r); err != nil {
			return nil, err
		}
		joined = append(joined, &fetch.Repository{Trust: r.trust, Source: r.source})
	}
	s.client, err = fetch.NewClient(fetch.Config{
		Repositories: joined, Cache: s.cache, Engine: s.engine, Now: a.now, Offline: s.config.Offline,
		MachineID: s.state.MachineID, Progress: a.progress,
		Warn: func(text string) { a.out.warn("%s", text) },
	})
	return s, err
}

// store is a session without a client: for commands that only look at what is
// stored. It makes no request.
func (a *app) store(c *cli.Context) (*session, error) {
	s, err := a.bareStore(c)
	if err != nil {
		return nil, err
	}
	s.repositories, err = s.list(c.Context)
	return s, err
}

// bareStore is a store that does not know its repositories: for commands that
// need none, or that clear up between them.
func (a *app) bareStore(c *cli.Context) (*session, error) {
	cfg, err := a.config(c)
	if err != nil {
		return nil, err
	}
	if err := cfg.NeedDirs(); err != nil {
		return nil, err
	}
	s := &session{config: cfg, engine: fetch.NewEngine(fetch.EngineOptions{UserAgent: "assay/" + buildVersion().Version})}
	if s.state, err = state.Open(cfg.StateDir, state.Options{Now: a.now}); err != nil {
		return nil, err
	}
	s.cache, err = cache.Open(cfg.CacheDir, cache.Options{Now: a.now, Notice: func(text string) { a.out.warn("%s", text) }})
	return s, err
}

// list joins the registered repositories with the declared ones. One name in
// both, for something else, is an error: neither may win silently.
func (s *session) list(ctx context.Context) ([]*repository, error) {
	registered, err := s.state.Repositories(ctx)
	if err != nil {
		return nil, err
	}
	var list []*repository
	for _, r := range registered {
		list = append(list, &repository{
			name: r.Name, url: r.URL, metadataURL: r.MetadataURL, targetsURL: r.TargetsURL, layout: r.Layout,
			rootSHA256: r.RootSHA256, rootVersion: r.RootVersion, origin: "trust add",
		})
	}
	for _, d := range s.config.Repositories {
		mine := &repository{
			name: d.Name, url: trimURL(d.URL), metadataURL: trimURL(d.MetadataURL), targetsURL: trimURL(d.TargetsURL),
			rootVersion: d.RootVersion, origin: d.Origin.String(), declared: &d,
		}
		mine.takeRoot(d)
		i := slices.IndexFunc(list, func(r *repository) bool { return r.name == d.Name })
		if i < 0 {
			if mine.layout, err = s.state.Layout(ctx, d.Name); err != nil {
				return nil, err
			}
			list = append(list, mine)
			continue
		}
		if err := list[i].merge(mine); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(x, y *repository) int { return strings.Compare(x.name, y.name) })
	return list, nil
}

// takeRoot tells of the declared root: its digest as it is declared, or that of
// its file. What is wrong with the file is told where the root is used.
func (r *repository) takeRoot(d config.Repository) {
	if !d.RootSHA256.IsZero() {
		r.rootSHA256 = d.RootSHA256.Hex()
	}
	if d.Root == "" {
		return
	}
	raw, err := readRoot(d.Root, d.RootSHA256)
	if err != nil {
		return
	}
	if info, err := trust.CheckRoot(raw); err == nil {
		r.rootVersion, r.rootSHA256 = info.Version, info.SHA256.Hex()
	}
}

// merge takes a declaration over into a registered repository of the name.
func (r *repository) merge(d *repository) error {
	other := ""
	switch {
	case r.url != d.url || r.metadataURL != d.metadataURL || r.targetsURL != d.targetsURL:
		other = fmt.Sprintf("the URL %s there, %s here", clip(d.url), clip(r.url))
	case d.rootSHA256 != "" && d.rootSHA256 != r.rootSHA256:
		other = fmt.Sprintf("the root sha256 %s there, %s here", d.rootSHA256, r.rootSHA256)
	default:
		r.declared, r.origin = d.declared, d.origin
		return nil
	}
	return withHint(usagef("%s: declared in %s and added by `assay trust add`, but with %s", r.name, d.origin, other),
		"`assay trust remove "+r.name+"` leaves the declared one")
}

// find is the repository of that name.
func (s *session) find(name string) (*repository, error) {
	var known []string
	for _, r := range s.repositories {
		if r.name == name {
			return r, nil
		}
		known = append(known, r.name)
	}
	return nil, fmt.Errorf("%w: %q%s", errNoRepository, clip(name), didYouMean(config.Nearest(name, known)))
}

// connect gives a repository its source and its trust.
func (a *app) connect(ctx context.Context, s *session, r *repository) error {
	var err error
	r.source, err = fetch.NewSource(s.engine, fetch.SourceConfig{
		URL: r.url, MetadataURL: r.metadataURL, TargetsURL: r.targetsURL, Layout: r.layout,
		Remember: func(ctx context.Context, layout string) error { return s.state.SetLayout(ctx, r.name, layout) },
	})
	if err != nil {
		return mark(errUsage, fmt.Errorf("%s: %s: %w", r.origin, r.name, err))
	}
	open := trust.Config{Name: r.name, Store: s.state.Trust(r.name), Remote: r.source, Now: a.now}
	if r.declared != nil {
		open.Grace = r.declared.Grace
		// What is wrong with one repository must not get in the way of the
		// others: whoever asks this one is told.
		if open.Root, err = s.declaredRoot(ctx, r); err != nil {
			open.Store = brokenStore{err}
		}
	}
	r.trust, err = trust.Open(open)
	return err
}

// keyDeclared is where, beside the trust state of a declared repository, the
// digest of the root that its trust began with is kept. Package trust has no
// such key.
const keyDeclared = "declared"

// declaredRoot is the root of a declared repository: from its file, or by its
// digest from its source, or nil where trust in it has begun already, or where
// it would take the network, which is forbidden. A declaration that was changed
// since to another root is an error.
func (s *session) declaredRoot(ctx context.Context, r *repository) ([]byte, error) {
	begun, held, err := s.begun(ctx, r.name)
	if err != nil {
		return nil, err
	}
	want := r.declared.RootSHA256
	if begun && held != "" && !want.IsZero() && held != want.Hex() {
		return nil, fmt.Errorf("%s: %w: trust in it began with the root sha256 %s, found %s in %s", r.name, trust.ErrRootConflict, held, want.Hex(), r.origin)
	}
	var raw []byte
	switch {
	case r.declared.Root != "":
		raw, err = readRoot(r.declared.Root, want)
	case begun || s.config.Offline:
		return nil, nil
	default:
		raw, err = r.source.ReadRoot(ctx, r.declared.RootVersion, want)
		if errors.Is(err, trust.ErrMismatch) {
			err = mark(trust.ErrRootChain, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the root that %s declares: %w", r.name, r.origin, err)
	}
	if begun {
		return raw, nil
	}
	info, err := trust.CheckRoot(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: the root that %s declares: %w", r.name, r.origin, err)
	}
	return raw, s.state.Trust(r.name).Update(ctx, func(tx state.Tx) error {
		return tx.Put(keyDeclared, []byte(info.SHA256.Hex()))
	})
}

// begun reports whether there is trust state of a repository, and the digest of
// the declared root that it began with.
func (s *session) begun(ctx context.Context, name string) (begun bool, declared string, err error) {
	err = s.state.Trust(name).View(ctx, func(tx state.Tx) error {
		keys, err := tx.Keys("")
		if err != nil {
			return err
		}
		begun = slices.ContainsFunc(keys, func(key string) bool { return key != keyDeclared })
		value, err := tx.Get(keyDeclared)
		declared = string(value)
		return err
	})
	return begun, declared, err
}

// readRoot reads a root file, and compares it with its digest unless that is
// zero. The file may come from anywhere.
func readRoot(path string, want artifact.Digest) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, mark(errUsage, fmt.Errorf("cannot read the root: %w", err))
	}
	defer file.Close()
	limit := trust.DefaultLimits().Root
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, mark(errUsage, fmt.Errorf("cannot read the root: %w", err))
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, found more", path, trust.ErrTooLarge, limit)
	}
	if found := artifact.DigestOf(artifact.SHA256, raw); !want.IsZero() && found != want {
		return nil, mark(trust.ErrRootChain, &trust.MismatchError{What: path, Expected: want.String(), Found: found.String()})
	}
	return bytes.Clone(raw), nil
}

// trimURL brings a base URL into the form in which it is stored and compared.
func trimURL(url string) string { return strings.TrimRight(url, "/") }

// brokenStore answers everything with the error because of which a repository
// can't be used.
type brokenStore struct{ err error }

func (b brokenStore) View(context.Context, func(trust.Tx) error) error   { return b.err }
func (b brokenStore) Update(context.Context, func(trust.Tx) error) error { return b.err }
