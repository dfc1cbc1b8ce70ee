package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"assay/cache/state"
	"assay/internal/config"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// prover makes what judges artifacts, from the configuration and the memory of
// earlier proofs. It reads and asks nothing until it has to.
func (a *app) prover(s *session) (*proof.Prover, error) {
	rules, err := s.config.Policy()
	if err != nil {
		return nil, err
	}
	c := proof.Config{
		Policy: rules, Default: s.config.ProfilesOf, Now: a.now,
		Memory: s.state.Proofs(), Damaged: func(err error) bool { return errors.Is(err, state.ErrEntry) },
	}
	for _, p := range s.config.Profiles {
		c.Profiles = append(c.Profiles, proof.Profile{
			Name: p.Name, Repository: p.Repository,
			Load: func(ctx context.Context) (provenance.Profile, string, error) { return s.loadProfile(ctx, p) },
		})
	}
	if len(s.config.Advisories) > 0 {
		c.Advisories = s.advisories()
	}
	return proof.New(c)
}

// loadProfile reads what a profile names: files, or a target of a repository.
func (s *session) loadProfile(ctx context.Context, p config.Profile) (profile provenance.Profile, from string, err error) {
	profile = provenance.Profile{Name: p.Name, Kind: p.Kind, Least: p.Least}
	switch {
	case p.TrustedRoot != "":
		from = p.TrustedRoot
		profile.Root, err = readConfigured(p.TrustedRoot, maxRootFile, p.Origin)
	case p.Repository != "":
		var note string
		from = p.Target + " of " + p.Repository
		if profile.Root, note, err = s.readTarget(ctx, p.Repository, p.Target, maxRootFile, p.Origin); note != "" {
			from += ", " + note
		}
	}
	for _, path := range p.Keys {
		var key []byte
		if err == nil {
			key, err = readConfigured(path, maxRootFile, p.Origin)
		}
		profile.Keys = append(profile.Keys, key)
		if from == "" {
			from = path
		}
	}
	return profile, from, err
}

// readTarget reads a target that the configuration names.
func (s *session) readTarget(ctx context.Context, repository, path string, limit int64, origin config.Origin) (data []byte, note string, err error) {
	if _, err := s.find(repository); err != nil {
		how := repository
		if _, known := knownRepositories()[repository]; !known {
			how += " URL --root-sha256 HEX"
		}
		return nil, "", withHint(mark(config.ErrConfig, fmt.Errorf("%s: %w", origin, err)), "`assay trust add "+how+"` adds it")
	}
	data, note, err = s.client.ReadDocument(ctx, repository, path, limit)
	if errors.Is(err, trust.ErrNoTarget) {
		err = withHint(fmt.Errorf("%s: %w", origin, err), "`assay config show` tells what the configuration names; whoever keeps "+repository+" has to publish it")
	}
	return data, note, err
}

// advisories reads all configured advisories, once.
func (s *session) advisories() func(context.Context) (*advisory.Set, error) {
	var mu sync.Mutex
	var set *advisory.Set
	return func(ctx context.Context) (*advisory.Set, error) {
		mu.Lock()
		defer mu.Unlock()
		if set != nil {
			return set, nil
		}
		var docs []*advisory.Document
		for _, at := range s.config.Advisories {
			doc, err := s.readAdvisories(ctx, at)
			if err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		}
		made, err := advisory.NewSet(docs...)
		if err != nil {
			return nil, err
		}
		set = made
		return set, nil
	}
}

func (s *session) readAdvisories(ctx context.Context, at config.Advisories) (doc *advisory.Document, err error) {
	var data []byte
	name := at.File
	if name != "" {
		data, err = readConfigured(name, advisory.MaxBytes, at.Origin)
	} else {
		name = at.Target + " of " + at.Repository
		data, _, err = s.readTarget(ctx, at.Repository, at.Target, advisory.MaxBytes, at.Origin)
	}
	if err != nil {
		return nil, err
	}
	if doc, err = advisory.Parse(name, data); err != nil {
		return nil, fmt.Errorf("%s: %w", at.Origin, err)
	}
	return doc, nil
}

// readConfigured reads a regular file that the configuration names, at most
// limit bytes.
func readConfigured(path string, limit int64, origin config.Origin) ([]byte, error) {
	fail := func(err error) error {
		return mark(config.ErrConfig, fmt.Errorf("%s: %w", origin, err))
	}
	file, err := openRegular(path)
	if err != nil {
		return nil, fail(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: expected at most %d bytes, found more", clip(filepath.Base(path)), limit)
	}
	if err != nil {
		return nil, fail(err)
	}
	return data, nil
}

// openRegular opens a regular file, and nothing else: to open a pipe would wait for its other end.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a regular file, found something else", clip(path))
	}
	return os.Open(path)
}

// consulted are the repositories that profiles and advisories name: whoever asks
// any repository may have to ask these, too.
func (s *session) consulted() []string {
	var names []string
	for _, p := range s.config.Profiles {
		names = append(names, p.Repository)
	}
	for _, a := range s.config.Advisories {
		names = append(names, a.Repository)
	}
	return names
}
