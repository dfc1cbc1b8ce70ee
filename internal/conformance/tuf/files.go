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
	"slices"
	"strings"
	"sync"

	"assay/internal/durable"
	"assay/trust"
)

// roleFiles stands between trust and both its store and its remote, and keeps a
// copy of what passes from the one to the other. Of the way in which trust stores
// it knows this much: a root that is accepted is put as it is; metadata of any
// other role that is accepted is named, in a record that is put, by the SHA-256
// of its bytes, in hex.
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
	sum  []byte // the SHA-256 in hex
	root bool   // it is a root, or will not be accepted
}

func newAnswer(name string, raw []byte) answer {
	sum := sha256.Sum256(raw)
	version, found := strings.CutSuffix(name, ".root.json")
	// A plain repository could have a role named "1.root", too.
	return answer{
		name: name, raw: bytes.Clone(raw), sum: hex.AppendEncode(nil, sum[:]),
		root: found && isNumber(version) && readSigned(raw).Type == "root",
	}
}

// ReadMetadata implements trust.Remote.
func (f *roleFiles) ReadMetadata(ctx context.Context, name string, limit int64) ([]byte, error) {
	raw, err := f.remote.ReadMetadata(ctx, name, limit)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.answers = append(f.answers, newAnswer(name, raw))
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
		f.mu.Lock()
		watched := &watchedTx{Tx: tx, answers: slices.Clone(f.answers), accepted: map[string]bool{}}
		f.mu.Unlock()
		if err := fn(watched); err != nil {
			return err
		}
		return f.copyAccepted(watched.accepted)
	})
}

// watchedTx finds out which answers are accepted by what is put.
type watchedTx struct {
	trust.Tx
	answers  []answer
	accepted map[string]bool // by their SHA-256
}

// Put implements trust.Tx.
func (t *watchedTx) Put(key string, value []byte) error {
	for _, a := range t.answers {
		if a.isAcceptedBy(value) {
			t.accepted[string(a.sum)] = true
		}
	}
	return t.Tx.Put(key, value)
}

func (a answer) isAcceptedBy(value []byte) bool {
	if a.root {
		return bytes.Equal(value, a.raw)
	}
	return bytes.Contains(value, a.sum)
}

// copyAccepted writes the file of each accepted answer, the newest last.
func (f *roleFiles) copyAccepted(accepted map[string]bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.answers {
		if !accepted[string(a.sum)] {
			continue
		}
		if err := f.write(a); err != nil {
			return err
		}
	}
	f.answers = slices.DeleteFunc(f.answers, func(a answer) bool { return accepted[string(a.sum)] })
	return nil
}

func (f *roleFiles) write(a answer) error {
	role := "root"
	if a.root {
		f.consistent = readSigned(a.raw).Consistent
	} else {
		var err error
		if role, err = f.roleOf(a.name); err != nil {
			return err
		}
	}
	return durable.WriteFile(filepath.Join(f.dir, fileName(role)+".json"), a.raw, 0o644)
}

// roleOf is the role below root whose metadata was asked for by name. Only the
// root says whether digits at the front are a version, or of the role's own name.
func (f *roleFiles) roleOf(name string) (string, error) {
	escaped := strings.TrimSuffix(name, ".json")
	if version, rest, found := strings.Cut(escaped, "."); f.consistent && found && isNumber(version) {
		escaped = rest
	}
	role, err := url.PathUnescape(escaped)
	if err != nil {
		return "", fmt.Errorf("the name of a metadata file: expected percent-encoding, found %.80q", name)
	}
	return role, nil
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// signedPart is what is read of metadata here.
type signedPart struct {
	Type       string `json:"_type"`
	Consistent bool   `json:"consistent_snapshot"`
}

// readSigned reads a root; of anything else, that trust refuses in its place, it
// may give nothing or nonsense.
func readSigned(raw []byte) signedPart {
	var doc struct {
		Signed signedPart `json:"signed"`
	}
	if json.Unmarshal(raw, &doc) != nil {
		return signedPart{}
	}
	return doc.Signed
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
