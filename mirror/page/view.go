package page

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"assay/mirror"
	"assay/mirror/counters"
)

// The names under which is counted what the page shows of transfers.
const (
	servedBytes  = counters.ResponseBytes
	fetchedBytes = "assay_mirror_upstream_bytes_total"
	upstreamTime = "assay_mirror_upstream_request_seconds"
	upstreamUp   = "assay_mirror_upstream_up" // 0: it gave no answer
)

const (
	mostExpiries = 6
	mostFaults   = 10
	mostAside    = 100 // of one repository
	mostReleases = 25
	openAtMost   = 3 // repositories whose details are open of themselves
)

// view is all that the page shows, as it shows it.
type view struct {
	Style    template.CSS
	AsOf     moment
	Who      string
	SignedIn bool
	Form     string // the text that forms carry
	Notice   *notice
	NotReady string // why it is not; empty: it is

	Counts       []count
	Next         []expiry
	Storage      storageView
	Scrub        scrubView
	Traffic      plot // of all
	Repositories []repositoryView
	Releases     []figuresRow
	MoreReleases int
	Readers      []figuresRow // by repository
}

// count is how many repositories stand so.
type count struct {
	State state
	N     int
}

// expiry is a role and when it expires.
type expiry struct {
	Repository, Anchor, Role string
	State                    state
	Expires                  moment
}

type storageView struct {
	Fault         string
	Used, Objects string
	Limit, Free   string // empty: not known
	Share         int    // of the quota, in hundredths; -1: there is none
	ShareText     string
	Tight         bool
}

type scrubView struct {
	Ended           moment
	Never           bool
	Checked         string
	Damaged, Healed int64
	Broken          bool // something was damaged and did not come back
}

// state is a word, and the class of its colour and mark.
type state struct{ Word, Class string }

// The states of a repository, the worst first.
var (
	isExpired = state{"expired", "expired"}
	isEmpty   = state{"empty", "empty"}
	isPartial = state{"partial", "partial"}
	isSoon    = state{"expires soon", "soon"}
	isFresh   = state{"fresh", "fresh"}

	states = []state{isExpired, isEmpty, isPartial, isSoon, isFresh}
)

// stateOf is how a role stands.
func stateOf(role mirror.RoleVersion, now time.Time) state {
	switch {
	case !role.Expires.After(now):
		return isExpired
	case role.ExpiresSoon(now):
		return isSoon
	}
	return isFresh
}

// stateOfAll is how a repository stands: the worst that holds.
func stateOfAll(st mirror.Status, now time.Time) state {
	switch {
	case st.State == mirror.Empty:
		return isEmpty
	case st.State == mirror.Expired || !st.Expires.After(now):
		return isExpired
	case st.Targets.Quarantined+st.Targets.Missing > 0 || st.LastRun != nil && st.LastRun.Outcome == mirror.Partial:
		return isPartial
	}
	for _, role := range st.Roles {
		if role.ExpiresSoon(now) {
			return isSoon
		}
	}
	return isFresh
}

// view is what the page shows now.
func (p *Page) view(ctx context.Context, who asker) view {
	now := p.config.Now()
	v := view{Style: template.CSS(style), AsOf: momentOf(now, now), Who: name(who.name), SignedIn: who.signedIn, Form: who.form}
	all := p.config.Mirror.Statuses()
	if err := p.config.Mirror.Ready(); err != nil {
		v.NotReady = reason(err.Error())
	}
	aside, err := p.config.Mirror.Quarantine("")
	if err != nil {
		v.NotReady = reason(err.Error())
	}
	for _, st := range all {
		v.Repositories = append(v.Repositories, p.repositoryView(st, aside, now))
	}
	slices.SortStableFunc(v.Repositories, func(x, y repositoryView) int {
		return cmp.Or(slices.Index(states, x.State)-slices.Index(states, y.State), goodness(x)-goodness(y), strings.Compare(x.Name, y.Name))
	})
	for i := range v.Repositories {
		v.Repositories[i].Open = len(all) <= openAtMost
	}
	v.Counts = countsOf(v.Repositories)
	v.Next = nextOf(all, now)
	v.Storage, v.Scrub = p.storageView(ctx, now)
	v.Traffic = plotOf(p.total(all))
	p.figures(&v)
	return v
}

// goodness is 0 of what was found not to be good, else 1.
func goodness(r repositoryView) int {
	if !r.Good && !r.Unsure {
		return 0
	}
	return 1
}

func countsOf(list []repositoryView) (counts []count) {
	for _, s := range slices.Backward(states) {
		n := 0
		for _, r := range list {
			if r.State == s {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, count{s, n})
		}
	}
	return counts
}

// nextOf are the roles that expire next, of all repositories; those that have, first.
func nextOf(all []mirror.Status, now time.Time) []expiry {
	var next []expiry
	list := mirror.NextExpiries(all)
	for _, e := range list[:min(mostExpiries, len(list))] {
		next = append(next, expiry{
			name(e.Repository), anchorOf(e.Repository), name(e.Role), stateOf(e.RoleVersion, now), momentOf(e.Expires, now),
		})
	}
	return next
}

func (p *Page) storageView(ctx context.Context, now time.Time) (storageView, scrubView) {
	st, err := p.config.Mirror.Storage(ctx)
	s := storageView{Used: bytesText(st.Used), Objects: numberText(st.Objects), Share: -1}
	if err != nil {
		s.Fault = reason(err.Error())
	}
	if st.Free >= 0 && err == nil {
		s.Free = bytesText(st.Free)
	}
	limit := st.Quota
	if limit == 0 && st.Free >= 0 {
		limit = st.Used + st.Free // what the device has room for
	} else if limit > 0 {
		s.Limit = bytesText(limit)
	}
	if limit > 0 && err == nil {
		s.Share = int(min(100, max(0, 100*float64(st.Used)/float64(limit))))
		s.ShareText, s.Tight = fmt.Sprintf("%d %%", s.Share), s.Share >= 90 || st.Free >= 0 && st.Free < limit/10
	}
	return s, scrubView{
		Ended: momentOf(st.Scrub.Ended, now), Never: st.Scrub.Ended.IsZero(), Checked: numberText(st.Scrub.Checked),
		Damaged: st.Scrub.Damaged, Healed: st.Scrub.Healed, Broken: st.Scrub.Damaged > st.Scrub.Healed,
	}
}

// total sums up the flows of all repositories, from the newest back.
func (p *Page) total(all []mirror.Status) []flow {
	var sum []flow
	for _, st := range all {
		flows := p.history.of(st.Repository)
		if len(flows) > len(sum) {
			sum = append(make([]flow, len(flows)-len(sum)), sum...)
		}
		for i, f := range flows {
			at := len(sum) - len(flows) + i
			sum[at].served += f.served
			sum[at].fetched += f.fetched
		}
	}
	return sum
}
