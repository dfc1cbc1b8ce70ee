package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch"
	"assay/internal/config"
	"assay/mirror"
	"assay/mirror/airgap"
	"assay/mirror/storage"
)

// urlImport stands for the URL of a repository that nobody can be asked for: it comes
// by `assay mirror import`.
const urlImport = "import:"

// inboxOf is where what is brought is unpacked.
func inboxOf(cfg *config.Config) string { return filepath.Join(cfg.Daemon.Dir, "import") }

// brought is a source that lies in the folder of what was brought, and nowhere else.
func brought(c fetch.SourceConfig, ready string) fetch.SourceConfig {
	base, metadata := airgap.Places(ready)
	file := func(path string) string { return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String() }
	c.URL, c.MetadataURL, c.TargetsURL, c.Layout, c.ByDigest = file(base), file(metadata), "", "", true
	c.Mirrors, c.MirrorsOnly = nil, false
	return c
}

// overNetwork are those upstreams that can be asked: the others are brought.
func overNetwork(cfg *config.Config, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		r, _ := cfg.Repository(name)
		return r.URL == urlImport
	})
}

func mirrorImportCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "take in what another mirror exported",
		ArgsUsage: "FILE…",
		Description: "Takes the volumes of `assay mirror export`, all at once or as they come, and\n" +
			"proves what they hold as if it came from the upstream: by the root, the clock\n" +
			"and the version floors of this machine. All of it is published, or nothing. The\n" +
			"repository is one of the configuration, with url = \"import:\". It can be repeated\n" +
			"at any time, and goes on from where it was cut off." +
			examples("assay mirror import --config mirror.toml /media/acme-7-*.tar"),
		Flags:  []cli.Flag{adminTokenFlag()},
		Action: a.mirrorImport,
	}
}

// importedSet tells of one repository that was brought.
type importedSet struct {
	Repository string           `json:"repository"`
	Export     artifact.Digest  `json:"export"`
	Set        artifact.Digest  `json:"set"`
	Generation int64            `json:"generation"` // of the exporter
	LeftOut    []airgap.LeftOut `json:"left_out,omitempty"`
	Run        *mirrorRunDoc    `json:"run,omitempty"` // nil: there was none
}

func (a *app) mirrorImport(c *cli.Context) (err error) {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	cfg, err := a.mirrorConfig(c)
	if err != nil {
		return err
	}
	for _, path := range args {
		if err := readable(a.path(path)); err != nil {
			return err
		}
	}
	if err := mirrorOwner(cfg.Daemon.Dir); err != nil {
		return err
	}
	inbox, err := airgap.OpenInbox(inboxOf(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inbox.Close()) }()
	heads, err := a.takeVolumes(c.Context, cfg, inbox, args)
	if err != nil {
		return err
	}
	held, err := storage.OpenReader(filepath.Join(cfg.Daemon.Dir, mirrorStorage))
	if err != nil {
		return err
	}
	// Older ones first: a difference needs what it is a difference to.
	slices.SortStableFunc(heads, func(x, y airgap.Head) int { return x.Published.Compare(y.Published) })
	docs, changed := []importedSet{}, false
	var first error
	for _, h := range heads {
		doc := importedSet{Repository: h.Repository, Export: h.Export, Set: h.Set, Generation: h.Generation, LeftOut: h.LeftOut}
		err := inbox.Complete(c.Context, h, held)
		if err == nil {
			err = a.mirrorNoted(c.Context, cfg, mirrorImported, h.Repository, fmt.Sprintf("generation %d there, export %s, set %s", h.Generation, h.Export, h.Set), func() (string, error) {
				if err := a.importSet(c, cfg, inbox, h, &doc); err != nil {
					return "", err
				}
				return fmt.Sprintf("generation %d there, now %d here, export %s", h.Generation, doc.Run.Generation, h.Export), nil
			})
		}
		if docs = append(docs, doc); doc.Run != nil && doc.Run.Changed {
			changed = true
		}
		if first == nil {
			first = err
		}
	}
	err = a.out.result("mirror.import", struct {
		Changed bool          `json:"changed"`
		Sets    []importedSet `json:"sets"`
	}{changed, docs})
	if first != nil {
		return first
	}
	return err
}

// takeVolumes unpacks volumes, and gives the head of each set once.
func (a *app) takeVolumes(ctx context.Context, cfg *config.Config, inbox *airgap.Inbox, paths []string) ([]airgap.Head, error) {
	var imported []string
	for _, r := range cfg.Repositories {
		if r.URL == urlImport && slices.ContainsFunc(cfg.Daemon.Upstreams, func(u config.Upstream) bool { return u.Name == r.Name }) {
			imported = append(imported, r.Name)
		}
	}
	watch := a.watch("import")
	var heads []airgap.Head
	for _, path := range paths {
		h, err := inbox.Take(ctx, a.path(path), airgap.TakeOptions{
			Accept: func(repository string) error {
				if slices.Contains(imported, repository) {
					return nil
				}
				return withHint(fmt.Errorf("%w: %q is no repository that this mirror imports%s", mirror.ErrNoRepository, clip(repository), didYouMean(config.Nearest(repository, imported))),
					"declare it with url = \"import:\" and its root, and as an upstream; docs/mirror.md has an example")
			},
			Free:     func() (int64, error) { return storage.Free(cfg.Daemon.Dir) },
			Progress: watch.at,
		})
		if err != nil {
			watch.done(err)
			a.mirrorRefused(ctx, cfg, path, err)
			return nil, err
		}
		a.out.line("%s: volume %d of %d of %s, generation %d", clip(path), h.Volume, len(h.Volumes), h.Repository, h.Generation)
		if !slices.ContainsFunc(heads, func(other airgap.Head) bool { return other.Set == h.Set }) {
			heads = append(heads, h)
		}
	}
	watch.done(nil)
	return heads, nil
}

// mirrorRefused writes down that something was brought that is no volume for here.
func (a *app) mirrorRefused(ctx context.Context, cfg *config.Config, path string, err error) {
	if !slices.Contains([]int{3, 13, 41}, codeOf(err)) {
		return // nothing was wrong with what was brought
	}
	e := audit.Entry{Action: mirrorImported, Outcome: audit.Failed, Detail: path + ": " + err.Error()}
	if err := a.mirrorNote(ctx, filepath.Join(cfg.Daemon.Dir, mirrorState), e); err != nil {
		a.out.warn("the audit log: %v", err)
	}
}

// readable wants a regular file that can be read: anything else is what was typed.
func readable(path string) error {
	file, err := openRegular(path)
	if err != nil {
		return fileError(err)
	}
	return file.Close()
}

// importSet has the mirror take over what is ready. What was refused does not stay: the
// volumes are still where they came from. What failed for another reason does.
func (a *app) importSet(c *cli.Context, cfg *config.Config, inbox *airgap.Inbox, h airgap.Head, doc *importedSet) (err error) {
	hand, done, err := a.mirrorHand(c, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	run, err := a.mirrorRun(c.Context, hand, h.Repository)
	doc.Run = &run
	if err != nil {
		err = &reported{err}
	}
	if keepsReady(codeOf(err)) {
		return err
	}
	// Crash here: what is ready is there still. The same import once more finds nothing
	// new, and comes to this again.
	return errors.Join(err, inbox.Done(h))
}

// keepsReady reports whether the same import may go better: nothing was wrong with it.
func keepsReady(code int) bool { return slices.Contains([]int{1, 2, 31, 40, 41, 130, 143}, code) }
