package trust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Store keeps the trust state of one repository: small values under string
// keys. It must serialise Update over all processes that share it. When Update
// returns nil, everything that fn put or deleted is durable; when it returns an
// error, nothing of it is, whatever happens in between, a crash included. A View
// sees one state, as some Update left it; a write in it is an error. Either may run
// fn more than once, and in another goroutine; what counts is the last time, so fn
// sets anew all that it hands out.
type Store interface {
	View(ctx context.Context, fn func(Tx) error) error
	Update(ctx context.Context, fn func(Tx) error) error
}

// Tx is what a transaction of a Store offers. Get returns nil for a key that is
// not there. It may return bytes that were damaged in the Store: this package
// tells by their checksum or digest, and fetches again what can be. Keys
// returns, sorted, the keys that begin with prefix. It is an alias of an
// interface literal on purpose: a package that knows nothing of trust can
// declare the same and so implement Store.
type Tx = interface {
	Get(key string) ([]byte, error)
	Put(key string, value []byte) error
	Delete(key string) error
	Keys(prefix string) ([]string, error)
}

// The keys of the state. Metadata is kept as raw bytes: roots by version, other
// roles by the SHA-256 of the bytes, so that a damaged value betrays itself, and
// in pieces where they are large. A role record names the newest accepted bytes
// of its role; the complete record names one whole set. Records and floors carry
// a checksum.
const (
	keyGiven         = "given"           // record givenRecord: the root that trust begins with
	keyRootPrefix    = "root/"           // + version: bytes of N.root.json
	keyRolePrefix    = "role/"           // + role: record roleRecord
	keyMetaPrefix    = "meta/"           // + hex: bytes of metadata; + hex/0000: a piece of them
	keyComplete      = "complete"        // record completeRecord
	keyClock         = "clock"           // record clockRecord
	keyRootFloor     = "floor/root"      // record rootFloor
	keyTimeFloor     = "floor/timestamp" // record timestampFloor
	keySnapshotFloor = "floor/snapshot"  // record snapshotFloor
	keyRolesFloor    = "floor/roles"     // record rolesFloor, of the same snapshot
)

func keyRoot(version int64) string { return keyRootPrefix + strconv.FormatInt(version, 10) }

// errRecord says that a record's checksum or form is wrong.
var errRecord = errors.New("damaged record")

// putRecord stores v as JSON behind a CRC-32C of the key and it: eight hex digits
// and a space. The checksum finds accidents, a record in another's place among
// them; the state directory is trusted.
func putRecord(tx Tx, key string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Put(key, append(fmt.Appendf(nil, "%08x ", recordSum(key, body)), body...))
}

// getRecord reads what putRecord wrote. found is false where there is none; the
// error is errRecord where it is damaged.
func getRecord(tx Tx, key string, v any) (found bool, err error) {
	body, err := recordBody(tx, key)
	if err != nil || body == nil {
		return false, err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return false, fmt.Errorf("%w: %s: %w", errRecord, key, err)
	}
	return true, nil
}

// recordBody is a record's JSON, its checksum found right; nil: there is none.
func recordBody(tx Tx, key string) ([]byte, error) {
	raw, err := tx.Get(key)
	if err != nil || raw == nil {
		return nil, err
	}
	head, body, ok := bytes.Cut(raw, []byte(" "))
	if !ok || string(head) != fmt.Sprintf("%08x", recordSum(key, body)) {
		return nil, fmt.Errorf("%w: %s", errRecord, key)
	}
	return body, nil
}

func recordSum(key string, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum([]byte(key), table), table, body)
}

// needRecord is getRecord for what can't be fetched again: damage is ErrState.
func needRecord(tx Tx, key string, v any) (found bool, err error) {
	found, err = getRecord(tx, key, v)
	if errors.Is(err, errRecord) {
		return false, fmt.Errorf("%w: %w", ErrState, err)
	}
	return found, err
}

// MemStore is a Store in memory, for a repository that is looked at before it
// is added, and for tests. Its zero value is ready.
type MemStore struct {
	mu     sync.RWMutex
	values map[string][]byte
}

// View implements Store.
func (m *MemStore) View(ctx context.Context, fn func(Tx) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return fn(readTx{m.values})
}

// Update implements Store.
func (m *MemStore) Update(ctx context.Context, fn func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := maps.Clone(m.values)
	if next == nil {
		next = map[string][]byte{}
	}
	if err := fn(memTx(next)); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err // whoever gave up must not find it done
	}
	m.values = next
	return nil
}

// Entries is a copy of all that is stored, to be taken over by another Store.
func (m *MemStore) Entries() map[string][]byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.values)
}

// readTx is the Tx of a View.
type readTx struct{ memTx }

var errReadOnly = errors.New("this transaction only reads")

func (readTx) Put(string, []byte) error { return errReadOnly }
func (readTx) Delete(string) error      { return errReadOnly }

type memTx map[string][]byte

func (t memTx) Get(key string) ([]byte, error)     { return slices.Clone(t[key]), nil }
func (t memTx) Put(key string, value []byte) error { t[key] = slices.Clone(value); return nil }
func (t memTx) Delete(key string) error            { delete(t, key); return nil }
func (t memTx) Keys(prefix string) ([]string, error) {
	var keys []string
	for key := range t {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}
