package pinned

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	getter "github.com/hashicorp/go-getter/v2"

	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// fileGetter gets what the mover can ask for itself: files of servers, of this
// machine and of buckets. It is a getter.Getter of go-getter, and writes no Dst:
// the bytes go into the cache, where they are proven, and to no other place.
type fileGetter struct{ *job }

var _ getter.Getter = (*fileGetter)(nil)

// gitTicket stands for a file of a git repository, fileTicket for any other.
const (
	gitTicket  = "git://pinned/file"
	fileTicket = "file://pinned/file"
)

func (j *job) ticket() string {
	if j.source.kind == Git {
		return gitTicket
	}
	return fileTicket
}

// Detect takes the ticket for all but git.
func (g *fileGetter) Detect(request *getter.Request) (bool, error) {
	return request.Src == fileTicket, nil
}

// Mode is a file's.
func (g *fileGetter) Mode(context.Context, *url.URL) (getter.Mode, error) {
	return getter.ModeFile, nil
}

// Get would be for a folder.
func (g *fileGetter) Get(context.Context, *getter.Request) error { return g.noFolder() }

// GetFile moves the bytes. A URL of S3's or GCS's own servers is asked as anybody
// would, and then, where it is not there for anybody, as an object of that store.
func (g *fileGetter) GetFile(ctx context.Context, _ *getter.Request) error {
	if g.source.url == nil {
		return g.moveObject(ctx, g.source.kind, Object{Bucket: g.source.bucket, Key: g.source.key})
	}
	err := g.move(ctx, []transfer.Place{{URL: g.source.url, Reach: wire.ReachOf(g.source.url)}}, "")
	kind, object, is := g.source.object()
	if !is || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if asObject := g.moveObject(ctx, kind, object); !errors.Is(asObject, errNoStore) {
		return asObject
	}
	return err
}

// errNoStore: nothing here knows such buckets.
var errNoStore = fmt.Errorf("%w: nothing here knows such buckets", ErrURL)

// moveObject moves an object of a store. Its URL may carry a signature, so that
// nothing but the mover is told of it.
func (g *fileGetter) moveObject(ctx context.Context, kind Kind, object Object) error {
	bucket := map[Kind]Bucket{S3: g.config.S3, GCS: g.config.GCS}[kind]
	if bucket == nil {
		return fmt.Errorf("%s: %w", g.source, errNoStore)
	}
	places, err := bucket.Places(ctx, object)
	if err != nil {
		return fmt.Errorf("%s: %w", g.source, err)
	}
	if len(places) == 0 {
		return fmt.Errorf("%s: %w", g.source, errNoStore)
	}
	return g.move(ctx, places, "")
}

func (j *job) noFolder() error {
	return fmt.Errorf("%w: %s: expected one file, found a request for a folder", ErrURL, j.source)
}
