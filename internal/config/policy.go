package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"assay/trust/policy"
	"assay/trust/provenance"
)

// Rule is a rule of the policy. All files may have some, a project's as well, as
// a rule can only tighten; they stand in the order of the files.
type Rule struct {
	policy.Rule
	Origin Origin

	place place
}

// Builder is an entry of the table of builders, of a system's or a user's file.
type Builder struct {
	policy.Builder
	Origin Origin

	place place
}

// Policy makes the policy of all rules.
func (c *Config) Policy() (*policy.Policy, error) {
	var rules []policy.Rule
	for _, r := range c.Rules {
		rules = append(rules, r.Rule)
	}
	var builders []policy.Builder
	for _, b := range c.Builders {
		builders = append(builders, b.Builder)
	}
	return policy.New(rules, builders)
}

// maxPatterns bounds the names and patterns of a file's rules: each may cost most
// of a millisecond to make ready, and a project's file is a stranger's.
const maxPatterns = 1000

func patternsIn(rules []policy.Rule) int {
	n := 0
	for _, r := range rules {
		n += 3 + 2*len(r.Signers) + len(r.Builder) + len(r.Source) + len(r.Ref)
		if r.Rebuilders != nil {
			n += 2 * len(r.Rebuilders.Of)
		}
	}
	return n
}

// addRules takes the rules of a file, behind those of the files before.
func (b *builder) addRules(rules []policy.Rule, f *file) error {
	if err := f.checkList(KeyPolicy); err != nil {
		return err
	}
	if n := patternsIn(rules); n > maxPatterns {
		return &Error{Origin: f.origin(KeyPolicy), Key: KeyPolicy, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d names and patterns in a file's rules, found %d", maxPatterns, n)}
	}
	for i, rule := range rules {
		rule.Guest = f.kind == Project
		r := Rule{Rule: rule, place: f.at(KeyPolicy, i)}
		r.Origin = r.place.origin("")
		key := numbered(KeyPolicy, len(b.rules))
		if err := b.checkLock(KeyPolicy, false, r.Origin); err != nil {
			return err
		}
		if len(b.rules) == policy.MaxRules {
			return &Error{Origin: r.Origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d rules in all, found more", policy.MaxRules)}
		}
		for _, scope := range []string{"repository", "product", "channel"} {
			// An empty text would say "any", and may have been meant to say "none".
			if r.place.has(scope) && r.scope(scope).IsZero() {
				return &Error{Origin: r.place.origin(scope), Key: key + "." + scope, Kind: ErrValue, Detail: "expected a name or a pattern, found an empty text; left out it means any"}
			}
		}
		if r.place.has("advisories") && r.Advisories == "" {
			return &Error{Origin: r.place.origin("advisories"), Key: key + ".advisories", Kind: ErrValue, Detail: "expected deny or warn, found an empty text"}
		}
		if _, err := policy.New([]policy.Rule{rule}, nil); err != nil {
			return r.place.fault(key, err)
		}
		b.rules = append(b.rules, r)
	}
	return nil
}

// addBuilders takes the table of builders of a file.
func (b *builder) addBuilders(builders []policy.Builder, f *file) error {
	if err := f.checkList(KeyBuilders); err != nil {
		return err
	}
	for i, entry := range builders {
		e := Builder{Builder: entry, place: f.at(KeyBuilders, i)}
		e.Origin = e.place.origin("")
		key := numbered(KeyBuilders, len(b.builders))
		if err := b.checkLock(KeyBuilders, false, e.Origin); err != nil {
			return err
		}
		if len(b.builders) == policy.MaxBuilders {
			return &Error{Origin: e.Origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d builders in all, found more", policy.MaxBuilders)}
		}
		if _, err := policy.New(nil, []policy.Builder{entry}); err != nil {
			return e.place.fault(key, err)
		}
		b.builders = append(b.builders, e)
	}
	return nil
}

// fault gives an error of package policy the line of the field that it is about.
func (p place) fault(key string, err error) error {
	wrong := &policy.RuleError{Detail: err.Error()}
	errors.As(err, &wrong)
	if wrong.Field != "" {
		key += "." + wrong.Field
	}
	return &Error{Origin: p.origin(wrong.Field), Key: key, Kind: ErrValue, Detail: wrong.Detail}
}

func (r *Rule) scope(key string) provenance.Pattern {
	switch key {
	case "repository":
		return r.Repository
	case "product":
		return r.Product
	}
	return r.Channel
}

// OriginOf says where one of its keys is set: where the rule stands, for what is
// left out.
func (r Rule) OriginOf(key string) Origin { return r.place.origin(key) }

// values are what was set, with keys below the rule's.
func (r Rule) values() []Value {
	texts := []struct{ key, text string }{
		{"repository", r.Repository.String()}, {"product", r.Product.String()}, {"channel", r.Channel.String()},
		{"require", joined(r.Require, func(k policy.Kind) string { return string(k) })},
		{"signers", joined(r.Signers, provenance.Identity.String)},
		{"builder", joined(r.Builder, provenance.Pattern.String)},
		{"source", joined(r.Source, provenance.Pattern.String)},
		{"ref", joined(r.Ref, provenance.Pattern.String)},
		{"advisories", string(r.Advisories)},
		{"statuses", strings.Join(r.Statuses, ", ")},
	}
	add := func(key, text string) { texts = append(texts, struct{ key, text string }{key, text}) }
	for key, number := range map[string]*int{"threshold": r.Threshold, "slsa_level": r.SLSALevel} {
		if number != nil {
			add(key, strconv.Itoa(*number))
		}
	}
	for key, age := range map[string]*policy.Span{"min_age": r.MinAge, "max_age": r.MaxAge, "max_build_age": r.MaxBuildAge} {
		if age != nil {
			add(key, age.String())
		}
	}
	if r.Rebuilders != nil {
		add("rebuilders.need", strconv.Itoa(r.Rebuilders.Need))
		add("rebuilders.of", joined(r.Rebuilders.Of, provenance.Identity.String))
	}
	if r.Licenses != nil {
		add("licenses.allow", strings.Join(r.Licenses.Allow, ", "))
		add("licenses.deny", strings.Join(r.Licenses.Deny, ", "))
	}
	if r.Components != nil {
		add("components.deny", strings.Join(r.Components.Deny, ", "))
	}
	var list []Value
	for _, said := range texts {
		if said.text != "" {
			list = append(list, Value{Key: said.key, Value: said.text, Origin: r.OriginOf(said.key)})
		}
	}
	return list
}

func (b Builder) values() []Value {
	return []Value{
		{Key: "builder", Value: b.Builder.Builder.String(), Origin: b.place.origin("builder")},
		{Key: "signer", Value: b.Signer.String(), Origin: b.place.origin("signer")},
		{Key: "level", Value: strconv.Itoa(b.Level), Origin: b.place.origin("level")},
	}
}

func joined[T any](list []T, text func(T) string) string {
	var texts []string
	for _, item := range list {
		texts = append(texts, text(item))
	}
	return strings.Join(texts, ", ")
}

// checkProfiles refuses a name of a profile that no file declares: what asks for
// it could never be met, or would be judged by nothing.
func (b *builder) checkProfiles() error {
	var known []string
	for name := range b.profiles {
		known = append(known, name)
	}
	slices.Sort(known)
	check := func(p place, key, field, name string) error {
		if _, ok := b.profiles[name]; ok || name == "" {
			return nil
		}
		return &Error{
			Origin: p.origin(field), Key: key + "." + field, Kind: ErrUnknown,
			Detail: fmt.Sprintf("no profile is called %q%s; [profiles.%s] would declare it", clip(name), suggest(name, known), clip(name)),
		}
	}
	identities := func(p place, key, field string, list []provenance.Identity) error {
		for i, identity := range list {
			if err := check(p, key, field+"."+strconv.Itoa(i)+".profile", identity.Profile); err != nil {
				return err
			}
		}
		return nil
	}
	for i, r := range b.rules {
		if err := identities(r.place, numbered(KeyPolicy, i), "signers", r.Signers); err != nil {
			return err
		}
		if r.Rebuilders == nil {
			continue
		}
		if err := identities(r.place, numbered(KeyPolicy, i), "rebuilders.of", r.Rebuilders.Of); err != nil {
			return err
		}
	}
	for i, e := range b.builders {
		if err := check(e.place, numbered(KeyBuilders, i), "signer.profile", e.Signer.Profile); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(b.judges) {
		for _, profile := range b.judges[name].names {
			if err := check(b.judges[name].place, KeyRepositories+"."+name, "profiles", profile); err != nil {
				return err
			}
		}
	}
	return nil
}
