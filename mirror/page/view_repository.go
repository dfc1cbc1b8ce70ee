package page

import (
	"fmt"
	"slices"
	"time"

	"assay/mirror"
)

// repositoryView is one repository.
type repositoryView struct {
	Name, Anchor    string
	Open            bool // its details are
	State           state
	Mode            string
	Serving         bool
	Good            bool
	Since           moment // since when it is good, or not
	Unsure          bool   // no run has ended since the start
	Generation      int64
	Published       moment
	Expires         moment
	Confirmed, Next moment
	Roles           []roleView
	Run             *runView
	Targets         targetsView
	Aside           []asideView
	MoreAside       int
	Traffic         plot
	Hits            string // the share of requests that were answered from what is held
	Upstream        string // latency
}

// roleView is the version of a role here and upstream.
type roleView struct {
	Role           string
	Here, Upstream string
	Behind         bool
	State          state
	Expires        moment
}

// runView is the last run.
type runView struct {
	Outcome, Class string
	Began          moment
	Took           string
	Difference     string
	Reason         string
	Faults         []faultView
	More           int
}

type faultView struct{ Path, Reason, Fate string }

type targetsView struct {
	Promised, Carried, Held, Missing, Quarantined string
	Size                                          string
	Lacks                                         bool
}

type asideView struct {
	Path, Reason, Digest, Item string
	Since                      moment
	How                        string
}

// anchorOf is the id of a repository's section. Names of repositories are fit for it,
// see artifact.ValidRepository; the templates escape what is not.
func anchorOf(repository string) string { return "r-" + name(repository) }

func (p *Page) repositoryView(st mirror.Status, aside []mirror.Quarantined, now time.Time) repositoryView {
	v := repositoryView{
		Name: name(st.Repository), Anchor: anchorOf(st.Repository), State: stateOfAll(st, now), Mode: name(string(st.Mode)),
		Serving: st.Serving, Generation: st.Generation, Published: momentOf(st.Published, now),
		Good: st.Good, Since: momentOf(st.Since, now), Unsure: st.Since.IsZero(),
		Expires: momentOf(st.Expires, now), Confirmed: momentOf(st.Confirmed, now), Next: momentOf(st.Next, now),
		Targets: targetsView{
			Promised: numberText(int64(st.Targets.Promised)), Carried: numberText(int64(st.Targets.Carried)), Held: numberText(int64(st.Targets.Held)),
			Missing: numberText(int64(st.Targets.Missing)), Quarantined: numberText(int64(st.Targets.Quarantined)), Size: bytesText(st.Targets.Bytes),
			Lacks: st.Targets.Missing > 0,
		},
		Traffic: plotOf(p.history.of(st.Repository)), Hits: p.hits(st.Repository), Upstream: "not asked since the start",
	}
	if st.Upstream != nil {
		v.Upstream = "answered in "
		if p.silent(st.Repository) {
			v.Upstream = "no answer in "
		}
		v.Upstream += shortText(st.Upstream.Took) + p.latency(st.Repository)
	}
	if st.Next.IsZero() {
		v.Next.Text = "by hand"
	}
	for _, role := range st.Roles {
		r := roleView{Role: name(role.Role), Here: fmt.Sprint(role.Version), Upstream: "–", State: stateOf(role, now), Expires: momentOf(role.Expires, now)}
		if st.Upstream != nil {
			if i := slices.IndexFunc(st.Upstream.Roles, func(u mirror.RoleVersion) bool { return u.Role == role.Role }); i >= 0 {
				r.Upstream, r.Behind = fmt.Sprint(st.Upstream.Roles[i].Version), st.Upstream.Roles[i].Version > role.Version
			}
		}
		v.Roles = append(v.Roles, r)
	}
	v.Run = runViewOf(st.LastRun, now)
	for _, q := range aside {
		if q.Repository != st.Repository {
			continue
		}
		if len(v.Aside) == mostAside {
			v.MoreAside++
			continue
		}
		v.Aside = append(v.Aside, asideViewOf(q, now))
	}
	return v
}

func runViewOf(run *mirror.Run, now time.Time) *runView {
	if run == nil {
		return nil
	}
	v := &runView{
		Outcome: name(string(run.Outcome)), Class: "fresh", Began: momentOf(run.Began, now), Took: shortText(run.Took), Reason: reason(run.Reason),
		Difference: "nothing new", More: max(0, len(run.Faults)-mostFaults),
	}
	switch run.Outcome {
	case mirror.Failed:
		v.Class = "expired"
	case mirror.Partial:
		v.Class = "partial"
	case mirror.Cancelled:
		v.Class = "empty"
	}
	if run.Changed || run.Fetched > 0 {
		v.Difference = fmt.Sprintf("%s fetched, %s", numberText(int64(run.Fetched)), bytesText(run.Bytes))
	}
	if run.Changed {
		v.Difference += fmt.Sprintf("; generation %d", run.Generation)
	}
	for _, f := range run.Faults[:min(mostFaults, len(run.Faults))] {
		fate := "missing"
		switch {
		case f.Quarantined:
			fate = "in quarantine"
		case f.Retry:
			fate = "tried again"
		}
		v.Faults = append(v.Faults, faultView{path(f.Path), reason(f.Reason), fate})
	}
	return v
}

func asideViewOf(q mirror.Quarantined, now time.Time) asideView {
	v := asideView{Path: path(q.Path), Reason: reason(q.Reason), Digest: name(q.Digest.String()), Item: itemOf(q), Since: momentOf(q.Since, now), How: "its proof failed"}
	switch {
	case q.ByHand:
		v.How = "by hand"
	case q.Retry:
		v.How = "each run asks for it again"
	}
	return v
}
