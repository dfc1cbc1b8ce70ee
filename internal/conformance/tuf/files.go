package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"assay/internal/durable"
	"assay/trust"
)

// roleFiles stands between trust and both its store and its remote, and keeps a
// copy of what passes from the one to the other: an answer that trust stores is
// metadata that it has accepted. It knows nothing of the keys under which trust
// stores, and finds bytes that were stored in several consecutive pieces, too.
//
// It implements trust.Store and trust.Remote.
type roleFiles struct {
	dir    string
	store  trust.Store
	remote trust.Remote

	mu         sync.Mutex
	answers    []answer // not stored yet, in the order they came
	consistent bool     // whether files of the repository carry versions
}

// answer is metadata as a remote gave it, under the name it was asked for by.
type answer struct {
	name string
	raw  []byte
}

// ReadMetadata implements trust.Remote.
func (f *roleFiles) ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	raw, err := f.remote.ReadMetadata(ctx, name, limit)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.answers = append(f.answers, answer{name, bytes.Clone(raw)})
	}
	return raw, err
}

// View implements trust.Store.
func (f *roleFiles) View(ctx context.Context, fn func(trust.Tx) error) error {
	return f.store.View(ctx, fn)
}

// Update implements trust.Store. Files are written before the commit: one that
// can't be written stops it, and a crash in between is healed by the next
// refresh, that has to ask for the same again. The other way round the file
// would stay behind, as nobody asks again for what is stored.
func (f *roleFiles) Update(ctx context.Context, fn func(trust.Tx) error) error {
	return f.store.Update(ctx, func(tx trust.Tx) error {
		seen := &watchedTx{Tx: tx}
		if err := fn(seen); err != nil {
			return err
		}
		return f.copyStored(seen.puts)
	})
}

// watchedTx remembers what is put.
type watchedTx struct {
	trust.Tx
	puts [][]byte
}

// Put implements trust.Tx.
func (t *watchedTx) Put(key string, value []byte) error {
	t.puts = append(t.puts, bytes.Clone(value))
	return t.Tx.Put(key, value)
}

// copyStored writes the file of each answer that is among puts, the newest last.
func (f *roleFiles) copyStored(puts [][]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var waiting []answer
	for _, a := range f.answers {
		if !holds(puts, a.raw) {
			waiting = append(waiting, a)
			continue
		}
		if err := f.write(a); err != nil {
			return err
		}
	}
	f.answers = waiting
	return nil
}

// holds reports whether raw was put, whole or as pieces in a row.
func holds(puts [][]byte, raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	rest := raw
	for _, value := range puts {
		next, fits := bytes.CutPrefix(rest, value)
		if !fits { // it may begin anew here
			next, _ = bytes.CutPrefix(raw, value)
		}
		if rest = next; len(rest) == 0 {
			return true
		}
	}
	return false
}

func (f *roleFiles) write(a answer) error {
	role, err := f.roleOf(a.name)
	if err != nil {
		return err
	}
	if role == "root" {
		f.consistent = isConsistent(a.raw)
	}
	return durable.WriteFile(filepath.Join(f.dir, fileName(role)+".json"), a.raw, 0o644)
}

// roleOf is the role whose metadata was asked for by name. Only the root says
// whether digits at the front are a version, or belong to the role's own name;
// its own file always has a version.
func (f *roleFiles) roleOf(name string) (string, error) {
	escaped := strings.TrimSuffix(name, ".json")
	if version, rest, ok := strings.Cut(escaped, "."); ok && strings.Trim(version, "0123456789") == "" {
		if f.consistent || rest == "root" {
			escaped = rest
		}
	}
	role, err := url.PathUnescape(escaped)
	if err != nil {
		return "", fmt.Errorf("the name of a metadata file: expected percent-encoding, found %.80q", name)
	}
	return role, nil
}

// isConsistent reads consistent_snapshot of a root that trust has accepted.
func isConsistent(root []byte) bool {
	var doc struct {
		Signed struct {
			Consistent bool `json:"consistent_snapshot"`
		} `json:"signed"`
	}
	return json.Unmarshal(root, &doc) == nil && doc.Signed.Consistent
}

// fileName is one segment for any role name or target path, a different one for
// each. File systems take 255 bytes; some are left for what is put around it.
func fileName(name string) string {
	escaped := url.PathEscape(name)
	if len(escaped) <= 200 {
		return escaped
	}
	sum := sha256.Sum256([]byte(name))
	return escaped[:100] + "~" + hex.EncodeToString(sum[:])
}
