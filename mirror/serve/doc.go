// Package serve is the public side of a mirror: HTTP and HTTPS to any TUF client.
//
// Parties: clients, all of them hostile until a limit or a token says otherwise,
// who may send anything at any pace and read as slowly as they like; the Library,
// which alone decides what may be served.
//
// Routes, of which nothing is a folder on disk:
//
//	/r/REPOSITORY/NAME             metadata, and targets/… below it
//	/r/REPOSITORY/status.json      how the repository stands, see mirror.Status
//	/blobs/sha256/HEX              a target's bytes by their digest
//	/attestations/sha256/HEX       the bundles about a digest
//	/livez /readyz /startupz       probes, which take no token
//
// Guarantees: GET and HEAD alone; a path is decoded once and never reaches a file
// system; a request has no body, and a connection that sent one ends; a response
// has one deadline, made of its size and the lowest rate; what is kept per client,
// per connection and in memory is bounded. No error tells of an upstream.
//
// Not guaranteed: that the bytes are still those of their digest, as disks rot;
// clients hash what they get. Small objects are hashed when they come to memory.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"assay/artifact"
	"assay/mirror"
	"assay/mirror/counters"
	"assay/mirror/storage"
	"assay/mirror/tracing"
)

// Library says what may be served. It is safe for several goroutines.
type Library interface {
	// Find tells which file lies under a name below /r/REPOSITORY/:
	// "timestamp.json", "3.root.json", "2.a%2Fb.json", "targets/a/b",
	// "targets/a/HASH.b". Errors: mirror.ErrNoRepository, ErrNoFile, ErrNotCarried,
	// ErrQuarantined, ErrNotReady, ErrExpired.
	Find(repository, name string) (mirror.File, error)
	// Blob finds a served target's bytes by a digest. Errors as of Find.
	Blob(digest artifact.Digest) (mirror.File, error)
	// Attestations are the bundles about a digest. Errors as of Find.
	Attestations(digest artifact.Digest) ([]mirror.File, error)
	// Open opens a file that was found. Where the mirror is lazy it may wait for the
	// upstream. Errors: mirror.ErrAbsent, the storage's and the context's.
	Open(ctx context.Context, f mirror.File) (storage.Object, error)
	// Status is how a repository stands: mirror.ErrNoRepository where there is none.
	Status(repository string) (mirror.Status, error)
	// Ready is nil if something can be served.
	Ready() error
}

// Config is what a Server is made of. Only Library is required.
type Config struct {
	Library Library
	Limits  Limits
	// Tokens is a file of hashed bearer tokens, see ParseTokens; empty: none is asked
	// for.
	Tokens string
	// TLS makes it HTTPS; nil: cleartext.
	TLS *TLSFiles
	// Memory is how many bytes of small objects are kept; 0: 64 MiB.
	Memory int64
	// Grace is how long running requests may go on after a stop; 0: 30 s.
	Grace time.Duration
	// Started tells whether the start has ended, for /startupz; nil: it has.
	Started  func() bool
	Counters *counters.Set    // nil: nothing is counted
	Tracer   *tracing.Tracer  // nil: nobody is told of steps
	Log      *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // nil: time.Now
}

// New checks the configuration and reads the files that it names.
func New(c Config) (*Server, error) {
	if c.Library == nil {
		return nil, errors.New("serve: expected a library, found none")
	}
	limits, err := c.Limits.filled()
	if err != nil {
		return nil, fmt.Errorf("serve: limits: %w", err)
	}
	if c.Memory < 0 || c.Grace < 0 {
		return nil, errors.New("serve: expected bounds of 0 or more, found less")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Started == nil {
		c.Started = func() bool { return true }
	}
	if c.Memory == 0 {
		c.Memory = 64 << 20
	}
	if c.Grace == 0 {
		c.Grace = 30 * time.Second
	}
	s := &Server{
		library: c.Library, limits: limits, tokensFile: c.Tokens, tlsFiles: c.TLS, grace: c.Grace, started: c.Started, log: c.Log, now: c.Now,
		memory: newMemory(c.Memory), buffers: newBuffers(), clients: newClients(limits), places: newPlaces(limits, c.Counters),
		count: newTallies(c.Counters), tracer: c.Tracer, ids: newIDs(),
	}
	return s, s.Reload()
}
