package trust

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// Remote reads metadata of one repository from wherever it lies.
//
// name is one path segment, already percent-encoded: "timestamp.json",
// "3.root.json", "2.a%2Fb.json". At most limit bytes are returned; more is
// ErrTooLarge. ErrNoMetadata says that the source has no such file, ErrNoAnswer
// that no source answered. Any other error ends the refresh. Where there are several
// sources, see Several.
type Remote interface {
	ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error)
}

// Config is what a Repository is opened with. Name and Store are required.
type Config struct {
	Name string // for messages and Evidence
	// Root is the N.root.json that trust begins with. It is needed once; later
	// the Store has it, and another one is ErrRootConflict.
	Root  []byte
	Store Store
	// Remote may be nil: then only Offline works.
	Remote Remote
	// Now is the clock; nil is time.Now.
	Now    func() time.Time
	Limits Limits
	// Grace is how long after their expiry metadata that was accepted in time
	// may still be used while no source answers; at most MaxGrace.
	Grace time.Duration
}

// Repository is one TUF repository as this client knows it. It is safe for
// several goroutines; several processes may share its Store.
type Repository struct {
	name   string
	root   []byte
	store  Store
	remote Remote
	now    func() time.Time
	limits Limits
	grace  time.Duration
	known  *known // what earlier views of this process have parsed
}

// Open checks the configuration. It reads and writes nothing yet.
func Open(c Config) (*Repository, error) {
	if c.Name == "" || c.Store == nil {
		return nil, errors.New("trust: a repository needs a name and a store")
	}
	if c.Grace < 0 || c.Grace > MaxGrace {
		return nil, fmt.Errorf("trust: %s: grace: expected at most %s, found %s", c.Name, MaxGrace, c.Grace)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	limits, err := c.Limits.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("trust: %s: %w", c.Name, err)
	}
	return &Repository{
		name: c.Name, root: c.Root, store: c.Store, remote: c.Remote,
		now: c.Now, limits: limits, grace: c.Grace, known: &known{},
	}, nil
}

// Name is the name that the repository was opened with.
func (r *Repository) Name() string { return r.name }

// ResetClock forgets the latest time seen, for a machine whose clock once ran
// ahead. Version floors stay. It returns what was forgotten.
func (r *Repository) ResetClock(ctx context.Context) (time.Time, error) {
	var old clockRecord
	err := r.store.Update(ctx, func(tx Tx) error {
		old = clockRecord{}
		if _, err := getRecord(tx, keyClock, &old); err != nil && !errors.Is(err, errRecord) {
			return err
		}
		return tx.Delete(keyClock)
	})
	return old.Latest, err
}

// RootInfo tells of a root that CheckRoot has accepted.
type RootInfo struct {
	Version int64
	Expires time.Time
	SHA256  artifact.Digest // of the whole file
	Signers []string        // ids of the keys that may sign the next root
	Quorum  int             // how many of them must
}

// CheckRoot tells whether raw bytes can be the root that trust begins with: a
// well-formed root that its own keys have signed, within the limits (as in Config).
// It does not say that they are the right keys: that is what a digest from
// elsewhere is for.
func CheckRoot(raw []byte, limits Limits) (RootInfo, error) {
	limits, err := limits.withDefaults()
	if err != nil {
		return RootInfo{}, err
	}
	doc, err := open(metadata.ROOT, metadata.ROOT, raw, limits.Root, limits.Depth)
	if err == nil {
		err = doc.decode()
	}
	if err != nil {
		return RootInfo{}, err
	}
	if _, err := doc.ring(metadata.ROOT).verify(doc); err != nil {
		return RootInfo{}, err
	}
	role := doc.root.Roles[metadata.ROOT]
	return RootInfo{Version: doc.version, Expires: doc.expires, SHA256: doc.sum, Signers: role.KeyIDs, Quorum: role.Threshold}, nil
}

// GivenRoot tells which root trust began with: its version and the SHA-256 of
// the whole file. Before any was accepted it is ErrNoRoot.
func (r *Repository) GivenRoot(ctx context.Context) (version int64, sum artifact.Digest, err error) {
	var given givenRecord
	err = r.store.View(ctx, func(tx Tx) error {
		given = givenRecord{}
		found, err := needRecord(tx, keyGiven, &given)
		if err == nil && !found {
			err = ErrNoRoot
		}
		return err
	})
	if err != nil {
		return 0, artifact.Digest{}, fmt.Errorf("%s: %w", r.name, err)
	}
	return given.Version, given.Sum, nil
}
