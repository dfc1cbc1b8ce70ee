// Package page is the status page of a mirror: what its administrator sees in a
// browser, and the two things that are done there.
//
// Parties: the operator, whose browser comes over a Unix socket that ssh forwards, or
// to a TCP address of loopback; pages of other sites in the same browser, and other
// users of the operator's machine, who must not be able to do or to learn anything;
// upstreams, whose names and reasons are shown, and may hold anything.
//
//	GET  /               how the mirror stands
//	POST /page/sync      a run of one repository begins now
//	POST /page/release   a target comes out of quarantine, to be proven anew
//	GET  /page/sign-in   asks for a token, POST takes it; only where there are tokens
//	POST /page/sign-out
//
// It is plain HTML with a style of its own: no script, no file from elsewhere, and the
// policy that it is sent with lets a browser load none.
//
// Who may ask. On a socket, whoever may open it. On TCP a token is shown once, in a
// form; the session that it opens is known by a random cookie, lives for sessionTime,
// and ends with the token. What changes something has to come from a form of this
// page: it carries a random text of its session, or of this process on a socket, and
// a browser has to say that the request is of the same origin. The Host of a request
// is one of loopback, see AllowedHost, so that no name of another's can lead here.
//
// Text from outside is shown with escapes for what can't be printed, cut at a bound,
// and isolated, so that it can't turn the direction of what stands beside it.
package page

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"assay/mirror"
	"assay/mirror/counters"
)

// Mirror is what is shown. It is safe for several goroutines.
type Mirror interface {
	Statuses() []mirror.Status
	Storage(ctx context.Context) (mirror.StorageStatus, error)
	// Quarantine lists what is not served; an empty name: of all repositories.
	Quarantine(repository string) ([]mirror.Quarantined, error)
	// Ready is nil if the storage can be used, and all is served fresh.
	Ready() error
}

// Config is what a Page works with. Mirror, Sync and Release are required.
type Config struct {
	Mirror   Mirror
	Counters *counters.Set // nil: nothing was counted
	// Sync runs a repository now and waits for the end, or for that of ctx, which leaves
	// it running and is no error. The error is that of the run, too. who asks is noted.
	Sync func(ctx context.Context, who, repository string) error
	// Release takes a path out of quarantine. who asks is noted.
	Release func(ctx context.Context, who, repository, path string) error
	// Token names who has the token of a hash, empty if nobody; nil: none is asked for,
	// as the listener is one that only its owner can open.
	Token func(hash [sha256.Size]byte) string
	// Peer is who is at the other end of a connection; nil: nobody knows.
	Peer func(*http.Request) string
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // nil: none
}

// Page answers a browser. It is safe for several goroutines.
type Page struct {
	config  Config
	form    string // the text of forms where nobody signs in
	origins *http.CrossOriginProtection
	history history

	mu       sync.Mutex // guards what follows
	sessions map[string]*session
	attempts attempts
	notices  []notice // the newest last, at most maxNotices
}

// New makes a page. Its plots fill while Run does.
func New(config Config) *Page {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Peer == nil {
		config.Peer = func(*http.Request) string { return "" }
	}
	return &Page{
		config: config, form: rand.Text(), origins: http.NewCrossOriginProtection(), sessions: map[string]*session{},
		history: history{began: config.Now()},
	}
}

// Owns reports whether a path is one of the page's.
func Owns(path string) bool { return path == "/" || strings.HasPrefix(path, "/page/") }
