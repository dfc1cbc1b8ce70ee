package policy

import (
	"encoding/json"
	"fmt"
	"slices"

	"assay/artifact"
	"assay/trust/provenance"
	"assay/trust/sbom"
)

// Policy is what artifacts must show. It never changes, and several goroutines
// may use it. The zero value, and nil, demand nothing.
type Policy struct {
	rules    []*rule
	builders []Builder
	digest   artifact.Digest
}

// rule is a Rule that was checked.
type rule struct {
	Rule
	index  int
	denied []sbom.Query
}

// New checks rules, and the table of builders. An error is a RuleError for the
// first that can't be. What the arguments hold must not be changed later.
func New(rules []Rule, builders []Builder) (*Policy, error) {
	if n := len(rules); n > MaxRules {
		return nil, &RuleError{TablePolicy, MaxRules, "", fmt.Sprintf("expected at most %d rules, found %d", MaxRules, n)}
	}
	if n := len(builders); n > MaxBuilders {
		return nil, &RuleError{TableBuilders, MaxBuilders, "", fmt.Sprintf("expected at most %d builders, found %d", MaxBuilders, n)}
	}
	p := &Policy{builders: slices.Clone(builders)}
	for i := range rules {
		r := &rule{Rule: rules[i], index: i}
		if found := first(r.check, r.compile); found != nil {
			return nil, &RuleError{TablePolicy, i, found.field, found.detail}
		}
		p.rules = append(p.rules, r)
	}
	for i := range p.builders {
		if found := p.builders[i].check(); found != nil {
			return nil, &RuleError{TableBuilders, i, found.field, found.detail}
		}
	}
	p.digest = digestOf(rules, builders)
	return p, nil
}

// Digest is of all that can change a judgement, but for the Subject and the
// time. The order of rules and of their lists, and where they come from, does
// not count. Without rules it is zero.
func (p *Policy) Digest() artifact.Digest {
	if p == nil {
		return artifact.Digest{}
	}
	return p.digest
}

// Match lists the rules that apply, in their order. A product whose channel is
// empty is one whose channel is not known: the rules for every channel apply.
func (p *Policy) Match(repository, product, channel string) []Rule {
	var list []Rule
	for _, r := range p.match(repository, product, channel) {
		list = append(list, r.Rule)
	}
	return list
}

func (p *Policy) match(repository, product, channel string) []*rule {
	if p == nil {
		return nil
	}
	var list []*rule
	for _, r := range p.rules {
		if r.applies(repository, product, channel) {
			list = append(list, r)
		}
	}
	return list
}

// Signers lists whom the rules that apply name, as signers or as rebuilders,
// and then those of the table of builders. It is empty where no rule applies.
func (p *Policy) Signers(repository, product, channel string) []provenance.Identity {
	return p.identities(repository, product, channel, func(*rule) bool { return true })
}

// Hosts are Signers without those that only a Guest names, where another rule
// names signers: a project must not make somebody count for what others ask for,
// nor for what is remembered.
func (p *Policy) Hosts(repository, product, channel string) []provenance.Identity {
	host := slices.ContainsFunc(p.match(repository, product, channel), func(r *rule) bool { return !r.Guest && len(r.Signers) > 0 })
	return p.identities(repository, product, channel, func(r *rule) bool { return !host || !r.Guest })
}

// Rebuilders lists whom the rules that apply name as rebuilders, but for Guests.
func (p *Policy) Rebuilders(repository, product, channel string) []provenance.Identity {
	var list []provenance.Identity
	for _, r := range p.match(repository, product, channel) {
		if r.Rebuilders != nil && !r.Guest {
			list = append(list, r.Rebuilders.Of...)
		}
	}
	return list
}

func (p *Policy) identities(repository, product, channel string, of func(*rule) bool) []provenance.Identity {
	var identities []provenance.Identity
	matched := p.match(repository, product, channel)
	for _, r := range matched {
		if !of(r) {
			continue
		}
		identities = append(identities, r.Signers...)
		if r.Rebuilders != nil {
			identities = append(identities, r.Rebuilders.Of...)
		}
	}
	if slices.ContainsFunc(matched, of) {
		for _, b := range p.builders {
			identities = append(identities, b.Signer)
		}
	}
	return identities
}

// Profiles names the trust profiles of Signers, each once, sorted; but those that
// only a Guest names.
func (p *Policy) Profiles(repository, product, channel string) []string {
	var names []string
	for _, identity := range p.identities(repository, product, channel, func(r *rule) bool { return !r.Guest }) {
		names = append(names, identity.Profile)
	}
	names = distinct(names)
	slices.Sort(names)
	return names
}

// SLSALevel is the build level that the table of builders gives to a provenance
// by its verified signer and its builder: the highest entry for both. It is 0
// where there is none.
func (p *Policy) SLSALevel(sig Signature) int {
	level := 0
	if p == nil || sig.Provenance == nil {
		return level
	}
	for _, b := range p.builders {
		if b.Level > level && b.Builder.MatchString(sig.Provenance.Builder) && b.Signer.Matches(&sig.Signed) {
			level = b.Level
		}
	}
	return level
}

// digestOf is the SHA-256 of the rules and the table as JSON, sorted. The first
// member tells how judgements are made; another way of judging has another.
func digestOf(rules []Rule, builders []Builder) artifact.Digest {
	if len(rules) == 0 {
		return artifact.Digest{}
	}
	document := struct {
		Schema   string   `json:"schema"`
		Rules    []string `json:"rules"`
		Builders []string `json:"builders"`
	}{"assay.policy/v1", canonicals(ordered(rules)), canonicals(builders)}
	return artifact.DigestOf(artifact.SHA256, []byte(canonical(document)))
}

// ordered gives rules whose lists, which are sets, stand in one order, and whose
// defaults are written out.
func ordered(rules []Rule) []Rule {
	var list []Rule
	for _, r := range rules {
		r.Require, r.Statuses = sorted(r.Require), sorted(r.Statuses)
		r.Signers, r.Builder, r.Source, r.Ref = sorted(r.Signers), sorted(r.Builder), sorted(r.Source), sorted(r.Ref)
		if r.Signers != nil {
			threshold := r.threshold()
			r.Threshold = &threshold
		}
		if r.Rebuilders != nil {
			r.Rebuilders = &Rebuilders{r.Rebuilders.Need, sorted(r.Rebuilders.Of)}
		}
		if r.Licenses != nil {
			r.Licenses = &Licenses{sorted(r.Licenses.Allow), sorted(r.Licenses.Deny)}
		}
		if r.Components != nil {
			r.Components = &Components{sorted(r.Components.Deny)}
		}
		list = append(list, r)
	}
	return list
}

func sorted[T any](list []T) []T {
	copied := slices.Clone(list)
	slices.SortFunc(copied, func(a, b T) int {
		switch x, y := canonical(a), canonical(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return copied
}

func canonicals[T any](list []T) []string {
	var texts []string
	for _, item := range list {
		texts = append(texts, canonical(item))
	}
	slices.Sort(texts)
	return texts
}

// canonical is v as JSON: members in the order of the type, texts escaped in one
// way. The types of a policy are plain, and can't fail.
func canonical(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("policy: %T is no plain value: %v", v, err))
	}
	return string(data)
}
