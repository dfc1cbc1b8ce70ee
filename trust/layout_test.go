package trust_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
	"assay/trust"
)

// What the tests know of the keys of the state. Keys that are not named here are
// nobody's business; a change of the layout ends in this file.
const (
	keyGiven    = "given"
	keyClock    = "clock"
	keyComplete = "complete"
	prefixRoot  = "root/"
	prefixRole  = "role/"
	prefixMeta  = "meta/"
	prefixFloor = "floor/"
)

// lost reports whether damage under a key can't be made good from the network.
func lost(key string) bool {
	return strings.HasPrefix(key, prefixFloor) || key == keyClock || key == keyGiven || key == prefixRoot+"1"
}

// isRecord reports whether a key holds a record, and not bytes as they came.
func isRecord(key string) bool {
	return !strings.HasPrefix(key, prefixRoot) && !strings.HasPrefix(key, prefixMeta)
}

// record is the JSON of a record, nil where there is none or it is damaged.
func record(tx trust.Tx, key string) (map[string]any, error) {
	raw, err := tx.Get(key)
	if err != nil || raw == nil {
		return nil, err
	}
	head, body, _ := strings.Cut(string(raw), " ")
	if head != fmt.Sprintf("%08x", crc32.Checksum([]byte(key+body), crc32.MakeTable(crc32.Castagnoli))) {
		return nil, nil
	}
	var fields map[string]any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&fields) != nil {
		return nil, nil
	}
	return fields, nil
}

// number is a field of a record, 0 where it is not there.
func number(fields map[string]any, name string) int64 {
	n, _ := fields[name].(json.Number)
	value, _ := n.Int64()
	return value
}

// sumIn is a digest in a record, in hex; empty where there is none.
func sumIn(fields map[string]any, name string) string {
	text, _ := fields[name].(string)
	_, digits, _ := strings.Cut(text, ":")
	return digits
}

// sumOf is the digest that a key of metadata belongs to.
func sumOf(key string) string {
	digits, _, _ := strings.Cut(strings.TrimPrefix(key, prefixMeta), "/")
	return digits
}

// stored is metadata by its digest, joined where it lies in pieces; nil where it
// is not there, not whole or damaged.
func stored(tx trust.Tx, digits string) ([]byte, error) {
	if digits == "" {
		return nil, nil
	}
	whole, err := tx.Get(prefixMeta + digits)
	if err != nil {
		return nil, err
	}
	if artifact.DigestOf(artifact.SHA256, whole).Hex() == digits {
		return whole, nil
	}
	whole = nil
	pieces, err := tx.Keys(prefixMeta + digits + "/")
	if err != nil {
		return nil, err
	}
	for _, key := range pieces {
		piece, err := tx.Get(key)
		if err != nil {
			return nil, err
		}
		whole = append(whole, piece...)
	}
	if artifact.DigestOf(artifact.SHA256, whole).Hex() != digits {
		return nil, nil
	}
	return whole, nil
}

// floors are all the leaves of all the records of floors, by key and field.
func floors(tx trust.Tx) (map[string]any, error) {
	keys, err := tx.Keys(prefixFloor)
	if err != nil {
		return nil, err
	}
	leaves := map[string]any{}
	for _, key := range keys {
		fields, err := record(tx, key)
		if err != nil {
			return nil, err
		}
		flatten(leaves, key, fields)
	}
	return leaves, nil
}

func flatten(leaves map[string]any, path string, fields map[string]any) {
	for name, value := range fields {
		if inner, ok := value.(map[string]any); ok {
			flatten(leaves, path+"."+name, inner)
			continue
		}
		leaves[path+"."+name] = value
	}
}

// lowering names the roles any of whose new keys lower a floor (specification
// 5.3.11): a timestamp names a snapshot, and a snapshot all that is below.
func lowering(floor string) []string {
	switch {
	case strings.HasPrefix(floor, prefixFloor+"root"):
		return nil
	case floor == prefixFloor+"timestamp.snapshot":
		return []string{"timestamp", "snapshot"}
	case strings.HasPrefix(floor, prefixFloor+"timestamp"):
		return []string{"timestamp"}
	}
	return []string{"snapshot"}
}

// rootFloor is the version of the newest accepted root, 0 for none.
func rootFloor(tx trust.Tx) (int64, error) {
	fields, err := record(tx, prefixFloor+"root")
	return number(fields, "version"), err
}

func rootKey(version int64) string { return prefixRoot + strconv.FormatInt(version, 10) }

// watchedTx remembers what was under each key before it was written to.
type watchedTx struct {
	trust.Tx
	before map[string][]byte
}

func (w watchedTx) Put(key string, value []byte) error {
	if err := w.note(key); err != nil {
		return err
	}
	return w.Tx.Put(key, value)
}

func (w watchedTx) Delete(key string) error {
	if err := w.note(key); err != nil {
		return err
	}
	return w.Tx.Delete(key)
}

func (w watchedTx) note(key string) error {
	if _, noted := w.before[key]; noted {
		return nil
	}
	value, err := w.Tx.Get(key)
	w.before[key] = value
	return err
}

// past is the state as it was before the transaction.
type past struct{ watchedTx }

func (p past) Get(key string) ([]byte, error) {
	if value, written := p.before[key]; written {
		return value, nil
	}
	return p.Tx.Get(key)
}

func (p past) Keys(prefix string) ([]string, error) {
	now, err := p.Tx.Keys(prefix)
	keys := map[string]bool{}
	for _, key := range now {
		keys[key] = true
	}
	for key, value := range p.before {
		if delete(keys, key); value != nil && strings.HasPrefix(key, prefix) {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys)), err
}

// edit rewrites a record, checksum and all.
func edit(tx trust.Tx, key string, change func(map[string]any)) error {
	fields, err := record(tx, key)
	if err != nil {
		return err
	}
	if fields == nil {
		fields = map[string]any{}
	}
	change(fields)
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	sum := crc32.Checksum(append([]byte(key), body...), crc32.MakeTable(crc32.Castagnoli))
	return tx.Put(key, append(fmt.Appendf(nil, "%08x ", sum), body...))
}
