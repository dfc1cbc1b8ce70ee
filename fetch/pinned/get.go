package pinned

import (
	"context"
	"errors"
	"fmt"
	"time"

	getter "github.com/hashicorp/go-getter/v2"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/transfer"
	"assay/trust"
)

// Mover moves the bytes of one object into the cache.
type Mover interface {
	// Move asks the places in their order, takes at most limit bytes, and proves
	// all digests of want before the bytes are a blob. name is for people. It says
	// how many bytes came, and from where, without user, password and query. More
	// bytes than limit are transfer.ErrTooLarge, others than wanted a mismatch of trust
	// or cache; after any error nothing is left that could be taken for the object.
	Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (blob cache.Blob, moved int64, from string, err error)
}

// Object names an object of S3 or GCS.
type Object struct {
	Bucket, Key string
	Region      string // where its URL told the region; else empty
	Public      bool   // its URL was asked before, without credentials
}

// Bucket knows the places of objects in a store of such.
type Bucket interface {
	// Places are where an object can be asked for, the best first, each with the
	// credentials that its store was given on this machine, or with none. What can
	// only be asked without credentials, and was, has no places. Credentials that
	// are there and can't be used are ErrCredentials.
	Places(ctx context.Context, object Object) ([]transfer.Place, error)
}

// The bounds that Config has where it says nothing.
const (
	DefaultMaxSize = 16 << 30         // bytes
	DefaultGitSize = 16 << 30         // bytes
	DefaultGitTime = 30 * time.Minute // for all that git does
)

// Config is what a Getter needs. Cache, Mover and Dir are required.
type Config struct {
	Cache *cache.Store
	Mover Mover
	// Dir is where git's private folders are made; nobody else may write there.
	Dir string
	// S3 and GCS know the places of objects; nil: there are none.
	S3, GCS Bucket
	// MaxSize is how many bytes a file may have; 0: DefaultMaxSize.
	MaxSize int64
	// GitSize is how many bytes git may keep on the disk to get one: a server that
	// can't leave anything out sends all files of a commit. 0: DefaultGitSize. It is
	// looked at some times a second.
	GitSize int64
	// GitTime bounds all that git does for one file; 0: DefaultGitTime.
	GitTime time.Duration
	// GitPath is git's program; empty: "git", by PATH.
	GitPath string
	// Env is the process's environment, of which git gets what git_env.go names.
	Env []string
	Now func() time.Time // nil: time.Now
	// Offline forbids what lies on other machines.
	Offline bool
}

// Getter gets sources. It is safe for several goroutines.
type Getter struct{ config Config }

// New checks the configuration. It asks nothing yet.
func New(config Config) (*Getter, error) {
	if config.Cache == nil || config.Mover == nil || config.Dir == "" {
		return nil, errors.New("pinned: a getter needs a cache, a mover and a folder")
	}
	if config.MaxSize == 0 {
		config.MaxSize = DefaultMaxSize
	}
	if config.GitSize == 0 {
		config.GitSize = DefaultGitSize
	}
	if config.GitTime == 0 {
		config.GitTime = DefaultGitTime
	}
	if config.GitPath == "" {
		config.GitPath = "git"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Getter{config}, nil
}

// Result is a file that was got.
type Result struct {
	Blob  cache.Blob
	Moved int64  // bytes that came over a source; 0: it was held
	From  string // what sent them, without user, password and query
}

// Get brings the file of a source into the cache, or finds it there, and proves
// that it has every digest of want. No digest is ErrNoDigest, what is longer than
// Config.MaxSize transfer.ErrTooLarge, other bytes are a mismatch of trust or cache; a
// source that fails is wire.ErrSource; what is not held, and must not be asked
// for, trust.ErrNotHeld.
func (g *Getter) Get(ctx context.Context, source *Source, want artifact.Digests) (Result, error) {
	want, err := artifact.NewDigests(want...)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNoDigest, err)
	}
	blob, err := g.held(ctx, want)
	if !errors.Is(err, cache.ErrMissing) {
		return Result{Blob: blob}, err
	}
	if g.config.Offline && source.remote() {
		return Result{}, fmt.Errorf("%s: %w", source, trust.ErrNotHeld)
	}
	job := &job{config: g.config, source: source, want: want}
	// What go-getter gets is a ticket, and no part of the URL: it reads words in it
	// that are not to be obeyed. None of its own getters, decompressors and
	// detectors is there, and maps that are nil would mean all of them.
	client := &getter.Client{
		Getters:         []getter.Getter{&gitGetter{job}, &fileGetter{job}},
		Decompressors:   map[string]getter.Decompressor{},
		DisableSymlinks: true,
	}
	if _, err := client.Get(ctx, &getter.Request{Src: job.ticket(), GetMode: getter.ModeFile}); err != nil {
		return Result{}, err
	}
	return job.result, nil
}

// held finds the bytes in the cache and hashes them by every digest wanted: they
// are stored under one of them.
func (g *Getter) held(ctx context.Context, want artifact.Digests) (cache.Blob, error) {
	blob, err := g.config.Cache.Get(want.Primary())
	if err != nil {
		return cache.Blob{}, err
	}
	return blob, proveHeld(ctx, blob, want)
}

// job is one file to get, and what became of it.
type job struct {
	config Config
	source *Source
	want   artifact.Digests
	result Result
}

// move has the mover move, and keeps what it says. With from given that is the
// source, in place of where the bytes were put in between.
func (j *job) move(ctx context.Context, places []transfer.Place, from string) error {
	name := j.source.Name()
	if name == "" {
		name = j.source.String()
	}
	blob, moved, sender, err := j.config.Mover.Move(ctx, places, j.want, j.config.MaxSize, name)
	if err != nil && from != "" {
		return fmt.Errorf("%s: %w", from, err)
	}
	if err != nil {
		return err
	}
	if blob.Digest() != j.want.Primary() {
		return &trust.MismatchError{What: j.source.String(), Expected: j.want.Primary().String(), Found: blob.Digest().String()}
	}
	if from == "" {
		from = sender
	}
	j.result = Result{Blob: blob, Moved: moved, From: from}
	return nil
}
