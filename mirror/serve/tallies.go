package serve

import (
	"net/http"
	"sync"

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

// tally counts the requests of one repository.
type tally struct {
	repository string
	requests   [len(results)]*counters.Counter
	bytes      *counters.Counter
}

func (t *tally) add(status int, cut bool, bytes int64) {
	t.requests[resultOf(status, cut)].Add(1)
	t.bytes.Add(bytes)
}

// tallies are kept for the repositories that there are, and one for what belongs to
// none. Names that only clients know are never among them.
type tallies struct {
	set   *counters.Set
	other *tally
	known sync.Map // *tally by repository
}

func newTallies(set *counters.Set) *tallies {
	t := &tallies{set: set}
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

func (t *tallies) make(repository string) *tally {
	made := &tally{repository: repository, bytes: t.set.Counter("assay_mirror_http_response_bytes_total", "repository", repository)}
	for i, result := range results {
		made.requests[i] = t.set.Counter("assay_mirror_http_requests_total", "repository", repository, "result", result)
	}
	return made
}
