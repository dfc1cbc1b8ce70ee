package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/artifact/release"
	"assay/trust"
	"assay/trust/policy"
)

// A rule's min_age keeps a release out until others have had the time to look at
// it. So it must not keep an older one out as well: where a channel or a range is
// asked for, what is too young is passed over, as what is not approved yet is.

// cooler tells whether policy finds a release too young: the error is its refusal,
// and nil for all others, as whatever else is wrong is told when it is proven. With a
// request it is the artifact that this means, else any of them. It is nil where no
// rule asks for an age.
func (s *shelf) cooler(ctx context.Context, product string, request *Request) func(string, release.ChannelEntry) error {
	prover := s.client.prover
	if prover == nil {
		return nil
	}
	return func(channel string, entry release.ChannelEntry) error {
		if !prover.AsksForAge(s.view.Repository(), product, channel) {
			return nil
		}
		m, err := s.manifest(ctx, entry.Manifest)
		if err != nil || len(m.Artifacts) == 0 {
			return nil
		}
		chosen, platform := m.Artifacts[0], m.Artifacts[0].Platform()
		if request != nil {
			platform = request.Platform
			if chosen, err = pick(m.Release, *request); err != nil {
				return nil
			}
		}
		selection, err := s.selection(ctx, m, choice{entry: entry, channel: channel}, chosen, platform)
		if err != nil {
			return nil
		}
		var refusal *policy.Refusal
		if err := s.client.Judge(ctx, &selection); errors.As(err, &refusal) && onlyYoung(refusal) {
			return err
		}
		return nil
	}
}

// onlyYoung reports whether nothing but too low an age speaks against an artifact.
func onlyYoung(refusal *policy.Refusal) bool {
	return !slices.ContainsFunc(refusal.Checks, func(check trust.Check) bool { return !policy.IsTooYoung(check) })
}

// tooYoung is why a release is passed over, in few words.
func tooYoung(err error) string {
	var refusal *policy.Refusal
	if !errors.As(err, &refusal) || len(refusal.Checks) == 0 {
		return err.Error()
	}
	check := refusal.Checks[0]
	return fmt.Sprintf("too young by policy: expected %s, found %s", check.Expected, check.Found)
}
