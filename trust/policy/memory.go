package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/url"
	"time"

	"assay/artifact"
	"assay/trust"
)

// The keys of the memory. Names in them are escaped, so that none can hold the
// slash that parts them.
const (
	keySeen   = "seen/"   // + repository / target path: seenRecord
	keyKinds  = "kinds/"  // + repository / product: kindsRecord
	keyWaiver = "waiver/" // + digest: Waiver
)

// maxName is the longest escaped name in a key, in bytes; a Store takes keys of
// 4096. A longer one stands there by its digest.
const maxName = 1024

// Memory remembers, over a store of its own, what was proven. It may be used by
// several goroutines if the store may.
type Memory struct{ store trust.Store }

// NewMemory uses a store that nobody else writes "seen/", "kinds/" and "waiver/"
// in.
func NewMemory(store trust.Store) *Memory { return &Memory{store} }

// Check makes the checks of a subject against what is remembered:
// CheckUnchanged, then CheckRatchet. The error is the first one's that fails;
// the checks made so far come with it.
func (m *Memory) Check(ctx context.Context, s Subject, now time.Time) (checks []trust.Check, err error) {
	err = m.store.View(ctx, func(tx trust.Tx) error {
		checks = nil // a store may try more than once
		check, err := CheckUnchanged(tx, s.Repository, s.Target, s.Digests)
		if check.ID != "" {
			checks = append(checks, check)
		}
		if err != nil {
			return err
		}
		if check, err = CheckRatchet(tx, s, now); check.ID != "" {
			checks = append(checks, check)
		}
		return err
	})
	return checks, err
}

// Record remembers a subject, see the function.
func (m *Memory) Record(ctx context.Context, s Subject, now time.Time) error {
	return m.store.Update(ctx, func(tx trust.Tx) error { return Record(tx, s, now) })
}

// Waive records a waiver, see the function.
func (m *Memory) Waive(ctx context.Context, digest artifact.Digest, reason string, until time.Time, by string, now time.Time) (w Waiver, err error) {
	err = m.store.Update(ctx, func(tx trust.Tx) error {
		w, err = Waive(tx, digest, reason, until, by, now)
		return err
	})
	return w, err
}

// Waivers lists all waivers, those that have ended too, by digest.
func (m *Memory) Waivers(ctx context.Context) (list []Waiver, err error) {
	err = m.store.View(ctx, func(tx trust.Tx) error {
		list, err = Waivers(tx)
		return err
	})
	return list, err
}

// Record remembers which bytes a subject is and which kinds of proof it has. It
// is for what has passed everything: Judge, CheckUnchanged and CheckRatchet. If
// another process has meanwhile recorded other bytes, it is ErrChanged.
func Record(tx trust.Tx, s Subject, now time.Time) error {
	if err := recordSeen(tx, s.Repository, s.Target, s.Digests, now); err != nil {
		return err
	}
	return recordKinds(tx, s)
}

// escape makes a name fit for a key: no slash, bounded, and no two names alike.
func escape(name string) string {
	escaped := url.PathEscape(name)
	if len(escaped) <= maxName {
		return escaped
	}
	// An escape is a "%" and two hex digits: nothing that is escaped begins so.
	return "%%" + artifact.DigestOf(artifact.SHA256, []byte(name)).Hex()
}

// put stores v as JSON behind a CRC-32C of the key and it, as package trust does:
// it finds accidents, a record in another's place among them. The state
// directory is trusted.
func put(tx trust.Tx, key string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Put(key, append(fmt.Appendf(nil, "%08x ", sum(key, body)), body...))
}

// get reads what put wrote into v, and has it checked. found is false where
// there is nothing; what is damaged is ErrMemory.
func get[T any](tx trust.Tx, key string, v *T, check func(*T) error) (found bool, err error) {
	raw, err := tx.Get(key)
	if err != nil {
		return false, err
	}
	if raw == nil {
		return false, nil
	}
	damaged := func(expected string, args ...any) error {
		return fmt.Errorf("%w: %s: expected %s", ErrMemory, quote(key), fmt.Sprintf(expected, args...))
	}
	head, body, _ := bytes.Cut(raw, []byte(" "))
	if string(head) != fmt.Sprintf("%08x", sum(key, body)) {
		return false, damaged("its checksum, found another")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return false, damaged("a record: %v", err)
	}
	if err := check(v); err != nil {
		return false, damaged("%v", err)
	}
	return true, nil
}

func sum(key string, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum([]byte(key), table), table, body)
}
