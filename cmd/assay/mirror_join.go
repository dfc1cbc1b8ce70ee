package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"assay/cache/audit"
	"assay/cache/state"
	"assay/fetch"
	"assay/internal/config"
	"assay/mirror"
	"assay/mirror/airgap"
	"assay/mirror/backup"
	"assay/mirror/counters"
	"assay/mirror/storage"
	"assay/mirror/tracing"
	"assay/mirror/upstream"
	"assay/trust/advisory"
)

// The folders in that of the mirror.
const (
	mirrorState   = "state"   // what is trusted and proven, and the audit log
	mirrorStorage = "storage" // what is served
)

// mirrorOutside is what a mirror is opened with, beside its configuration.
type mirrorOutside struct {
	log        *slog.Logger
	counters   *counters.Set
	tracer     *tracing.Tracer // nil: nobody is told
	noteFailed func(error)     // is told where something could not be written down
}

// ownMirror is a mirror that this process has opened, alone.
type ownMirror struct {
	a       *app
	outside mirrorOutside
	folder  *storage.Folder
	core    *mirror.Mirror
	base    atomic.Pointer[session] // of the configuration that counts
}

// openMirror opens the mirror of a configuration. It makes no request. Where another
// process has it the error is a storage.ErrInUse.
//
// Crash at any time: the folder's lock ends with the process, and each part of it
// takes up what it finds.
func (a *app) openMirror(ctx context.Context, cfg *config.Config, outside mirrorOutside) (_ *ownMirror, err error) {
	m := &ownMirror{a: a, outside: outside}
	m.folder, err = storage.Open(filepath.Join(cfg.Daemon.Dir, mirrorStorage), storage.Options{
		Now: a.now, Notice: func(text string) { outside.log.Warn(text, "part", "storage") },
	})
	if err != nil {
		return nil, err
	}
	// With half of a backup it would begin without its floors, and hold nothing back.
	if err := backup.Unfinished(cfg.Daemon.Dir); err != nil {
		return nil, errors.Join(err, m.folder.Close())
	}
	c, base, err := m.coreConfig(ctx, cfg)
	if err == nil {
		m.base.Store(base)
		m.core, err = mirror.Open(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(err, m.folder.Close())
	}
	return m, nil
}

// Close ends what is under way, and gives the folder up.
func (m *ownMirror) Close() error {
	m.core.Close()
	return m.folder.Close()
}

// configure takes another configuration over. An error changes nothing.
func (m *ownMirror) configure(ctx context.Context, cfg *config.Config) error {
	c, base, err := m.coreConfig(ctx, cfg)
	if err != nil {
		return err
	}
	if err := m.core.Configure(ctx, c); err != nil {
		return err
	}
	m.base.Store(base)
	return nil
}

// coreConfig turns a configuration into that of package mirror. base is what its
// upstreams work with: the state and the cache of the mirror, not those of the user.
func (m *ownMirror) coreConfig(ctx context.Context, cfg *config.Config) (c mirror.Config, base *session, err error) {
	own := *cfg
	own.StateDir, own.CacheDir = filepath.Join(cfg.Daemon.Dir, mirrorState), filepath.Join(cfg.Daemon.Dir, mirrorState)
	base = &session{config: &own, engine: m.a.engineOf(&own), cache: m.folder.Cache()}
	if base.state, err = state.Open(own.StateDir, state.Options{Now: m.a.now}); err != nil {
		return c, nil, err
	}
	if base.repositories, err = base.list(ctx); err != nil {
		return c, nil, err
	}
	settings, err := settingsOf(cfg)
	if err != nil {
		return c, nil, err
	}
	for _, r := range base.repositories {
		if r.url == urlImport {
			r.inbox = airgap.ReadyFolder(inboxOf(cfg), r.name)
		}
	}
	m.a.remembered(&own) // before there are several goroutines
	c = mirror.Config{
		Storage: m.folder, Counters: m.outside.counters, Tracer: m.outside.tracer, Log: m.outside.log, Now: m.a.now,
		Quota: cfg.Daemon.Quota, ScrubRate: cfg.Daemon.ScrubRate, ScrubEvery: cfg.Daemon.ScrubEvery,
	}
	judges := judgesOf(&own)
	for _, s := range settings {
		// What is held is looked up by a repository of its own; each run has another.
		held, err := m.joined(ctx, base, s.Name)
		if err != nil {
			return c, nil, err
		}
		r, err := held.find(s.Name)
		if err != nil {
			return c, nil, err
		}
		var from mirror.Upstream = upstream.New(upstream.Config{
			Name: s.Name, Trust: r.trust, Policy: judges, Counters: m.outside.counters, Tracer: m.outside.tracer,
			Client: func(ctx context.Context) (*fetch.Client, error) {
				run, err := m.joined(ctx, base, s.Name)
				if err != nil {
					return nil, err
				}
				return run.client, nil
			},
		})
		if s.Imported {
			from = airgap.Upstream(from, r.inbox)
		}
		c.Repositories = append(c.Repositories, mirror.Mirrored{Settings: s, Upstream: from})
	}
	return c, base, nil
}

// joined is a session about one repository, and those that its proofs consult, for
// one run. It shares with others what several goroutines may share.
func (m *ownMirror) joined(ctx context.Context, base *session, name string) (*session, error) {
	run := *base
	run.repositories = nil
	for _, r := range base.repositories {
		mine := *r
		run.repositories = append(run.repositories, &mine)
	}
	prover, err := m.a.prover(&run)
	if err != nil {
		return nil, err
	}
	run.prover = prover
	names := append(run.consulted(), name)
	var joined []*fetch.Repository
	for _, r := range run.repositories {
		if !slices.Contains(names, r.name) {
			continue
		}
		if err := m.a.connect(ctx, &run, r); err != nil {
			return nil, err
		}
		joined = append(joined, &fetch.Repository{Trust: r.trust, Source: r.source})
	}
	run.client, err = fetch.NewClient(fetch.Config{
		Repositories: joined, Cache: run.cache, Engine: run.engine, Prover: run.prover, Now: m.a.now, Offline: run.config.Offline,
		MachineID: run.state.MachineID, Transfer: transferOf(run.config), Downloads: int(run.config.Transfer.Downloads),
		Warn: func(text string) { m.outside.log.Warn(text, "repository", name) },
	})
	return &run, err
}

// judgesOf names all that judges artifacts, with what the files hold that it names:
// where it changes, what is held is judged anew. It is looked at when the
// configuration is read.
func judgesOf(cfg *config.Config) string {
	sum := sha256.New()
	for _, v := range cfg.Values() {
		table, _, _ := strings.Cut(v.Key, ".")
		if slices.Contains([]string{config.KeyPolicy, config.KeyBuilders, config.KeyProfiles, config.KeyAdvisories}, table) || strings.HasSuffix(v.Key, "."+config.KeyProfiles) {
			fmt.Fprintf(sum, "%q %q\n", v.Key, v.Value)
		}
	}
	var files []string
	for _, p := range cfg.Profiles {
		files = append(append(files, p.TrustedRoot), p.Keys...)
	}
	for _, at := range cfg.Advisories {
		files = append(files, at.File)
	}
	for _, path := range files {
		// What can't be read is an error where it is needed; here it is another content.
		if data, err := readConfigured(path, advisory.MaxBytes, config.Origin{}); path != "" && err == nil {
			fmt.Fprintf(sum, "%q %x\n", path, sha256.Sum256(data))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// note writes down in the mirror's audit log what an administrator does. A log that
// can't be written does not stop the mirror, but is told.
func (m *ownMirror) note(ctx context.Context, action, detail string) {
	base := m.base.Load()
	writer, err := m.a.auditor(ctx, base)
	if err == nil {
		entry := audit.Entry{Action: action, Detail: detail}
		// Details begin with the repository, where there is one.
		name := detail[:len(detail)-len(strings.TrimLeft(detail, "abcdefghijklmnopqrstuvwxyz0123456789._-"))]
		if slices.ContainsFunc(base.repositories, func(r *repository) bool { return r.name == name }) {
			entry.Subject.Repository = name
		}
		err = writer.note(ctx, entry)
	}
	if err != nil {
		m.outside.noteFailed(fmt.Errorf("the audit log: %w", err))
	}
}
