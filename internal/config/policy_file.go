package config

import (
	"maps"
	"path/filepath"
	"slices"

	"assay/trust/policy"
)

// policyDocument is what a file of rules may say that is to be tried.
type policyDocument struct {
	Policy   []policy.Rule    `toml:"policy"`
	Builders []policy.Builder `toml:"builders"`
}

// WithPolicyFile is the configuration with the rules and builders of one more
// file behind its own, as if a system's file said them: to see what they would
// do. The configuration itself is not changed. The file may have [[policy]] and
// [[builders]] alone, and has at most 1 MiB; its rules are of the Kind User. One
// that is called assay.toml is read as a project's: it may say what such a file
// may, its rules are a Guest's, and its tools are left aside. A path that is not
// absolute is seen from the working directory. Every error is an ErrConfig.
func (c *Config) WithPolicyFile(path string) (*Config, error) {
	b := &builder{rules: slices.Clone(c.Rules), builders: slices.Clone(c.Builders), profiles: map[string]Profile{}, judges: c.judges}
	for _, p := range c.Profiles {
		b.profiles[p.Name] = p
	}
	read := b.readPolicy
	if filepath.Base(path) == projectName {
		read = b.readProject
	}
	if err := read(path); err != nil {
		return nil, err
	}
	if err := b.checkProfiles(); err != nil {
		return nil, err
	}
	tried := *c
	tried.Rules, tried.Builders, tried.values = b.rules, b.builders, maps.Clone(c.values)
	for i := len(c.Rules); i < len(b.rules); i++ {
		tried.show(numbered(KeyPolicy, i), b.rules[i].values())
	}
	for i := len(c.Builders); i < len(b.builders); i++ {
		tried.show(numbered(KeyBuilders, i), b.builders[i].values())
	}
	return &tried, nil
}

// readPolicy takes the rules and builders of a file that has nothing else.
func (b *builder) readPolicy(path string) error {
	f, err := readFile(User, path, true)
	if err != nil {
		return err
	}
	var doc policyDocument
	if err := f.decode(&doc); err != nil {
		return err
	}
	if err := b.addBuilders(doc.Builders, f); err != nil {
		return err
	}
	return b.addRules(doc.Policy, f)
}

// RuleName is how checks, messages and `config show` call the i-th of Rules: by
// its place, from 1.
func RuleName(i int) string { return numbered(KeyPolicy, i) }
