package config

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
	"assay/trust/provenance"
)

// The bounds of profiles.
const (
	maxProfiles    = 64
	maxProfileKeys = 64
	maxThreshold   = 32
)

// Profile says where trust in signatures comes from: a system's or a user's file
// declares it whole. What it names is read where it is used.
type Profile struct {
	Name        string
	Kind        provenance.Kind
	TrustedRoot string   // absolute path of a trusted_root.json; empty: see Repository
	Repository  string   // the trusted root is a target of this one; empty: there is none
	Target      string   // likewise, its path
	Keys        []string // absolute paths of PEM files, for the kind key
	Least       provenance.Thresholds
	Origin      Origin

	place place
}

// profileDocument is a profile as files spell it.
type profileDocument struct {
	Kind        provenance.Kind       `toml:"kind"`
	TrustedRoot string                `toml:"trusted_root"`
	Repository  string                `toml:"repository"`
	Target      string                `toml:"target"`
	Keys        []string              `toml:"keys"`
	Thresholds  provenance.Thresholds `toml:"thresholds"`
}

var profileKeys = []string{"kind", "trusted_root", "repository", "target", "keys"}

// Profile is the declared profile of that name, and whether there is one.
func (c *Config) Profile(name string) (Profile, bool) {
	i := slices.IndexFunc(c.Profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return c.Profiles[i], true
}

// builtInProfiles are there without being declared, and work as soon as the
// repository that has their trusted root is known.
func builtInProfiles() map[string]Profile {
	return map[string]Profile{
		"public-good": {Name: "public-good", Kind: provenance.PublicGood, Repository: "sigstore", Target: "trusted_root.json"},
	}
}

// profile takes a profile over from a file. As with repositories, the same again
// is fine, anything else an error that names both files.
func (b *builder) profile(name string, doc profileDocument, f *file) error {
	key := KeyProfiles + "." + name
	p := Profile{Name: name, Kind: doc.Kind, Repository: doc.Repository, Target: doc.Target, Least: doc.Thresholds, place: place{f, key}}
	p.Origin = p.place.origin("")
	p.TrustedRoot = f.beside(doc.TrustedRoot)
	for _, file := range doc.Keys {
		p.Keys = append(p.Keys, f.beside(file))
	}
	if bad, err := p.check(doc); err != nil {
		return &Error{Origin: p.place.origin(bad), Key: strings.TrimSuffix(key+"."+bad, "."), Kind: ErrValue, Err: err}
	}
	before, twice := b.profiles[name]
	same := before.same(p)
	if twice && before.place.file == nil {
		twice = false // one that is built in gives way
	}
	if err := b.checkLock(key, same, p.Origin); err != nil {
		return err
	}
	if twice && !same {
		return &Error{
			Origin: p.Origin, Key: key, Kind: ErrValue,
			Detail: fmt.Sprintf("this profile is declared otherwise in %s; give one of them another name", before.Origin),
		}
	}
	if !twice && len(b.profiles) >= maxProfiles+len(builtInProfiles()) {
		return &Error{Origin: p.Origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d profiles, found more", maxProfiles)}
	}
	if !twice {
		b.profiles[name] = p
	}
	return nil
}

// beside is the path of a file that is named from the configuration's folder.
func (f *file) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.path), path)
}

// same reports whether two declarations say the same, wherever they stand.
func (p Profile) same(other Profile) bool {
	return p.Kind == other.Kind && p.TrustedRoot == other.TrustedRoot && p.Repository == other.Repository && p.Target == other.Target &&
		slices.Equal(p.Keys, other.Keys) && p.Least == other.Least
}

// check names the key that err is about; empty: the whole.
func (p Profile) check(doc profileDocument) (bad string, err error) {
	if err := artifact.ValidRepository(p.Name); err != nil {
		return "", fmt.Errorf("a profile is named as a repository is: %w", err)
	}
	known := []provenance.Kind{provenance.PublicGood, provenance.GitHub, provenance.Private, provenance.Keys}
	if !slices.Contains(known, p.Kind) {
		return "kind", fmt.Errorf("expected one of %s, found %q", joined(known, func(k provenance.Kind) string { return string(k) }), clip(string(p.Kind)))
	}
	if bad, err := p.checkRoot(); err != nil {
		return bad, err
	}
	switch n := len(doc.Keys); {
	case p.Kind == provenance.Keys && (n == 0 || n > maxProfileKeys):
		return "keys", fmt.Errorf("expected 1 to %d files, found %d", maxProfileKeys, n)
	case p.Kind != provenance.Keys && doc.Keys != nil:
		return "keys", fmt.Errorf("expected keys only for the kind %s, found the kind %s", provenance.Keys, p.Kind)
	case slices.Contains(doc.Keys, ""):
		return "keys", errors.New("expected the path of a file, found an empty text")
	}
	return p.checkThresholds()
}

// checkRoot wants one place that the trusted root comes from. A profile of keys
// may do without.
func (p Profile) checkRoot() (bad string, err error) {
	target := p.Repository != "" || p.Target != ""
	switch {
	case p.TrustedRoot != "" && target:
		return "trusted_root", errors.New("expected a trusted_root (a file) or a repository and target, found both")
	case target:
		return checkTarget(p.Repository, p.Target)
	case p.TrustedRoot == "" && p.Kind != provenance.Keys:
		return "", errors.New("expected a trusted_root (a file), or a repository and target, found neither")
	}
	return "", nil
}

// checkTarget is for a target of a repository that the configuration names.
func checkTarget(repository, target string) (bad string, err error) {
	if err := artifact.ValidRepository(repository); err != nil {
		return "repository", err
	}
	if target == "" || len(target) > 1024 || path.Clean("/"+target) != "/"+target {
		return "target", fmt.Errorf("expected the clean path of a target, found %q", clip(target))
	}
	return "", nil
}

// checkThresholds wants those that are set to ask for something: 0 would look
// like a way to ask for less than the kind does.
func (p Profile) checkThresholds() (bad string, err error) {
	for _, t := range thresholdsOf(p.Least) {
		bad := "thresholds." + t.key
		if p.place.has(bad) && (t.n < 1 || t.n > maxThreshold) {
			return bad, fmt.Errorf("expected 1 to %d, found %d: a threshold can only be raised", maxThreshold, t.n)
		}
	}
	if p.Kind == provenance.Keys && p.Least.SCTs > 0 {
		return "thresholds.scts", errors.New("expected none of keys, which have no certificate, found one")
	}
	return "", nil
}

type threshold struct {
	key string
	n   int
}

func thresholdsOf(t provenance.Thresholds) []threshold {
	return []threshold{{"scts", t.SCTs}, {"log_entries", t.LogEntries}, {"times", t.Times}, {"signed_timestamps", t.SignedTimestamps}}
}

// values are what was set, with keys that begin below the profile's name.
func (p Profile) values() []Value {
	texts := map[string]string{
		"kind": string(p.Kind), "trusted_root": p.TrustedRoot, "repository": p.Repository, "target": p.Target, "keys": strings.Join(p.Keys, ", "),
	}
	var list []Value
	for _, key := range profileKeys {
		if texts[key] != "" {
			list = append(list, Value{Key: key, Value: texts[key], Origin: p.place.origin(key)})
		}
	}
	for _, t := range thresholdsOf(p.Least) {
		if t.n > 0 {
			list = append(list, Value{Key: "thresholds." + t.key, Value: strconv.Itoa(t.n), Origin: p.place.origin("thresholds." + t.key)})
		}
	}
	return list
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
