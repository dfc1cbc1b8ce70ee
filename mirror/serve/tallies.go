package serve

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"assay/mirror"
	"assay/mirror/counters"
)

// results are what became of requests, as the counters' label has it.
var results = [...]string{"ok", "partial", "not_modified", "not_found", "refused", "limited", "unauthorized", "unavailable", "error", "cut"}

// resultOf is the place in results of a status.
func resultOf(status int, cut bool) int {
	switch {
	case cut:
		return 9
	case status == http.StatusPartialContent:
		return 1
	case status == http.StatusNotModified:
		return 2
	case status < 400:
		return 0
	case status == http.StatusNotFound:
		return 3
	case status == http.StatusTooManyRequests:
		return 5
	case status == http.StatusUnauthorized:
		return 6
	case status == http.StatusServiceUnavailable:
		return 7
	case status >= 500:
		return 8
	default:
		return 4
	}
}

// tally counts the requests of one repository, or of one product and channel of it.
type tally struct {
	repository string
	requests   [len(results)]*counters.Counter
	bytes      *counters.Counter
	latency    *counters.Histogram
	hits       *counters.Counter // nil but for a repository
}

// add counts a request; first is how long it took up to the first byte of the answer.
func (t *tally) add(status int, cut bool, bytes int64, first time.Duration) {
	if t == nil {
		return
	}
	t.requests[resultOf(status, cut)].Add(1)
	t.bytes.Add(bytes)
	if status != 0 {
		t.latency.Observe(first)
	}
}

// groupKey is a product and a channel of a repository.
type groupKey struct{ repository, product, channel string }

// tallies are kept for the repositories that there are, and one for what belongs to
// none; and for what their listings have of products and channels, so many of them.
// Names that only clients know are never among them.
type tallies struct {
	set   *counters.Set
	other *tally
	known sync.Map // *tally by repository

	mu     sync.RWMutex // guards groups
	groups map[groupKey]*tally
}

func newTallies(set *counters.Set) *tallies {
	t := &tallies{set: set, groups: map[groupKey]*tally{}}
	t.other = t.make("")
	return t
}

// of is the tally of a repository that the Library knows.
func (t *tallies) of(repository string) *tally {
	if found, ok := t.known.Load(repository); ok {
		return found.(*tally)
	}
	found, _ := t.known.LoadOrStore(repository, t.make(repository))
	return found.(*tally)
}

// ofRelease is the tally of the product and channel that the Library says a file is
// of; nil: it is of none.
func (t *tallies) ofRelease(f *mirror.File) *tally {
	if f.Product == "" {
		return nil
	}
	key := groupKey{f.Repository, f.Product, f.Channel}
	t.mu.RLock()
	found := t.groups[key]
	t.mu.RUnlock()
	if found != nil {
		return found
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// One of others for each repository does not count: there are few of these.
	if len(t.groups) >= counters.MaxReleases {
		key.product, key.channel = counters.Others, ""
	}
	if t.groups[key] == nil {
		t.groups[key] = t.fill(&tally{repository: key.repository}, [3]string{counters.ReleaseRequests, counters.ReleaseBytes, counters.ReleaseByte},
			counters.LabelRepository, key.repository, counters.LabelProduct, key.product, counters.LabelChannel, key.channel)
	}
	return t.groups[key]
}

func (t *tallies) make(repository string) *tally {
	made := &tally{repository: repository}
	if repository != "" {
		made.hits = t.set.Counter(counters.Lookups, counters.LabelRepository, repository, counters.LabelResult, "hit")
	}
	return t.fill(made, [3]string{counters.Requests, counters.ResponseBytes, counters.FirstByte}, counters.LabelRepository, repository)
}

// fill gives a tally its counters: of requests, bytes and latency.
func (t *tallies) fill(made *tally, names [3]string, labels ...string) *tally {
	made.bytes, made.latency = t.set.Counter(names[1], labels...), t.set.Histogram(names[2], labels...)
	for i, result := range results {
		made.requests[i] = t.set.Counter(names[0], append(slices.Clone(labels), counters.LabelResult, result)...)
	}
	return made
}
