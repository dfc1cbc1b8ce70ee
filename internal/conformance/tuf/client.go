package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"assay/cache"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/internal/durable"
	"assay/trust"
)

// The names in the metadata folder beside those of the roles.
const (
	givenFile   = "trusted-root"
	rootFile    = "root.json"
	cacheFolder = "cache"
)

// repositoryName stands in messages, and for the repository in the state.
const repositoryName = "repository"

var (
	errInitialised    = errors.New("another root was given to this folder before")
	errNotInitialised = errors.New("init was not called")
)

// initialise begins to trust the root in a file. What can't be a root is refused
// at once, and leaves nothing. The given root is stored before its copy for the
// suite: a crash in between leaves the copy missing, which a second call mends.
func initialise(dir, file string) error {
	raw, err := readRoot(file)
	if err != nil {
		return err
	}
	if _, err := trust.CheckRoot(raw, trust.Limits{}); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeGiven(filepath.Join(dir, givenFile), raw); err != nil {
		return err
	}
	copied, err := durable.Create(filepath.Join(dir, rootFile), 0o644)
	if err != nil {
		return err
	}
	defer copied.Abort()
	if _, err := copied.Write(raw); err != nil {
		return err
	}
	if err := copied.CommitNew(); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil // what was there is this root, or one that was accepted after it
}

// writeGiven stores the given root; the same again is fine.
func writeGiven(path string, raw []byte) error {
	file, err := durable.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write(raw); err != nil {
		return err
	}
	err = file.CommitNew()
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	held, err := readRoot(path)
	if err == nil && !bytes.Equal(held, raw) {
		err = fmt.Errorf("%w: %s", errInitialised, path)
	}
	return err
}

// readRoot reads a root file. Of one that is longer than trust takes it reads one
// byte more than that, so that trust refuses it.
func readRoot(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, trust.DefaultLimits().Root+1))
}

// client is the product's client with one repository, for one step.
type client struct {
	fetch     *fetch.Client
	targetDir string
}

// openClient puts the product's parts together. It asks nothing yet.
func openClient(o *options, now time.Time) (*client, error) {
	given, err := readRoot(filepath.Join(o.metadataDir, givenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", o.metadataDir, errNotInitialised)
	}
	if err != nil {
		return nil, err
	}
	newest, err := readRoot(filepath.Join(o.metadataDir, rootFile))
	if errors.Is(err, fs.ErrNotExist) {
		newest, err = given, nil // init was cut off before its copy
	}
	if err != nil {
		return nil, err
	}
	clock := func() time.Time { return now }
	engine := wire.New(wire.Options{UserAgent: "assay-conformance"})
	source, err := fetch.NewSource(engine, fetch.SourceConfig{
		URL: o.metadataURL, MetadataURL: o.metadataURL, TargetsURL: o.targetURL,
	})
	if err != nil {
		return nil, err
	}
	db, err := state.Open(o.metadataDir, state.Options{Now: clock})
	if err != nil {
		return nil, err
	}
	held, err := cache.Open(filepath.Join(o.metadataDir, cacheFolder), cache.Options{Now: clock})
	if err != nil {
		return nil, err
	}
	files := &roleFiles{
		dir: o.metadataDir, store: db.Trust(repositoryName), remote: source, consistent: readSigned(newest).Consistent,
	}
	repository, err := trust.Open(trust.Config{Name: repositoryName, Root: given, Store: files, Remote: files, Now: clock})
	if err != nil {
		return nil, err
	}
	client := &client{targetDir: o.targetDir}
	client.fetch, err = fetch.NewClient(fetch.Config{
		Repositories: []*fetch.Repository{{Trust: repository, Source: source}},
		Cache:        held, Engine: engine, Now: clock,
	})
	return client, err
}

func (c *client) refresh(ctx context.Context) error {
	_, err := c.fetch.View(ctx, repositoryName)
	return err
}

// download brings targets into the target folder, all by one view. A target
// whose promise has changed replaces the file of the one before.
func (c *client) download(ctx context.Context, paths []string) error {
	view, err := c.fetch.View(ctx, repositoryName)
	if err != nil {
		return err
	}
	for _, path := range paths {
		target, err := view.Target(ctx, path)
		if err != nil {
			return err
		}
		fetched, err := c.fetch.Fetch(ctx, target)
		if err != nil {
			return err
		}
		held := fetch.Held{Selection: fetch.Selection{Target: target}, Fetched: fetched}
		if _, err := c.fetch.Save(ctx, held, filepath.Join(c.targetDir, fileName(path)), true); err != nil {
			return err
		}
	}
	return nil
}
