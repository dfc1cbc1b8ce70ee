package trust

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Panel is whom a Map asks.
type Panel struct {
	// View gives what a repository promises. Its error is an error of the
	// whole: it never counts as "no such target".
	View func(ctx context.Context, repository string) (*View, error)
	// Held has the repositories asked by View.HeldTarget: for what is named
	// exactly and may be held.
	Held bool
}

// Agreement is a promise that enough repositories share.
type Agreement struct {
	Target Target
	// Repositories share it, in the order of the mapping. None: the map does
	// not cover the path, so that one repository's word was enough.
	Repositories []string
	Mapping      Mapping
	Answers      []Answer // of all repositories of the mapping, in its order
}

// Agree finds what enough repositories promise under a path, whichever of them
// they are (TAP 4). The mappings for the path are asked in order. Each
// repository of a mapping is asked, and the error of any one is the error of the
// whole; so is ErrDisagree. Where too few list the path, the next mapping is
// asked, unless that one was terminating: at the end it is ErrNotApproved. A
// path that no mapping covers is ErrOutside.
//
// Enough agree if a Threshold of them does, each two of these on length and
// digests. Two answers with enough repositories behind each are ErrDisagree.
// The Target is the first one's.
func (m *Map) Agree(ctx context.Context, panel Panel, path string) (Agreement, error) {
	return m.decide(ctx, panel, path, Target{})
}

// Approve asks whether enough repositories promise the same as target, that one
// of them has promised. It is Agree, but target's repository must be among those
// that agree. A mapping without it can only object: where those repositories
// agree on other bytes, it is ErrDisagree. If no mapping has it, it is
// ErrOutside. A path that the map does not cover needs no approval.
//
// For a target that lies outside its repository and that only a release manifest
// promises, a repository that promises the same manifest promises the target.
func (m *Map) Approve(ctx context.Context, panel Panel, target Target) (Agreement, error) {
	if target.IsZero() {
		return Agreement{}, fmt.Errorf("%w: an empty target promises nothing", ErrNoTarget)
	}
	if len(m.Lookup(target.Path())) == 0 {
		return Agreement{Target: target}, nil
	}
	return m.decide(ctx, panel, target.Path(), target)
}

func (m *Map) decide(ctx context.Context, panel Panel, path string, lead Target) (Agreement, error) {
	refusal := &AgreementError{Path: path, Repository: lead.Repository(), kind: ErrOutside}
	for _, mapping := range m.Lookup(path) {
		outside := !lead.IsZero() && !slices.Contains(mapping.Repositories, lead.Repository())
		asked := lead
		if outside {
			asked = Target{} // what they agree on comes before what is promised behind
		}
		answers, err := panel.ask(ctx, mapping, path, asked)
		if err != nil {
			return Agreement{}, err
		}
		agreement, kind := mapping.judge(answers, asked)
		switch {
		case outside && kind == nil && !agreement.Target.agrees(lead):
			kind, answers = ErrDisagree, append(answers, Answer{Repository: lead.Repository(), Target: lead})
		case outside && kind != ErrDisagree: // they have no objection
			if refusal.kind == ErrOutside {
				refusal.Mapping = mapping
			}
			continue
		case kind == nil:
			return agreement, nil
		}
		refusal.Mapping, refusal.Answers, refusal.kind = mapping, answers, kind
		if kind == ErrDisagree {
			break // what is contradicted is never looked for elsewhere
		}
	}
	return Agreement{}, refusal
}

// ask collects the word of every repository of a mapping.
func (p Panel) ask(ctx context.Context, mapping Mapping, path string, lead Target) ([]Answer, error) {
	var answers []Answer
	for _, name := range mapping.Repositories {
		answer := Answer{Repository: name, Target: lead}
		if lead.IsZero() || name != lead.Repository() {
			var err error
			if answer.Target, err = p.askOne(ctx, name, path, lead); err != nil {
				return nil, fmt.Errorf("whether %s promises %s could not be found out: %w", name, path, err)
			}
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// askOne is zero where the repository is known not to list the path.
func (p Panel) askOne(ctx context.Context, repository, path string, lead Target) (Target, error) {
	target, err := p.lookup(ctx, repository, path)
	if err != nil || !target.IsZero() || lead.Manifest() == "" {
		return target, err
	}
	// It lies elsewhere: whoever promises the manifest promises what it lists.
	mine, err := p.lookup(ctx, lead.Repository(), lead.Manifest())
	if err != nil {
		return Target{}, err
	}
	theirs, err := p.lookup(ctx, repository, lead.Manifest())
	if err != nil {
		return Target{}, err
	}
	if !mine.agrees(theirs) {
		return Target{}, nil
	}
	through := *lead.promise
	through.repository, through.role, through.stale = theirs.Repository(), theirs.Role(), theirs.Stale()
	return Target{&through}, nil
}

func (p Panel) lookup(ctx context.Context, repository, path string) (Target, error) {
	view, err := p.View(ctx, repository)
	if err != nil {
		return Target{}, err
	}
	if view == nil || view.Repository() != repository {
		return Target{}, fmt.Errorf("trust: expected a view of %s, found another", repository)
	}
	find := view.Target
	if p.Held {
		find = view.HeldTarget
	}
	target, err := find(ctx, path)
	if errors.Is(err, ErrNoTarget) {
		return Target{}, nil
	}
	return target, err
}

// judge finds the promise that enough repositories share; with a lead, the
// lead's.
func (m Mapping) judge(answers []Answer, lead Target) (Agreement, error) {
	var chosen []Answer
	for i, answer := range answers {
		if !lead.IsZero() && answer.Repository != lead.Repository() {
			continue
		}
		if chosen = together(answers, i); len(chosen) >= m.Threshold {
			break
		}
	}
	if len(chosen) < m.Threshold {
		return Agreement{}, shortfall(answers)
	}
	kept := *chosen[0].Target.promise
	for _, answer := range chosen {
		// What one of them can't resolve any more nobody may fetch.
		kept.stale = cmp.Or(kept.stale, answer.Target.Stale())
	}
	agreement := Agreement{Target: Target{&kept}, Mapping: m, Answers: answers}
	for _, answer := range answers {
		if slices.Contains(chosen, answer) {
			agreement.Repositories = append(agreement.Repositories, answer.Repository)
		}
	}
	// Two answers that would both do are a contradiction by the map's own measure.
	others := agreement.Dissent()
	for i := range others {
		if len(together(others, i)) >= m.Threshold {
			return Agreement{}, ErrDisagree
		}
	}
	return agreement, nil
}

// together lists as many answers as agree with the one at base, each two of them,
// that one first. There are few enough for every choice to be tried
// (MaxMappingNames).
func together(answers []Answer, base int) []Answer {
	if answers[base].Target.IsZero() {
		return nil
	}
	var best []Answer
	var extend func(group []Answer, next int)
	extend = func(group []Answer, next int) {
		if len(group) > len(best) {
			best = slices.Clone(group)
		}
		for i := next; i < len(answers); i++ {
			answer := answers[i]
			if i != base && !slices.ContainsFunc(group, func(member Answer) bool { return !member.Target.agrees(answer.Target) }) {
				extend(append(slices.Clip(group), answer), i+1)
			}
		}
	}
	extend([]Answer{answers[base]}, 0)
	return best
}

// shortfall is why no agreement came about.
func shortfall(answers []Answer) error {
	for i, answer := range answers {
		for _, other := range answers[:i] {
			if !answer.Target.IsZero() && !other.Target.IsZero() && !answer.Target.agrees(other.Target) {
				return ErrDisagree
			}
		}
	}
	return ErrNotApproved
}

// Dissent lists what other repositories of the mapping promise instead.
func (a Agreement) Dissent() []Answer {
	return slices.DeleteFunc(slices.Clone(a.Answers), func(answer Answer) bool {
		return answer.Target.IsZero() || slices.Contains(a.Repositories, answer.Repository)
	})
}

// AddTo records the agreement in the evidence: for each of the repositories that
// agree and that evidence does not tell of yet, what was checked of its own
// metadata, under its name; then CheckAgreement with the word of each. It adds
// nothing for a path that the map does not cover.
func (a Agreement) AddTo(ctx context.Context, panel Panel, evidence *Evidence) error {
	if len(a.Repositories) == 0 {
		return nil
	}
	for _, name := range a.Repositories {
		told := func(c Check) bool { return c.Repository == name }
		if name == evidence.Repository || slices.ContainsFunc(evidence.Checks, told) {
			continue
		}
		view, err := panel.View(ctx, name)
		if err != nil {
			return err
		}
		for _, check := range view.Evidence().Checks {
			check.Repository = name
			evidence.Add(check)
		}
	}
	evidence.Add(Check{
		ID: CheckAgreement, Result: Pass,
		Expected: fmt.Sprintf("%s promise the same %s", a.Mapping, a.Target.Path()),
		Found:    fmt.Sprintf("%s agree: %s", strings.Join(a.Repositories, ", "), tell(a.Answers)),
	})
	return nil
}
