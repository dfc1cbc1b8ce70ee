package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/cache"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/internal/config"
	"assay/trust"
	"assay/trust/proof"
)

// session is what a command works with: everything that configuration and state
// say, joined. Only commands that need it make one.
type session struct {
	config *config.Config
	state  *state.DB
	cache  *cache.Store
	engine *wire.Engine
	client *fetch.Client
	prover *proof.Prover
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
	declared    *config.Repository // nil: by trust add alone
	registered  *state.Repository  // nil: by the configuration alone
	trust       *trust.Repository  // nil where the session is not about it
	store       *notingStore       // of trust
	source      *fetch.Source
	inbox       string // the folder of what was brought to a mirror; empty: it is asked at its url
}

// session opens what a command needs: all repositories, or, if it names any but
// the empty name, those only. It makes no request, but for the root of a
// declared repository that is used for the first time. A name that does not
// exist is no error here. It has no map: whoever looks up targets that are then
// used needs asking.
func (a *app) session(c *cli.Context, names ...string) (*session, error) {
	s, err := a.store(c)
	if err != nil {
		return nil, err
	}
	return s, a.join(c, s, nil, names)
}

// join gives a session its client, for the named repositories and those that
// they must agree with.
func (a *app) join(c *cli.Context, s *session, agree *trust.Map, names []string) (err error) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	for _, name := range names {
		if _, err := s.find(name); err != nil {
			return err
		}
	}
	if names = withPartners(names, agree); len(names) > 0 {
		names = append(names, s.consulted()...)
	}
	if s.prover, err = a.prover(s); err != nil {
		return err
	}
	var joined []*fetch.Repository
	for _, r := range s.repositories {
		if len(names) > 0 && !slices.Contains(names, r.name) {
			continue
		}
		if err := a.connect(c.Context, s, r); err != nil {
			return err
		}
		joined = append(joined, &fetch.Repository{Trust: r.trust, Source: r.source})
	}
	s.client, err = fetch.NewClient(fetch.Config{
		Repositories: joined, Cache: s.cache, Engine: s.engine, Map: agree, Prover: s.prover, Now: a.now, Offline: s.config.Offline,
		MachineID: s.state.MachineID, Progress: a.progress, Transfer: transferOf(s.config), Downloads: int(s.config.Transfer.Downloads),
		Warn: func(text string) { a.out.warn("%s", text) },
	})
	return err
}

// asking is a session for a command that asks what is promised, where
// repositories have to agree. It can do nothing without one: that there is none
// is an error which says how to get one.
func (a *app) asking(c *cli.Context, names ...string) (*session, error) {
	s, err := a.store(c)
	if err != nil {
		return nil, err
	}
	if len(s.repositories) == 0 {
		return nil, withHint(fmt.Errorf("%w: none is trusted yet", errNoRepository), "`assay trust add NAME URL --root-sha256 HEX` adds one")
	}
	agree, err := s.agreement()
	if err != nil {
		return nil, err
	}
	return s, a.join(c, s, agree, names)
}

// named is a session for a command whose one argument is a repository, and that
// repository.
func (a *app) named(c *cli.Context) (*session, *repository, error) {
	args, err := operands(c, 1, 1)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.session(c, args[0])
	if err != nil {
		return nil, nil, err
	}
	r, err := s.find(args[0])
	return s, r, err
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
	s := &session{config: cfg, engine: a.engineOf(cfg)}
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
			rootSHA256: r.RootSHA256, rootVersion: r.RootVersion, origin: "trust add", registered: &r,
		})
	}
	for _, d := range s.config.Repositories {
		mine := &repository{
			name: d.Name, url: trimURL(d.URL), metadataURL: trimURL(d.MetadataURL), targetsURL: trimURL(d.TargetsURL),
			rootVersion: d.RootVersion, origin: d.Origin.String(), declared: &d,
		}
		mine.takeRoot(d, limitsOf(s.config))
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
	limits := limitsOf(s.config)
	source := a.sourceOf(s, r.name)
	source.URL, source.MetadataURL, source.TargetsURL, source.Layout = r.url, r.metadataURL, r.targetsURL, r.layout
	if r.inbox != "" {
		source = brought(source, r.inbox)
	}
	source.Remember = func(ctx context.Context, layout string) error { return s.state.SetLayout(ctx, r.name, layout) }
	if r.url == urlImport && r.inbox == "" {
		return withHint(usagef("%s: %s comes by `assay mirror import` alone: expected a URL to ask, found %q", r.origin, r.name, urlImport), "ask the mirror that imports it")
	}
	if r.source, err = fetch.NewSource(s.engine, source); err != nil {
		return mark(errUsage, fmt.Errorf("%s: %s: %w", r.origin, r.name, err))
	}
	open := trust.Config{Name: r.name, Store: s.state.Trust(r.name), Remote: r.source, Now: a.now, Limits: limits}
	if r.registered != nil {
		open.Store = s.state.TrustOf(*r.registered)
	}
	if r.declared != nil {
		open.Grace = r.declared.Grace
		// What is wrong with one repository must not get in the way of the
		// others: whoever asks this one is told.
		if open.Root, err = s.declaredRoot(ctx, r); err != nil {
			open.Store = brokenStore{err}
		}
	}
	r.store = &notingStore{Store: open.Store, roots: a.rootNoter(s, r)}
	open.Store = r.store
	r.trust, err = trust.Open(open)
	return err
}

// trimURL brings a base URL into the form in which it is stored and compared.
func trimURL(url string) string { return strings.TrimRight(url, "/") }
