package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"assay/artifact"
)

// MaxGrace is the longest grace that may be configured.
const MaxGrace = 7 * 24 * time.Hour

// Repository is one that a file declares, with the root that trust in it begins
// with: by digest, by file, or both, and then they must agree.
type Repository struct {
	Name        string
	URL         string
	MetadataURL string // empty: found out from URL
	TargetsURL  string // likewise
	Root        string // absolute path of N.root.json; empty: it is fetched, by its digest
	RootSHA256  artifact.Digest
	RootVersion int64 // of the root that RootSHA256 names
	Grace       time.Duration
	Origin      Origin

	lines map[string]int
}

// repositoryDocument is a repository as files spell it.
type repositoryDocument struct {
	URL         string `toml:"url"`
	MetadataURL string `toml:"metadata_url"`
	TargetsURL  string `toml:"targets_url"`
	Root        string `toml:"root"`
	RootSHA256  string `toml:"root_sha256"`
	RootVersion *int64 `toml:"root_version"`
	Grace       string `toml:"grace"`
	// Profiles stand apart: see judge. So do mirrors: see mirror.
	Profiles    []string `toml:"profiles"`
	Mirrors     []any    `toml:"mirrors"`
	MirrorsOnly *bool    `toml:"mirrors_only"`
}

// keyProfiles is the key of the profiles that judge a repository's bundles.
const keyProfiles = "profiles"

// apart reports whether the table says nothing but which profiles judge the bundles
// of a repository, and where its mirrors are; it may be declared elsewhere, or was
// added by hand.
func (d repositoryDocument) apart() bool {
	return (d.Profiles != nil || d.hasMirrors()) && d.URL == "" && d.MetadataURL == "" && d.TargetsURL == "" && d.Root == "" && d.RootSHA256 == "" &&
		d.RootVersion == nil && d.Grace == ""
}

func (d repositoryDocument) hasMirrors() bool { return d.Mirrors != nil || d.MirrorsOnly != nil }

// declare takes a repository over from a file. It is declared in one file as a
// whole: the same again is fine, anything else an error that names both files.
func (b *builder) declare(name string, doc repositoryDocument, f *file) error {
	if doc.Profiles != nil {
		if err := b.judge(name, doc.Profiles, f); err != nil {
			return err
		}
	}
	if doc.hasMirrors() {
		if err := b.mirror(name, doc.Mirrors, doc.MirrorsOnly, f); err != nil {
			return err
		}
	}
	if doc.apart() {
		return nil
	}
	key := KeyRepositories + "." + name
	r, bad, err := f.repository(name, doc)
	if err != nil {
		return &Error{Origin: f.origin(key + bad), Key: key + bad, Kind: ErrValue, Err: err}
	}
	before, twice := b.repositories[name]
	same := twice && before.same(r)
	if err := b.checkLock(key, same, r.Origin); err != nil {
		return err
	}
	if twice && !same {
		return &Error{
			Origin: r.Origin, Key: key, Kind: ErrValue,
			Detail: fmt.Sprintf("this repository is declared otherwise in %s; give one of them another name", before.Origin),
		}
	}
	if !twice {
		b.repositories[name] = r
	}
	return nil
}

// repository checks a declaration. bad names the key, with its dot, that err is
// about; it is empty if err is about the whole.
func (f *file) repository(name string, doc repositoryDocument) (r Repository, bad string, err error) {
	key := KeyRepositories + "." + name
	r = Repository{
		Name: name, URL: doc.URL, MetadataURL: doc.MetadataURL, TargetsURL: doc.TargetsURL,
		RootVersion: 1, Origin: f.origin(key), lines: map[string]int{},
	}
	for _, part := range repositoryKeys {
		r.lines[part] = f.origin(key + "." + part).Line
	}
	if err := artifact.ValidRepository(name); err != nil {
		return r, "", err
	}
	if doc.URL == "" {
		return r, "", errors.New("expected a url, found none")
	}
	if doc.Root == "" && doc.RootSHA256 == "" {
		return r, "", errors.New("expected root_sha256 (the digest of its root, from someone you trust) or root (a file), found neither")
	}
	if doc.RootSHA256 != "" {
		if r.RootSHA256, err = artifact.NewDigest(artifact.SHA256, doc.RootSHA256); err != nil {
			return r, ".root_sha256", err
		}
	}
	if r.Root = doc.Root; r.Root != "" && !filepath.IsAbs(r.Root) {
		r.Root = filepath.Join(filepath.Dir(f.path), r.Root)
	}
	if doc.RootVersion != nil {
		if r.RootVersion = *doc.RootVersion; r.RootVersion < 1 {
			return r, ".root_version", fmt.Errorf("expected a whole number from 1, found %d", r.RootVersion)
		}
	}
	if r.Grace, err = parseGrace(doc.Grace); err != nil {
		return r, ".grace", err
	}
	return r, "", nil
}

// same reports whether two declarations say the same, wherever they stand.
func (r Repository) same(other Repository) bool {
	r.Origin, other.Origin = Origin{}, Origin{}
	r.lines, other.lines = nil, nil
	return fmt.Sprintf("%+v", r) == fmt.Sprintf("%+v", other)
}

var repositoryKeys = []string{"url", "metadata_url", "targets_url", "root", "root_sha256", "root_version", "grace"}

// values are what was set, with keys that begin below the repository's name.
func (r Repository) values() []Value {
	texts := map[string]string{
		"url": r.URL, "metadata_url": r.MetadataURL, "targets_url": r.TargetsURL, "root": r.Root,
		"root_sha256": r.RootSHA256.Hex(), "root_version": strconv.FormatInt(r.RootVersion, 10), "grace": r.Grace.String(),
	}
	var list []Value
	for _, key := range repositoryKeys {
		if line := r.lines[key]; line > 0 {
			origin := r.Origin
			origin.Line = line
			list = append(list, Value{Key: key, Value: texts[key], Origin: origin})
		}
	}
	return list
}

var graceForm = regexp.MustCompile(`^([0-9]{1,6})([smhd])$`)

// parseGrace reads a duration like 72h or 7d, at most MaxGrace; nothing is 0.
func parseGrace(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	if !graceForm.MatchString(text) {
		return 0, fmt.Errorf("expected a duration like 72h or 7d, found %q", clip(text))
	}
	grace, ok := parseDuration(text, MaxGrace)
	if !ok {
		return 0, fmt.Errorf("expected at most 7d, found %q", text)
	}
	return grace, nil
}

// parseDuration reads a duration like 90s, 72h or 7d, and tells whether it is one,
// and not longer than highest.
func parseDuration(text string, highest time.Duration) (time.Duration, bool) {
	m := graceForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
	if err != nil || time.Duration(n) > highest/unit { // compared so that it can't overflow
		return 0, false
	}
	return time.Duration(n) * unit, true
}
