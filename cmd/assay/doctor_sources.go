package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"assay/fetch"
	"assay/trust"
)

// checkRepositories asks each repository, or with --offline looks at what is held.
func (u *checkup) checkRepositories(ctx context.Context) {
	if u.config == nil {
		u.skip("repositories", "the configuration does not tell which there are", "")
		return
	}
	var err error
	if u.session, err = u.app.session(u.line); err != nil {
		u.fail("repositories", err, "")
		return
	}
	if len(u.session.repositories) == 0 {
		u.skip("repositories", "none is trusted yet", "`assay trust add NAME URL --root-sha256 HEX`")
	}
	for _, r := range u.session.repositories {
		answered := u.checkRepository(ctx, r)
		if err := ctx.Err(); err != nil {
			return
		}
		u.checkSources(r, answered)
	}
}

// checkRepository tells of a repository: whether it answers, or what is held of it
// still counts, and what of it runs out soon. It reports whether it did answer.
func (u *checkup) checkRepository(ctx context.Context, r *repository) (answered bool) {
	view, err := u.session.client.View(ctx, r.name)
	switch {
	case err != nil && u.config.Offline && (errors.Is(err, trust.ErrNotHeld) || errors.Is(err, trust.ErrNoRoot)) && !isRefusal(err):
		u.skip(r.name, "nothing of it is held yet", "`assay trust refresh "+r.name+"`, without --offline")
		return false
	case err != nil:
		u.fail(r.name, err, "")
		return false
	case view.Stale() != nil:
		u.fail(r.name, view.Stale(), staleMend(u.config.Offline, r.name, view.Stale()))
		return true
	case view.Freshness() == trust.Grace:
		u.warn(r.name, "no source answers; what is held is used by the configured grace", hintNetwork)
		return true
	}
	if ahead := view.Checked(); ahead.After(u.app.now().Add(clockSlack)) {
		u.fail(r.name, failure(trust.ErrClock, "%s: it was last asked at %s, which this machine's clock has not reached", r.name, u.app.moment(ahead)), "set this machine's clock; if it once ran ahead, `assay trust clock reset "+r.name+"`")
		return true
	}
	if soon := u.expiresSoon(view); soon != "" {
		mend := "tell the publisher"
		if u.config.Offline {
			mend = "`assay trust refresh " + r.name + "`"
		}
		u.warn(r.name, soon, mend)
		return true
	}
	at, role := view.Expires()
	fresh := "fresh"
	if u.config.Offline {
		fresh = "held, last asked " + u.app.moment(view.Checked())
	}
	u.ok(r.name, "%s; %s expires first, %s", fresh, role, u.app.moment(at))
	return true
}

// isRefusal reports whether what is held was refused, rather than that there is none.
func isRefusal(err error) bool {
	return errors.Is(err, trust.ErrSignature) || errors.Is(err, trust.ErrMalformed) || errors.Is(err, trust.ErrTooLarge) || errors.Is(err, trust.ErrState)
}

func staleMend(offline bool, name string, stale error) string {
	switch {
	case errors.Is(stale, trust.ErrClock):
		return "set this machine's clock; if it once ran ahead, `assay trust clock reset " + name + "`"
	case offline:
		return "`assay trust refresh " + name + "`, without --offline; or this machine's clock runs ahead"
	}
	return "the repository has to publish anew; or this machine's clock runs ahead"
}

// expiresSoon names the first role that runs out within the time in which somebody
// has to act: a new root takes people, a new timestamp a machine.
func (u *checkup) expiresSoon(view *trust.View) string {
	within := map[string]time.Duration{"root": 30 * 24 * time.Hour, "targets": 24 * time.Hour, "snapshot": 12 * time.Hour, "timestamp": time.Hour}
	for _, role := range view.Roles() {
		if role.Expires.Sub(u.app.now()) < within[role.Role] {
			return fmt.Sprintf("%s expires soon, %s", role.Role, u.app.moment(role.Expires))
		}
	}
	return ""
}

// checkSources tells of the places of a repository as they are remembered and, if
// they were asked just now, as they answered. That none did was told before.
func (u *checkup) checkSources(r *repository, answered bool) {
	reports := r.source.Report()
	what, trouble := "mirrors of "+r.name, 0
	for _, place := range reports {
		if place.Own && !answered {
			continue
		}
		if found, mend := u.sourceTrouble(place, r.name); found != "" {
			trouble++
			u.warn(what, place.URL+": "+found, mend)
		}
	}
	if answered && trouble == 0 && len(reports) > 1 {
		u.ok(what, "%d places, none failed or lied lately", len(reports))
	}
}

func (u *checkup) sourceTrouble(place fetch.Report, name string) (found, mend string) {
	mend = "`assay trust show " + name + " --mirrors` tells more; tell whoever keeps it"
	switch record := place.Record; {
	case record.Lied():
		return "sent what does not verify, " + humanize.RelTime(record.Failed, u.app.now(), "ago", "from now"), mend
	case place.Out != nil:
		return "given up just now: " + place.Out.Error(), mend
	case record.Failing():
		return "failed " + humanize.RelTime(record.Failed, u.app.now(), "ago", "from now"), mend
	}
	return "", ""
}
