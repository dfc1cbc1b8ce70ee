package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/mirror/counters"
	"assay/mirror/storage"
	"assay/mirror/tracing"
)

// Mirrored is an upstream and how it is mirrored.
type Mirrored struct {
	Settings Settings
	Upstream Upstream
}

// Config is what a Mirror is opened with. Storage is required.
type Config struct {
	Storage      storage.Storage
	Repositories []Mirrored
	Counters     *counters.Set   // nil: nothing is counted
	Tracer       *tracing.Tracer // nil: nobody is told of steps
	Log          *slog.Logger    // nil: none
	Now          func() time.Time
	// Quota is how many bytes the storage may hold; 0: as many as the device.
	Quota int64
	// Parallel (64) is how many targets of one repository are asked for at once; the
	// upstream has bounds of its own.
	Parallel int
	// ScrubRate is how many bytes a second are hashed to find damage, and ScrubEvery
	// how often all of it is; 0: never.
	ScrubRate  int64
	ScrubEvery time.Duration
}

// Mirror keeps repositories and says what may be served of them. It is safe for
// several goroutines.
type Mirror struct {
	storage  storage.Storage
	counters *counters.Set
	tracer   *tracing.Tracer
	log      *slog.Logger
	now      func() time.Time
	parallel int

	life       context.Context // ends with Close
	end        context.CancelCauseFunc
	background sync.WaitGroup
	writing    sync.RWMutex // read: objects come that nothing leads to yet; write: a collection

	configuring sync.Mutex // held while repositories take others' places, or a collection looks at them

	mu           sync.Mutex // guards what follows; nothing is fetched under it
	repositories []*repository
	quota        int64
	room         room
	objects      int64
	uses         map[artifact.Digest]int64
	turn         int64
	scrub        Scrub
	scrubRate    int64
	scrubEvery   time.Duration
	changed      chan struct{} // closed when the settings change
}

// ErrStopped: the mirror was closed.
var ErrStopped = errors.New("the mirror stops")

// Open brings back what was published. It makes no request.
func Open(ctx context.Context, c Config) (*Mirror, error) {
	m := &Mirror{
		storage: c.Storage, counters: c.Counters, tracer: c.Tracer, log: c.Log, now: c.Now, parallel: c.Parallel, quota: c.Quota,
		uses: map[artifact.Digest]int64{}, scrubRate: c.ScrubRate, scrubEvery: c.ScrubEvery, changed: make(chan struct{}),
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.parallel <= 0 {
		m.parallel = 64
	}
	m.life, m.end = context.WithCancelCause(context.Background())
	made, err := m.make(ctx, c.Repositories, nil)
	if err != nil {
		m.end(err)
		return nil, err
	}
	m.repositories = made
	m.measure(ctx)
	return m, nil
}

// make makes repositories, those that are there already with what they serve.
func (m *Mirror) make(ctx context.Context, list []Mirrored, old []*repository) ([]*repository, error) {
	var made []*repository
	for _, one := range list {
		if err := one.Settings.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", one.Settings.Name, err)
		}
		if slices.ContainsFunc(made, func(r *repository) bool { return r.settings.Name == one.Settings.Name }) {
			return nil, fmt.Errorf("%s: expected each repository once, found one twice", one.Settings.Name)
		}
		r := &repository{m: m, settings: one.Settings, upstream: one.Upstream}
		if err := r.load(ctx); err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(old, func(o *repository) bool { return o.settings.Name == one.Settings.Name }); i >= 0 {
			old[i].mu.Lock()
			r.last, r.answer, r.confirmed, r.good, r.since = old[i].last, old[i].answer, old[i].confirmed, old[i].good, old[i].since
			old[i].mu.Unlock()
		}
		made = append(made, r)
	}
	slices.SortFunc(made, func(x, y *repository) int { return strings.Compare(x.settings.Name, y.settings.Name) })
	return made, nil
}

// Close ends all that goes on, and waits for it. What was under way publishes
// nothing.
func (m *Mirror) Close() {
	m.mu.Lock() // nothing begins after it
	m.end(ErrStopped)
	m.mu.Unlock()
	m.background.Wait()
}

// spawn does something that Close ends and waits for; false: it was closed.
func (m *Mirror) spawn(do func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life.Err() != nil {
		return false
	}
	m.background.Go(do)
	return true
}

// list are the repositories, by name.
func (m *Mirror) list() []*repository {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.repositories
}

func (m *Mirror) repository(name string) (*repository, error) {
	for _, r := range m.list() {
		if r.settings.Name == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%w: %.80q", ErrNoRepository, name)
}

// fatal reports whether an error is about the storage as a whole.
func (m *Mirror) fatal(err error) bool {
	return errors.Is(err, storage.ErrDisk) || errors.Is(err, storage.ErrChanged) || errors.Is(err, ErrQuota) || errors.Is(err, ErrTooMany) ||
		errors.Is(err, cache.ErrDisk) || errors.Is(err, cache.ErrBusy) || errors.Is(err, ErrStopped) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Names are the repositories, sorted.
func (m *Mirror) Names() []string {
	var names []string
	for _, r := range m.list() {
		names = append(names, r.settings.Name)
	}
	return names
}

// Status tells how a repository stands.
func (m *Mirror) Status(name string) (Status, error) {
	r, err := m.repository(name)
	if err != nil {
		return Status{}, err
	}
	return r.status(), nil
}

// Statuses tells how all stand.
func (m *Mirror) Statuses() []Status {
	var all []Status
	for _, r := range m.list() {
		all = append(all, r.status())
	}
	return all
}

// Ready is nil where the storage can be read and a repository is served. That others
// are not is told by their Status: one upstream that is gone does not take the others'
// readers away.
func (m *Mirror) Ready() error {
	why := ErrNotReady
	for _, r := range m.list() {
		st := r.status()
		switch {
		case st.Serving:
			why = nil
		case why == nil:
		case st.State == Expired:
			why = fmt.Errorf("%s: %w", st.Repository, ErrExpired)
		default:
			why = fmt.Errorf("%s: %w", st.Repository, ErrNotReady)
		}
	}
	if why != nil {
		return why
	}
	if _, err := m.storage.Documents(m.life, "current/"); err != nil {
		return err
	}
	return nil
}
