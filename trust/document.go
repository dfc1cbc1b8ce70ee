package trust

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/strictjson"
)

// document is one role's file. open screens it and splits it up; whether it is
// signed is another question (see keyring.verify), and what it says is read only
// after that, by decode.
type document struct {
	role    string // as it is delegated to
	kind    string // root, timestamp, snapshot or targets
	version int64
	expires time.Time
	raw     []byte
	sum     artifact.Digest // SHA-256 of raw
	signed  []byte          // the signed part, a part of raw

	signatures map[string][]byte // by key id; what is no hex counts as none

	mu       sync.Mutex
	payload  []byte                 // what the signatures are over; nil: not made yet, or let go
	digest   artifact.Digest        // of the payload; zero: not made yet
	verified map[ringID]*signersSet // who was found to have signed, by keyring

	// What decode read, by kind.
	root        *metadata.RootType
	meta        members // METAFILES by file name, of timestamp and snapshot
	targets     members // TARGETS by path
	delegations *delegations
}

// specVersion is any 1.x of the TUF specification (section 4.3: clients check
// the major version).
var specVersion = regexp.MustCompile(`^1(\.[0-9]{1,9}){0,2}$`)

var topLevelRoles = metadata.TOP_LEVEL_ROLE_NAMES[:]

// open screens raw bytes and reads the head of the signed part. Nothing of go-tuf
// sees them here. limit is in bytes, depth in levels of nesting.
func open(role, kind string, raw []byte, limit int64, depth int) (*document, error) {
	if int64(len(raw)) > limit {
		return nil, &LimitError{kind, fmt.Errorf("%s: %w: expected at most %d bytes, found more", role, ErrTooLarge, limit)}
	}
	if err := strictjson.Screen(raw, strictjson.Limits{Bytes: int(limit), Depth: depth}); err != nil {
		err := fmt.Errorf("%s: %w: %w", role, ErrMalformed, err)
		if errors.Is(err, strictjson.ErrTooDeep) {
			return nil, &LimitError{"depth", err}
		}
		return nil, err
	}
	d := &document{
		role: role, kind: kind, raw: raw, sum: artifact.DigestOf(artifact.SHA256, raw),
		signatures: map[string][]byte{}, verified: map[ringID]*signersSet{},
	}
	if err := d.split(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", role, ErrMalformed, err)
	}
	return d, nil
}

// split finds the signatures and the head of the signed part.
func (d *document) split() error {
	var signatures []byte
	for member := range strictjson.Members(d.raw) {
		if err := checkTwin(member.Key, "signed", "signatures"); err != nil {
			return err
		}
		switch string(member.Key) {
		case "signed":
			d.signed = member.Value
		case "signatures":
			signatures = member.Value
		}
	}
	if len(d.signed) == 0 || d.signed[0] != '{' {
		return errors.New("signed: expected an object, found none")
	}
	if len(signatures) == 0 || signatures[0] != '[' {
		return errors.New("signatures: expected an array, found none")
	}
	if err := d.parseSignatures(signatures); err != nil {
		return err
	}
	return d.parseHead()
}

// parseSignatures keeps the signatures by key id, which must be there once
// (section 4.2.1). An empty one, or one that is no hex, counts as none: real
// repositories publish such, and a threshold of others may still be there.
func (d *document) parseSignatures(list []byte) error {
	count := 0
	for text := range strictjson.Elements(list) {
		if count++; count > maxSignatures {
			return fmt.Errorf("signatures: expected at most %d, found more", maxSignatures)
		}
		if err := checkTwins(text, "keyid", "sig"); err != nil {
			return fmt.Errorf("signatures[%d]: %w", count-1, err)
		}
		var signature struct {
			KeyID *string `json:"keyid"`
			Sig   string  `json:"sig"`
		}
		if err := json.Unmarshal(text, &signature); err != nil {
			return fmt.Errorf("signatures[%d]: %w", count-1, err)
		}
		if signature.KeyID == nil {
			return fmt.Errorf("signatures[%d].keyid: expected the id of a key, found none", count-1)
		}
		if _, twice := d.signatures[*signature.KeyID]; twice {
			return fmt.Errorf("signatures: expected each key id once, found %.80q again", *signature.KeyID)
		}
		raw, err := hex.DecodeString(signature.Sig)
		if err != nil {
			raw = nil
		}
		d.signatures[*signature.KeyID] = raw
	}
	return nil
}

// parseHead reads what all roles have in common (section 4.3 to 4.6).
func (d *document) parseHead() error {
	var kind, spec, expires, version []byte
	for member := range strictjson.Members(d.signed) {
		if err := checkTwin(member.Key, signedKeys...); err != nil {
			return fmt.Errorf("signed: %w", err)
		}
		switch string(member.Key) {
		case "_type":
			kind = member.Value
		case "spec_version":
			spec = member.Value
		case "expires":
			expires = member.Value
		case "version":
			version = member.Value
		}
	}
	if string(plainText(kind)) != d.kind {
		return fmt.Errorf("signed._type: expected %q, found %.40q", d.kind, kind)
	}
	if !specVersion.Match(plainText(spec)) {
		return fmt.Errorf("signed.spec_version: expected 1.x, found %.40q", spec)
	}
	var err error
	if d.version, err = wholeNumber(version, 1); err != nil {
		return fmt.Errorf("signed.version: %w", err)
	}
	if d.expires, err = time.Parse(time.RFC3339, string(plainText(expires))); err != nil || d.expires.IsZero() {
		return fmt.Errorf("signed.expires: expected a time as RFC 3339 writes it, found %.40q", expires)
	}
	return nil
}

// decode reads what the role says.
func (d *document) decode() (err error) {
	switch d.kind {
	case metadata.ROOT:
		err = d.decodeRoot()
	case metadata.TIMESTAMP:
		err = d.decodeMeta("snapshot.json")
	case metadata.SNAPSHOT:
		err = d.decodeMeta("targets.json")
	default:
		err = d.decodeTargets()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", d.role, ErrMalformed, err)
	}
	return nil
}

// guard turns a panic of a foreign parser into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	return fn()
}

// decodeRoot is go-tuf's, as a root is small.
func (d *document) decodeRoot() error {
	if err := checkRootTwins(d.signed); err != nil {
		return err
	}
	root := new(metadata.RootType)
	if err := guard(func() error { return json.Unmarshal(d.signed, root) }); err != nil {
		return err
	}
	for _, name := range topLevelRoles {
		role := root.Roles[name]
		if role == nil {
			return fmt.Errorf("signed.roles: expected the role %s, found none", name)
		}
		if role.Threshold < 1 {
			return fmt.Errorf("signed.roles.%s.threshold: expected at least 1, found %d", name, role.Threshold)
		}
	}
	d.root = root
	return nil
}

// decodeMeta reads the files that a timestamp or a snapshot lists.
func (d *document) decodeMeta(required string) error {
	text, err := d.object("meta")
	if err != nil {
		return err
	}
	d.meta, err = newMembers(text, func(name, value []byte) error {
		if err := checkName(string(name)); err != nil {
			return fmt.Errorf("signed.meta: %w", err)
		}
		file, err := parseFile(value)
		if err == nil && file.version == 0 {
			err = errors.New(".version: expected a whole number from 1, found none")
		}
		if err == nil {
			err = file.checkHashes()
		}
		if err != nil {
			return fmt.Errorf("signed.meta[%.80q]%w", name, err)
		}
		return nil
	})
	if err == nil && d.meta.get(required) == nil {
		err = fmt.Errorf("signed.meta: expected an entry for %s, found none", required)
	}
	return err
}

// decodeTargets reads the paths that a role promises, and to whom it delegates.
func (d *document) decodeTargets() error {
	text, err := d.object("targets")
	if err != nil {
		return err
	}
	d.targets, err = newMembers(text, func(path, value []byte) error {
		file, err := parseFile(value)
		switch {
		case err != nil:
		case !file.hasLength:
			err = errors.New(".length: expected a length, found none")
		case !file.known():
			err = fmt.Errorf(".hashes: expected %s or %s, found neither", artifact.SHA256, artifact.SHA512)
		}
		if err != nil {
			return fmt.Errorf("signed.targets[%.80q]%w", path, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for member := range strictjson.Members(d.signed) {
		if string(member.Key) == "delegations" {
			d.delegations, err = parseDelegations(member.Value)
		}
	}
	return err
}

// object is the text of one member of the signed part that must be an object.
func (d *document) object(key string) ([]byte, error) {
	for member := range strictjson.Members(d.signed) {
		if string(member.Key) == key && begins(member.Value, '{') {
			return member.Value, nil
		}
	}
	return nil, fmt.Errorf("signed.%s: expected an object, found none", key)
}

// checkName bounds a role's name, which becomes a file's name, a key of the
// Store and part of messages: what a terminal would obey has no place in it.
func checkName(name string) error {
	if len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("expected a name of at most %d bytes without control characters, found %.80q", maxName, name)
	}
	return nil
}

func isTopLevel(name string) bool { return slices.Contains(topLevelRoles, name) }

// file is what a timestamp or a snapshot says of a role's file; nil: nothing.
func (d *document) file(role string) *fileInfo { return lookup(d.meta, role+".json") }

// target is what a targets role says of a path; nil: nothing.
func (d *document) target(path string) *fileInfo { return lookup(d.targets, path) }

func lookup(m members, key string) *fileInfo {
	text := m.get(key)
	if text == nil {
		return nil
	}
	file, err := parseFile(text)
	if err != nil {
		return nil // decode has refused such
	}
	return &file
}

// expiredAt reports whether the document is no longer good at time now
// (section 5.3.10: the expiry must be higher than the fixed start time).
func (d *document) expiredAt(now time.Time) bool { return !d.expires.After(now) }

func (d *document) expiry(repository string, now time.Time) error {
	if !d.expiredAt(now) {
		return nil
	}
	return &ExpiredError{Repository: repository, Role: d.role, Version: d.version, Expires: d.expires, Now: now}
}
