package trust_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// metadata that is written must be signed by keys that somebody names for it.
func (c *inquiry) metadata() error {
	keys, err := c.written(prefixMeta)
	if err != nil {
		return err
	}
	looked := map[string]bool{}
	for _, key := range keys {
		sum := sumOf(key)
		raw, err := stored(c.now, sum)
		if err != nil {
			return err
		}
		if value, err := c.now.Get(key); err != nil || value == nil || looked[sum] {
			continue // swept away
		}
		looked[sum] = true
		if raw == nil && key == prefixMeta+sum {
			c.fault("%s has not the digest of its key", key)
		}
		if raw != nil && !c.proven(raw, "") { // else some pieces are still to come
			c.fault("%s was not verified: %.300s", key, raw)
		}
	}
	return nil
}

// proven reports whether raw metadata is signed by the keys of the newest root,
// or of some role that was proven before. name is the delegated role that it has
// to be; empty for any.
func (c *inquiry) proven(raw []byte, name string) bool {
	if c.newest == nil {
		return false
	}
	claim := proof{c.newest, name, string(raw)}
	if doc, ok := c.book.proven.Load(claim); ok {
		c.trust(doc.(*metadata.Metadata[metadata.TargetsType]))
		return true
	}
	doc, found := c.prove(raw, name)
	if found {
		c.book.proven.Store(claim, doc)
		c.trust(doc)
	}
	return found
}

// proof is what one look at signatures was about.
type proof struct {
	by   *rootFile
	name string
	raw  string
}

// trust takes over whom a proven role delegates to.
func (c *inquiry) trust(doc *metadata.Metadata[metadata.TargetsType]) {
	if doc != nil && doc.Signed.Delegations != nil && !slices.Contains(c.delegators, doc) {
		c.police.delegators = append(c.police.delegators, doc)
	}
}

// prove gives a targets role as well, as that may delegate.
func (c *inquiry) prove(raw []byte, name string) (*metadata.Metadata[metadata.TargetsType], bool) {
	raw = bytes.TrimRight(raw, " ") // of which some tests add megabytes
	switch typeOf(raw) {
	case "timestamp":
		doc, err := metadata.Timestamp().FromBytes(raw)
		return nil, err == nil && c.newest.judge.VerifyDelegate("timestamp", doc) == nil
	case "snapshot":
		doc, err := metadata.Snapshot().FromBytes(raw)
		return nil, err == nil && c.newest.judge.VerifyDelegate("snapshot", doc) == nil
	case "targets":
		doc, err := metadata.Targets().FromBytes(raw)
		if err != nil {
			return nil, false
		}
		top := (name == "" || name == "targets") && c.newest.judge.VerifyDelegate("targets", doc) == nil
		if !top && (name == "targets" || !c.delegated(doc, name)) {
			return nil, false
		}
		return withKnownKeys(doc), true
	}
	return nil, false
}

func (c *inquiry) delegated(doc *metadata.Metadata[metadata.TargetsType], name string) bool {
	if c.delegatedByKnown(doc, name) {
		return true
	}
	if c.learnt { // looked for already, or being looked for
		return false
	}
	c.learnt = true
	for known := -1; known != len(c.delegators); {
		known = len(c.delegators)
		c.learn()
	}
	return c.delegatedByKnown(doc, name)
}

// learn takes over those that are proven among the stored ones: they may come in
// one transaction, or may have been there before this police was.
func (c *inquiry) learn() {
	keys, _ := c.now.Keys(prefixRole)
	for _, key := range keys {
		if fields, _ := record(c.now, key); fields != nil {
			if raw, _ := stored(c.now, sumIn(fields, "sum")); typeOf(raw) == "targets" {
				c.proven(raw, strings.TrimPrefix(key, prefixRole))
			}
		}
	}
}

func (c *inquiry) delegatedByKnown(doc *metadata.Metadata[metadata.TargetsType], name string) bool {
	for i := len(c.delegators) - 1; i >= 0; i-- {
		delegator := c.delegators[i]
		names := []string{name}
		if name == "" {
			names = nil
			for _, role := range delegator.Signed.Delegations.Roles {
				names = append(names, role.Name)
			}
			if bins := delegator.Signed.Delegations.SuccinctRoles; bins != nil {
				names = append(names, bins.NamePrefix+"-0")
			}
		}
		for _, name := range names {
			if delegator.VerifyDelegate(name, doc) == nil {
				return true
			}
		}
	}
	return false
}

// roles: a record names bytes that are there, are of that role and version, and
// never an older version than before.
func (c *inquiry) roles() error {
	keys, err := c.written(prefixRole)
	if err != nil {
		return err
	}
	for _, key := range keys {
		after, err := record(c.now, key)
		if err != nil {
			return err
		}
		if after == nil {
			continue
		}
		role, version := strings.TrimPrefix(key, prefixRole), number(after, "version")
		raw, err := stored(c.now, sumIn(after, "sum"))
		if err != nil {
			return err
		}
		if raw == nil || versionOf(raw) != version || !c.proven(raw, role) {
			c.fault("%s names version %d, which is not there or not that role's: %.300s", key, version, raw)
			continue
		}
		c.remember(role, version, raw)
		before, err := record(c.past, key)
		if err != nil {
			return err
		}
		lower := "snapshot"
		if role == "timestamp" {
			lower = role
		}
		if number(before, "version") > version && !c.lowered[lower] {
			c.fault("%s went back from %d to %d", key, number(before, "version"), version)
		}
	}
	return nil
}

// complete: the record names a set that is there, whole, and fits together; it
// goes forwards, and what it names is never swept away.
func (c *inquiry) complete() error {
	before, err := record(c.past, keyComplete)
	if err != nil {
		return err
	}
	after, err := record(c.now, keyComplete)
	if err != nil || after == nil {
		return err
	}
	if number(after, "root") < number(before, "root") ||
		number(after, "root") == number(before, "root") && number(after, "version") < number(before, "version") {
		c.fault("the complete set went back from %v to %v", before, after)
	}
	keys, err := c.written(keyComplete)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		raw, err := stored(c.now, sumIn(after, role))
		if err != nil {
			return err
		}
		was, err := stored(c.past, sumIn(after, role))
		if err != nil {
			return err
		}
		if raw == nil && (was != nil || len(keys) > 0) {
			c.fault("the complete set names a %s that is not there", role)
		}
		files[role] = raw
	}
	if len(keys) == 0 {
		return nil
	}
	if root, err := c.root(number(after, "root")); err != nil || root == nil {
		c.fault("the complete set names root %d, which is not there", number(after, "root"))
		return err
	}
	for role, raw := range files {
		if raw != nil && (typeOf(raw) != role || !c.proven(raw, role)) {
			c.fault("the %s of the complete set is not signed by the keys of the newest root", role)
		}
	}
	if versionOf(files["timestamp"]) != number(after, "version") ||
		promised(files["timestamp"], "snapshot.json") != versionOf(files["snapshot"]) ||
		promised(files["snapshot"], "targets.json") != versionOf(files["targets"]) {
		c.fault("the complete set does not fit together: %v", after)
	}
	return nil
}

// header is what all metadata has, read without go-tuf.
type header struct {
	Signed struct {
		Type    string `json:"_type"`
		Version int64  `json:"version"`
		Meta    map[string]struct {
			Version int64 `json:"version"`
		} `json:"meta"`
	} `json:"signed"`
}

func headerOf(raw []byte) (h header) {
	if json.Unmarshal(bytes.TrimRight(raw, " "), &h) != nil {
		return header{}
	}
	return h
}

func typeOf(raw []byte) string               { return headerOf(raw).Signed.Type }
func versionOf(raw []byte) int64             { return headerOf(raw).Signed.Version }
func promised(raw []byte, name string) int64 { return headerOf(raw).Signed.Meta[name].Version }
func unusable(key *metadata.Key) bool {
	if key == nil {
		return true
	}
	_, err := key.ToPublicKey()
	return err != nil
}

// rootFile is a root, and the same without the keys that go-tuf can't read, so
// that it judges by the others instead of giving up.
type rootFile struct {
	doc, judge *metadata.Metadata[metadata.RootType]
}

// parseRoot is nil for what is no root.
func parseRoot(raw []byte) *rootFile {
	doc, err := metadata.Root().FromBytes(raw)
	if err != nil {
		return nil
	}
	judge, err := metadata.Root().FromBytes(raw)
	if err != nil {
		return nil
	}
	for _, role := range judge.Signed.Roles {
		role.KeyIDs = known(role.KeyIDs, judge.Signed.Keys)
	}
	return &rootFile{doc, judge}
}

// withKnownKeys leaves out keys that go-tuf can't read.
func withKnownKeys(doc *metadata.Metadata[metadata.TargetsType]) *metadata.Metadata[metadata.TargetsType] {
	delegations := doc.Signed.Delegations
	if delegations == nil {
		return doc
	}
	for i := range delegations.Roles {
		delegations.Roles[i].KeyIDs = known(delegations.Roles[i].KeyIDs, delegations.Keys)
	}
	return doc
}

func known(ids []string, keys map[string]*metadata.Key) []string {
	var list []string
	for _, id := range ids {
		if !unusable(keys[id]) {
			list = append(list, id)
		}
	}
	return list
}

// keyValues are the keys of a role by what they are, not by their ids.
func keyValues(root *metadata.Metadata[metadata.RootType], role string) map[string]bool {
	values := map[string]bool{}
	for _, id := range root.Signed.Roles[role].KeyIDs {
		values[root.Signed.Keys[id].Value.PublicKey] = true
	}
	return values
}
