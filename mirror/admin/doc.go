// Package admin lets a mirror be watched and steered over HTTP.
//
// Parties: the mirror; its operator, who has a command line, a browser or a script
// on the same machine; other users of that machine, and pages in the operator's
// browser, who must not be able to do anything.
//
// The listener is a Unix socket that its owner alone may open, or a TCP address of
// which each request has to show a bearer token. Hashes of the tokens are in a file,
// a line for each: NAME sha256:HEX.
//
//	GET  /v1/status                     how each repository stands
//	GET  /v1/storage                    how the storage stands
//	GET  /v1/plan/{repository}          what a run would fetch
//	POST /v1/sync/{repository}          runs now, or joins the run that is under way
//	POST /v1/cancel/{repository}        ends the run that is under way
//	GET  /v1/quarantine?repository=NAME what is not served, and why; without a name: of all
//	POST /v1/quarantine/{repository}/release|hold   {"path": …, "reason": …, "by": …}
//	POST /v1/scrub                      hashes all that is held now, and waits for the end
//	POST /v1/reload                     reads the configuration anew
//	GET  /v1/counters                   what was counted
//	GET  /metrics                       the same and more for Prometheus, see package metrics
//	GET  /livez, /readyz, /startupz     200, or 503; no token is asked for
//	GET  /debug/pprof/                  how the process stands
//	GET  /, /page/…                     the status page, for a browser: see package page
//
// Answers are JSON objects; an error is {"error", "kind", "code"}, with the exit code
// that a command of this program ends with for it.
//
// Guarantees: what changes something takes a request that no page of another site can
// make, and is noted before it is done, with who asked. A client that hangs costs a
// connection for seconds, and there are at most MaxConnections. Nothing asked here
// makes the mirror serve what it has not proven: a release from quarantine is proven
// anew.
//
// Not guaranteed: secrecy on TCP, as there is no TLS: it is for loopback alone.
package admin

import (
	"context"
	"errors"

	"assay/mirror"
)

// MaxConnections is how many clients may be connected at once.
const MaxConnections = 64

// The kinds of failure of this package.
var (
	// ErrInUse: another process that is alive has the socket.
	ErrInUse = errors.New("another mirror is at work")
	// ErrSocket: no socket can be made there.
	ErrSocket = errors.New("the administrator's socket can't be made")
	// ErrTokens: a listener without tokens that others can reach, or a file of tokens
	// that can't be read.
	ErrTokens = errors.New("no tokens for the administrator's address")
	// ErrUnauthorized: the request had no token, or none that counts.
	ErrUnauthorized = errors.New("no token, or not one that counts")
	// ErrRequest: the request is not one that is understood.
	ErrRequest = errors.New("not a request that is understood")
	// ErrNotRunning: nobody listens at the address.
	ErrNotRunning = errors.New("no mirror is running")
	// ErrAnswer: what answered is no mirror, or not one of this version.
	ErrAnswer = errors.New("not an answer of a mirror")
)

// Mirror is what is steered. It is safe for several goroutines.
type Mirror interface {
	Statuses() []mirror.Status
	// Sync runs now, or joins the run that is under way, and waits for its end. Whoever
	// gives up leaves it running. The error is that of the name or of ctx; how the run
	// ended is in the Run.
	Sync(ctx context.Context, repository string) (mirror.Run, error)
	// Cancel ends the run that is under way, and reports whether there was one.
	Cancel(repository string) (bool, error)
	Plan(ctx context.Context, repository string) (mirror.Plan, error)
	// Quarantine lists what is not served; an empty name: of all repositories.
	Quarantine(repository string) ([]mirror.Quarantined, error)
	// Release takes a path out of quarantine, to be proven anew before it is served.
	Release(ctx context.Context, repository, path string) error
	// Hold puts a path aside, for the reason given, until it is released.
	Hold(ctx context.Context, repository, path, reason string) error
	Storage(ctx context.Context) (mirror.StorageStatus, error)
	// ScrubNow hashes all that is live, at most rate bytes a second (0: as fast as it
	// goes), and has what is damaged fetched again. damaged objects there were.
	ScrubNow(ctx context.Context, rate int64) (damaged int, err error)
	// Ready is nil if the storage can be used, and something fresh is served.
	Ready() error
}
