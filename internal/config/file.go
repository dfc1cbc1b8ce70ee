package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assay/internal/stricttoml"
	"assay/trust/policy"
)

// fileName is the name of a system's and a user's file; projectName that of a
// project's.
const (
	fileName    = "config.toml"
	projectName = "assay.toml"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// file is one that was read.
type file struct {
	kind  Kind
	path  string
	data  []byte
	lines map[string]int // of each key that it sets
}

// origin says where the file sets a key.
func (f *file) origin(key string) Origin {
	return Origin{Kind: f.kind, File: f.path, Line: f.lines[strings.ToLower(key)]}
}

// readFile reads a file and finds the lines of its keys. Without the file the
// result is nil, unless required.
func readFile(kind Kind, path string, required bool) (*file, error) {
	origin := Origin{Kind: kind, File: path}
	data, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{Origin: origin, Detail: "cannot read the configuration", Err: err}
	}
	f := &file{kind: kind, path: path, data: data}
	if f.lines, err = definedKeys(path, data); err != nil {
		return nil, &Error{Err: err}
	}
	return f, nil
}

// definedKeys finds the line of each key that a file sets, and of each table the
// line of its first key. Keys are in lower case, as they match in any.
func definedKeys(path string, data []byte) (map[string]int, error) {
	keys, err := stricttoml.Defined(path, data)
	if err != nil {
		return nil, err
	}
	lines := map[string]int{}
	for _, key := range keys {
		for i := range key.Parts {
			part := strings.ToLower(strings.Join(key.Parts[:i+1], "."))
			if line, ok := lines[part]; !ok || key.Line < line {
				lines[part] = key.Line
			}
		}
	}
	return lines, nil
}

func readBounded(path string) ([]byte, error) {
	// Before it is opened: to open a pipe would wait for its other end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("expected a regular file, found something else")
	}
	opened, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("expected at most %d bytes, found more", maxFile)
	}
	return data, err
}

// decode reads the file into a document; a key that the document does not have
// is an error with its line and the nearest one that it has.
func (f *file) decode(into any) error {
	err := stricttoml.Decode(f.path, f.data, into)
	if err == nil {
		return nil
	}
	wrong := &Error{Err: err}
	if errors.Is(err, stricttoml.ErrUnknownKey) {
		wrong.Kind = ErrUnknown
	}
	return wrong
}

// systemDocument is what a system's file may say.
type systemDocument struct {
	Locked       []string                      `toml:"locked"`
	Platform     *string                       `toml:"platform"`
	Offline      *bool                         `toml:"offline"`
	CacheDir     *string                       `toml:"cache_dir"`
	StateDir     *string                       `toml:"state_dir"`
	DataDir      *string                       `toml:"data_dir"`
	BinDir       *string                       `toml:"bin_dir"`
	Region       *string                       `toml:"region"`
	Repositories map[string]repositoryDocument `toml:"repositories"`
	Agreement    []agreementDocument           `toml:"agreement"`
	Limits       limitsDocument                `toml:"limits"`
	Policy       []policy.Rule                 `toml:"policy"`
	Builders     []policy.Builder              `toml:"builders"`
	Profiles     map[string]profileDocument    `toml:"profiles"`
	Advisories   []advisoriesDocument          `toml:"advisories"`
	Transfer     transferDocument              `toml:"transfer"`
	Hosts        map[string]hostDocument       `toml:"hosts"`
	Channel      *string                       `toml:"channel"`
	Channels     map[string]string             `toml:"channels"`
	Mirror       *daemonDocument               `toml:"mirror"`
}

// userDocument is what a user's file may say.
type userDocument struct {
	Platform     *string                       `toml:"platform"`
	Offline      *bool                         `toml:"offline"`
	CacheDir     *string                       `toml:"cache_dir"`
	StateDir     *string                       `toml:"state_dir"`
	DataDir      *string                       `toml:"data_dir"`
	BinDir       *string                       `toml:"bin_dir"`
	Region       *string                       `toml:"region"`
	Repositories map[string]repositoryDocument `toml:"repositories"`
	Agreement    []agreementDocument           `toml:"agreement"`
	Limits       limitsDocument                `toml:"limits"`
	Policy       []policy.Rule                 `toml:"policy"`
	Builders     []policy.Builder              `toml:"builders"`
	Profiles     map[string]profileDocument    `toml:"profiles"`
	Advisories   []advisoriesDocument          `toml:"advisories"`
	Transfer     transferDocument              `toml:"transfer"`
	Hosts        map[string]hostDocument       `toml:"hosts"`
	Channel      *string                       `toml:"channel"`
	Channels     map[string]string             `toml:"channels"`
	Mirror       *daemonDocument               `toml:"mirror"`
}

// system reads the system's files, and then puts their locks into force.
func (b *builder) system(options LoadOptions) error {
	if options.SystemDir == "" {
		return nil
	}
	// Glob's only error is about a pattern; names are sorted by it.
	more, err := filepath.Glob(filepath.Join(options.SystemDir, "conf.d", "*.toml"))
	if err != nil {
		return &Error{Detail: "list conf.d", Err: err}
	}
	for _, path := range append([]string{filepath.Join(options.SystemDir, fileName)}, more...) {
		f, err := readFile(System, path, false)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		var doc systemDocument
		if err := f.decode(&doc); err != nil {
			return err
		}
		if err := b.lock(doc.Locked, f.origin("locked")); err != nil {
			return err
		}
		if err := b.take(f, userDocument{
			doc.Platform, doc.Offline, doc.CacheDir, doc.StateDir, doc.DataDir, doc.BinDir, doc.Region, doc.Repositories, doc.Agreement, doc.Limits,
			doc.Policy, doc.Builders, doc.Profiles, doc.Advisories, doc.Transfer, doc.Hosts, doc.Channel, doc.Channels, doc.Mirror,
		}); err != nil {
			return err
		}
	}
	return nil
}

// user reads the user's file, or the one that stands in for it.
func (b *builder) user(options LoadOptions) error {
	path, required := options.ConfigFlag, true
	if path == "" {
		path = lookup(options.Env, envConfig)
	}
	if path == "" {
		path, required = own(options.Dirs.Config), false
		if path == "" {
			return nil
		}
		path = filepath.Join(path, fileName)
	}
	f, err := readFile(User, absolute(options.WorkDir, path), required)
	if err != nil || f == nil {
		return err
	}
	var doc userDocument
	if err := f.decode(&doc); err != nil {
		return err
	}
	return b.take(f, doc)
}

// take lets what a system's or a user's file says win over what was said before.
func (b *builder) take(f *file, doc userDocument) error {
	var offline *string
	if doc.Offline != nil {
		text := fmt.Sprint(*doc.Offline)
		offline = &text
	}
	for _, said := range []struct {
		key   string
		value *string
	}{
		{KeyPlatform, doc.Platform},
		{KeyOffline, offline},
		{KeyCacheDir, doc.CacheDir},
		{KeyStateDir, doc.StateDir},
		{KeyDataDir, doc.DataDir},
		{KeyBinDir, doc.BinDir},
		{KeyRegion, doc.Region},
		{KeyChannel, doc.Channel},
	} {
		if said.value == nil {
			continue
		}
		if err := b.set(said.key, *said.value, f.origin(said.key)); err != nil {
			return err
		}
	}
	if err := b.limit(doc.Limits, f); err != nil {
		return err
	}
	if err := b.transfer(doc.Transfer, f); err != nil {
		return err
	}
	for _, name := range sortedKeys(doc.Channels) {
		if err := b.channel(name, doc.Channels[name], f); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(doc.Hosts) {
		if err := b.host(name, doc.Hosts[name], f); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(doc.Repositories) {
		if err := b.declare(name, doc.Repositories[name], f); err != nil {
			return err
		}
	}
	if err := b.agree(doc.Agreement, f); err != nil {
		return err
	}
	if err := b.daemon(doc.Mirror, f); err != nil {
		return err
	}
	return b.takeProofs(f, doc)
}

// takeProofs takes what a file says about proof.
func (b *builder) takeProofs(f *file, doc userDocument) error {
	for _, name := range sortedKeys(doc.Profiles) {
		if err := b.profile(name, doc.Profiles[name], f); err != nil {
			return err
		}
	}
	if err := b.addBuilders(doc.Builders, f); err != nil {
		return err
	}
	if err := b.advise(doc.Advisories, f); err != nil {
		return err
	}
	return b.addRules(doc.Policy, f)
}
