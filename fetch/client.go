package fetch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"assay/cache"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
	"assay/trust/proof"
)

// Repository joins what is trusted with where it lies.
type Repository struct {
	Trust  *trust.Repository
	Source *Source
}

// Config is what a Client needs. Repositories, Cache and Engine are required.
type Config struct {
	Repositories []*Repository
	Cache        *cache.Store
	Engine       *wire.Engine
	// Map says which repositories must agree on what; nil: each speaks for itself.
	Map *trust.Map
	// Prover verifies what is signed and attested, and judges it by policy, for
	// Get, Judge and Identify. nil: metadata alone is looked at.
	Prover *proof.Prover
	Now    func() time.Time // nil: time.Now
	// Offline forbids every request: metadata and bytes come from what is held.
	Offline bool
	// MachineID is this machine's random number, for the cohorts of staged
	// rollouts. nil: the machine belongs to the last cohort of each.
	MachineID func(context.Context) ([16]byte, error)
	// Transfer sets the bounds of transfers; its Notice is Warn.
	Transfer transfer.Options
	// Downloads (6) is how many files are fetched at once. Of small ones, up to 1 MiB,
	// eight count as one.
	Downloads int
	Progress  Progress     // nil: none
	Warn      func(string) // nil: warnings only stand in the results
}

// Client fetches from several repositories. It asks each at most once for fresh
// metadata in its lifetime. It is safe for several goroutines.
type Client struct {
	repositories map[string]*Repository
	cache        *cache.Store
	mover        *transfer.Mover
	downloads    slots
	approvals    *trust.Map
	prover       *proof.Prover
	now          func() time.Time
	offline      bool
	machineID    func(context.Context) ([16]byte, error)
	progress     Progress
	warn         func(string)

	mu    sync.Mutex
	views map[string]*pendingView
}

// NewClient checks the configuration. It asks nothing yet.
func NewClient(config Config) (*Client, error) {
	if config.Cache == nil || config.Engine == nil {
		return nil, errors.New("fetch: a client needs a cache and an engine")
	}
	c := &Client{
		repositories: map[string]*Repository{}, cache: config.Cache, approvals: config.Map, prover: config.Prover,
		now: config.Now, offline: config.Offline, machineID: config.MachineID,
		progress: config.Progress, warn: config.Warn, views: map[string]*pendingView{},
	}
	if c.warn == nil {
		c.warn = func(string) {}
	}
	config.Transfer.Notice = c.warn
	c.mover = transfer.New(config.Engine, config.Transfer)
	if config.Downloads <= 0 {
		config.Downloads = 6
	}
	c.downloads = newSlots(config.Downloads)
	for _, r := range config.Repositories {
		if _, twice := c.repositories[r.Trust.Name()]; twice {
			return nil, fmt.Errorf("fetch: two repositories are named %q", r.Trust.Name())
		}
		c.repositories[r.Trust.Name()] = r
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.progress == nil {
		c.progress = silent{}
	}
	return c, nil
}

// Names lists the repositories, sorted.
func (c *Client) Names() []string { return slices.Sorted(maps.Keys(c.repositories)) }

// pendingView is one repository's view, or why there is none.
type pendingView struct {
	mu    sync.Mutex // held while the repository is asked
	asked bool
	view  *trust.View
	err   error

	library *library // of view
}

// View is what a repository promises: refreshed, once per Client, or offline
// the last complete set. That a caller gave up is not remembered.
func (c *Client) View(ctx context.Context, name string) (*trust.View, error) {
	r, ok := c.repositories[name]
	if !ok {
		return nil, fmt.Errorf("%w: no repository is named %q", ErrUnknown, name)
	}
	c.mu.Lock()
	pending := c.views[name]
	if pending == nil {
		pending = &pendingView{library: newLibrary()}
		c.views[name] = pending
	}
	c.mu.Unlock()
	pending.mu.Lock()
	defer pending.mu.Unlock()
	if pending.asked {
		return pending.view, pending.err
	}
	view, err := c.ask(ctx, r)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	pending.asked, pending.view, pending.err = true, view, err
	if err == nil && view.Freshness() == trust.Grace {
		c.warn(fmt.Sprintf("%s: no source answers; metadata of %s is used by the configured grace", name, view.Checked().UTC().Format(time.RFC3339)))
	}
	return view, err
}
