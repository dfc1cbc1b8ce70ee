package trust_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/trust"
)

// police is a Store that looks at every transaction before it is committed, and
// complains of what no refresh may do, whatever the remote has answered: let a
// floor fall without other keys, give a version other content, store what was
// not verified, or name what is not there. It judges what a transaction writes;
// what a test puts into the Store behind its back is not the client's doing.
type police struct {
	trust.Store
	complain func(complaint string)
	book     *casebook

	mu         sync.Mutex
	seen       map[string]string // role and version: digest of the signed part
	delegators []*metadata.Metadata[metadata.TargetsType]
}

// newPolice watches over a Store. Those that share a casebook don't look twice at
// the same signatures.
func newPolice(t *testing.T, store trust.Store, book ...*casebook) *police {
	p := &police{Store: store, complain: func(complaint string) { t.Error("police: " + complaint) }, book: &casebook{}}
	for _, shared := range book {
		p.book = shared
	}
	return p
}

// casebook is what was found out about bytes that never change.
type casebook struct{ roots, chained, proven sync.Map }

// View implements trust.Store, which may run fn more than once.
func (p *police) View(ctx context.Context, fn func(trust.Tx) error) error {
	return p.Store.View(ctx, func(tx trust.Tx) error {
		_ = fn(tx)
		return fn(tx)
	})
}

// Update implements trust.Store, and also runs fn in a transaction that is dropped.
// The other one goes on where there is a complaint: the test has failed by then.
func (p *police) Update(ctx context.Context, fn func(trust.Tx) error) error {
	dropped := errors.New("dropped")
	if err := p.Store.Update(ctx, func(tx trust.Tx) error { return errors.Join(fn(tx), dropped) }); !errors.Is(err, dropped) {
		return err
	}
	return p.Store.Update(ctx, func(tx trust.Tx) error {
		watched := watchedTx{Tx: tx, before: map[string][]byte{}}
		if err := fn(watched); err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		c := &inquiry{police: p, past: past{watched}, now: tx}
		for _, look := range []func() error{c.roots, c.floors, c.rest, c.metadata, c.roles, c.complete} {
			if err := look(); err != nil {
				return err
			}
		}
		return nil
	})
}

// inquiry is the look at one transaction.
type inquiry struct {
	*police
	past past
	now  trust.Tx

	newest  *rootFile
	lowered map[string]bool // the roles whose floors may fall
	learnt  bool            // who delegates, see learn
}

func (c *inquiry) fault(format string, args ...any) { c.complain(fmt.Sprintf(format, args...)) }

// written lists the keys under a prefix whose value the transaction changed.
func (c *inquiry) written(prefix string) ([]string, error) {
	var keys []string
	for key, before := range c.past.before {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		value, err := c.now.Get(key)
		if err != nil {
			return nil, err
		}
		if (value == nil) != (before == nil) || !bytes.Equal(value, before) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// remember complains if a version has other content than it had.
func (c *inquiry) remember(role string, version int64, raw []byte) {
	if c.seen == nil {
		c.police.seen = map[string]string{}
	}
	var file struct{ Signed json.RawMessage }
	var compact bytes.Buffer
	if json.Unmarshal(bytes.TrimRight(raw, " "), &file) != nil || json.Compact(&compact, file.Signed) != nil {
		c.fault("%s %d is not JSON", role, version)
		return
	}
	sum := artifact.DigestOf(artifact.SHA256, compact.Bytes()).Hex()
	key := role + " " + strconv.FormatInt(version, 10)
	if before := c.seen[key]; before != "" && before != sum {
		c.fault("%s has other content than it had", key)
	}
	c.seen[key] = sum
}

// roots: each is signed by the one before and by itself, the given one is the
// given one, and none vanishes. It finds out, too, whose keys are new.
func (c *inquiry) roots() error {
	given, err := record(c.now, keyGiven)
	if err != nil {
		return err
	}
	keys, err := c.written(prefixRoot)
	if err != nil {
		return err
	}
	for _, key := range keys {
		raw, err := c.now.Get(key)
		if err != nil {
			return err
		}
		version, _ := strconv.ParseInt(strings.TrimPrefix(key, prefixRoot), 10, 64)
		root := c.parseRoot(raw)
		if root == nil || root.doc.Signed.Version != version {
			c.fault("%s is not that root", key)
			continue
		}
		c.remember("root", version, raw)
		before := root
		if version == number(given, "version") {
			if artifact.DigestOf(artifact.SHA256, raw).Hex() != sumIn(given, "sum") {
				c.fault("%s is not the given root", key)
			}
		} else if before, err = c.root(version - 1); err != nil {
			return err
		}
		if before == nil || !c.chained(before, root) {
			c.fault("%s is not signed by the root before and by itself", key)
		}
	}
	return c.rotations()
}

func (c *inquiry) root(version int64) (*rootFile, error) {
	raw, err := c.now.Get(rootKey(version))
	return c.parseRoot(raw), err
}

// chained reports whether root is signed by the one before and by itself.
func (c *inquiry) chained(before, root *rootFile) bool {
	pair := [2]*rootFile{before, root}
	if known, ok := c.book.chained.Load(pair); ok {
		return known.(bool)
	}
	found := before.judge.VerifyDelegate("root", root.doc) == nil && root.judge.VerifyDelegate("root", root.doc) == nil
	c.book.chained.Store(pair, found)
	return found
}

// parseRoot is nil for what is no root. The same bytes give the same root.
func (p *police) parseRoot(raw []byte) *rootFile {
	if known, ok := p.book.roots.Load(string(raw)); ok {
		return known.(*rootFile)
	}
	root := parseRoot(raw)
	p.book.roots.Store(string(raw), root)
	return root
}

// rotations finds the newest root, and the roles whose keys a root changed that
// this transaction accepted.
func (c *inquiry) rotations() error {
	c.lowered = map[string]bool{}
	from, err := rootFloor(c.past)
	if err != nil {
		return err
	}
	to, err := rootFloor(c.now)
	if err != nil {
		return err
	}
	if c.newest, err = c.root(to); err != nil {
		return err
	}
	for version := from; version < to && from > 0; version++ {
		before, err := c.root(version)
		if err != nil {
			return err
		}
		after, err := c.root(version + 1)
		if err != nil {
			return err
		}
		if before == nil || after == nil {
			c.fault("root %d was accepted, but is not there with the one before", version+1)
			continue
		}
		for _, role := range []string{"timestamp", "snapshot"} {
			if !maps.Equal(keyValues(before.doc, role), keyValues(after.doc, role)) {
				c.lowered[role] = true
			}
		}
	}
	maps.DeleteFunc(c.police.seen, func(key, _ string) bool {
		role, _, _ := strings.Cut(key, " ")
		return role == "timestamp" && c.lowered["timestamp"] || role != "timestamp" && role != "root" && c.lowered["snapshot"]
	})
	return nil
}

// floors fall only with a root that changes the keys of their role, and have one
// content for a version.
func (c *inquiry) floors() error {
	before, err := floors(c.past)
	if err != nil {
		return err
	}
	after, err := floors(c.now)
	if err != nil {
		return err
	}
	for path, old := range before {
		may := slices.ContainsFunc(lowering(path), func(role string) bool { return c.lowered[role] })
		if was, ok := old.(json.Number); ok {
			now, _ := after[path].(json.Number)
			low, _ := was.Int64()
			if high, _ := now.Int64(); high < low && !may {
				c.fault("%s fell from %s to %q", path, was, now)
			}
		}
		if owner, ok := strings.CutSuffix(path, ".signed"); ok && !may && before[owner+".version"] != nil &&
			after[path] != old && after[owner+".version"] == before[owner+".version"] {
			c.fault("%s changed under one version", path)
		}
	}
	return nil
}

// rest is what must not change at all, or only forwards. The clock alone may be
// forgotten, by whoever resets it and does nothing else.
func (c *inquiry) rest() error {
	if raw := c.past.before[keyGiven]; raw != nil {
		if keys, err := c.written(keyGiven); err != nil || len(keys) > 0 {
			c.fault("the given root was replaced")
			return err
		}
	}
	before, err := record(c.past, keyClock)
	if err != nil {
		return err
	}
	after, err := record(c.now, keyClock)
	if err != nil || len(c.past.before) == 1 {
		return err
	}
	was, _ := before["latest"].(string)
	if now, _ := after["latest"].(string); now < was { // RFC 3339 in UTC
		c.fault("the latest time seen went back from %s to %q", was, now)
	}
	return nil
}
