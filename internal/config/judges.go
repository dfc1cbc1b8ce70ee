package config

import (
	"fmt"
	"slices"

	"assay/artifact"
)

// judges are the profiles that judge the bundles of a repository.
type judges struct {
	names []string
	place place
}

// ProfilesOf names the profiles that judge the bundles of a repository, besides
// those that the policy's signers name. The repository need not be declared.
func (c *Config) ProfilesOf(repository string) []string {
	return slices.Clone(c.judges[repository].names)
}

// judge takes the profiles of a repository from a file; the last file wins, as
// with plain keys.
func (b *builder) judge(name string, profiles []string, f *file) error {
	p := place{f, KeyRepositories + "." + name}
	key, origin := p.key+"."+keyProfiles, p.origin(keyProfiles)
	fail := func(err error) error { return &Error{Origin: origin, Key: key, Kind: ErrValue, Err: err} }
	if err := artifact.ValidRepository(name); err != nil {
		return fail(err)
	}
	if n := len(profiles); n == 0 || n > maxProfiles {
		return fail(fmt.Errorf("expected 1 to %d names, found %d", maxProfiles, n))
	}
	for i, profile := range profiles {
		if slices.Contains(profiles[:i], profile) || profile == "" {
			return fail(fmt.Errorf("expected names, each once, found %q", clip(profile)))
		}
	}
	if err := b.checkLock(key, slices.Equal(profiles, b.judges[name].names), origin); err != nil {
		return err
	}
	b.judges[name] = judges{profiles, p}
	return nil
}
