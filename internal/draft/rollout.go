package draft

import (
	"fmt"
	"slices"
	"time"

	"assay/artifact/release"
)

// maxSteps is the most steps that a rollout can have in an index.
const maxSteps = 100

// checkSteps holds a rollout to one direction, as clients do.
func checkSteps(steps []Step) error {
	if len(steps) > maxSteps {
		return fmt.Errorf("%w: expected at most %d steps of a rollout, found %d", ErrInput, maxSteps, len(steps))
	}
	for i, s := range steps {
		switch {
		case s.Percent < 0 || s.Percent > 100:
			return fmt.Errorf("%w: expected percents from 0 to 100, found %d", ErrInput, s.Percent)
		case s.After < 0 || s.After > time.Duration(release.MaxDuration):
			return fmt.Errorf("%w: expected steps within 100 years from now on, found %s", ErrInput, s.After)
		case i > 0 && (s.After <= steps[i-1].After || s.Percent < steps[i-1].Percent):
			return fmt.Errorf("%w: expected steps that come later and reach no fewer machines, found %d%% after %s behind %d%% after %s",
				ErrInput, s.Percent, s.After, steps[i-1].Percent, steps[i-1].After)
		}
	}
	return nil
}

// asPlanned reports whether a release is given to the machines as the promotion
// asks for: at once, or by steps of the same shares at the same distances, whenever
// they began.
func (p Promotion) asPlanned(r *release.Rollout) bool {
	if r == nil || p.Rollout == nil {
		return r == nil && p.Rollout == nil
	}
	return slices.EqualFunc(r.Steps, p.Rollout, func(at release.RolloutStep, want Step) bool {
		return at.Percent == want.Percent && at.At.Sub(r.Steps[0].At) == want.After-p.Rollout[0].After
	})
}

// checkRollout looks at a release that the channel gives to machines already: what
// a machine has been given is not taken back, and the rest are given it early only
// by steps that say so.
func (p Promotion) checkRollout(index *release.Channel, now time.Time) error {
	entry, listed := index.Lookup(p.Version)
	if !listed || entry.Status != release.StatusCurrent || p.asPlanned(entry.Rollout) {
		return nil
	}
	if isComplete(entry.Rollout, now) {
		if p.Rollout == nil {
			return nil // the steps have no effect any more, and go
		}
		return fmt.Errorf("%w: %s is current in the channel %s for every machine already: expected no rollout of it, found one", ErrPromotion, p.name(), p.To)
	}
	reached := 0
	for _, s := range entry.Rollout.Steps {
		if !s.At.After(now) {
			reached = s.Percent
		}
	}
	if p.Rollout == nil {
		return fmt.Errorf("%w: %s is in a rollout in the channel %s, at %d percent: expected other steps for it, or the same ones, found none; --rollout 100@0h gives it to every machine",
			ErrPromotion, p.name(), p.To, reached)
	}
	if first := p.Rollout[0]; reached > 0 && (first.After > 0 || first.Percent < reached) {
		return fmt.Errorf("%w: %s is in a rollout in the channel %s, at %d percent: expected steps that begin with no fewer at once, found %d percent after %s",
			ErrPromotion, p.name(), p.To, reached, first.Percent, first.After)
	}
	return nil
}

// isComplete reports whether a rollout has reached every machine.
func isComplete(r *release.Rollout, now time.Time) bool {
	if r == nil {
		return true
	}
	return slices.ContainsFunc(r.Steps, func(s release.RolloutStep) bool { return s.Percent == 100 && !s.At.After(now) })
}

// rollout has a salt of its own for each release, so that not always the same
// machines are the first. One that the release has stays, as by another one other
// machines would be reached.
func (p Promotion) rollout(before *object, now time.Time) []byte {
	if before.get("salt") == nil {
		before.set("salt", text(p.Product+"-"+p.Version.String()))
	}
	var steps [][]byte
	for _, s := range p.Rollout {
		steps = append(steps, fmt.Appendf(nil, `{"at":%s,"percent":%d}`, stamp(now.Add(s.After)), s.Percent))
	}
	before.set("steps", list(steps))
	return before.bytes()
}
