package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/strictjson"
)

// document is one role's metadata, screened and parsed. Whether it is signed is
// another question: see verifyRole.
type document[T metadata.Roles] struct {
	role    string
	version int64
	expires time.Time
	raw     []byte
	sum     artifact.Digest // of raw
	signed  artifact.Digest // of the signed part alone: the same content signed again keeps it
	meta    *metadata.Metadata[T]
}

type (
	rootDocument      = document[metadata.RootType]
	timestampDocument = document[metadata.TimestampType]
	snapshotDocument  = document[metadata.SnapshotType]
	targetsDocument   = document[metadata.TargetsType]
)

// specVersion is any 1.x of the TUF specification (section 4.3: clients check
// the major version).
var specVersion = regexp.MustCompile(`^1(\.[0-9]{1,9}){0,2}$`)

// parse screens raw bytes and only then hands them to go-tuf. limit is in
// bytes, depth in levels of nesting.
func parse[T metadata.Roles](role string, raw []byte, limit int64, depth int) (*document[T], error) {
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s: %w: expected at most %d bytes, found more", role, ErrTooLarge, limit)
	}
	if err := strictjson.Screen(raw, strictjson.Limits{Bytes: int(limit), Depth: depth}); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", role, ErrMalformed, err)
	}
	d := &document[T]{role: role, raw: raw, sum: artifact.DigestOf(artifact.SHA256, raw)}
	err := guard(func() (err error) {
		if d.meta, err = new(metadata.Metadata[T]).FromBytes(raw); err != nil {
			return err
		}
		signed, err := json.Marshal(d.meta.Signed)
		d.signed = artifact.DigestOf(artifact.SHA256, signed)
		return err
	})
	if err == nil {
		err = d.checkForm()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", role, ErrMalformed, err)
	}
	return d, nil
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

// checkForm takes version and expiry out of the parsed metadata and checks what
// go-tuf leaves unchecked.
func (d *document[T]) checkForm() error {
	var spec string
	var detail error
	switch signed := any(&d.meta.Signed).(type) {
	case *metadata.RootType:
		spec, d.version, d.expires = signed.SpecVersion, signed.Version, signed.Expires
		detail = checkRootForm(signed)
	case *metadata.TimestampType:
		spec, d.version, d.expires = signed.SpecVersion, signed.Version, signed.Expires
		detail = checkMeta(signed.Meta, "snapshot.json")
	case *metadata.SnapshotType:
		spec, d.version, d.expires = signed.SpecVersion, signed.Version, signed.Expires
		detail = checkMeta(signed.Meta, "targets.json")
	case *metadata.TargetsType:
		spec, d.version, d.expires = signed.SpecVersion, signed.Version, signed.Expires
		detail = checkTargetsForm(signed)
	}
	switch {
	case !specVersion.MatchString(spec):
		return fmt.Errorf("signed.spec_version: expected 1.x, found %.40q", spec)
	case d.version < 1:
		return fmt.Errorf("signed.version: expected a whole number from 1, found %d", d.version)
	case d.expires.IsZero():
		return errors.New("signed.expires: expected a time, found none")
	case len(d.meta.Signatures) > maxSignatures:
		return fmt.Errorf("signatures: expected at most %d, found %d", maxSignatures, len(d.meta.Signatures))
	}
	return detail
}

var topLevelRoles = metadata.TOP_LEVEL_ROLE_NAMES[:]

func checkRootForm(root *metadata.RootType) error {
	for _, name := range topLevelRoles {
		role := root.Roles[name]
		if role == nil {
			return fmt.Errorf("signed.roles: expected the role %s, found none", name)
		}
		if role.Threshold < 1 {
			return fmt.Errorf("signed.roles.%s.threshold: expected at least 1, found %d", name, role.Threshold)
		}
	}
	return nil
}

func checkMeta(meta map[string]*metadata.MetaFiles, required string) error {
	if meta[required] == nil {
		return fmt.Errorf("signed.meta: expected an entry for %s, found none", required)
	}
	for name, file := range meta {
		if err := checkName(name); err != nil {
			return fmt.Errorf("signed.meta: %w", err)
		}
		if file.Version < 1 {
			return fmt.Errorf("signed.meta[%.80q].version: expected a whole number from 1, found %d", name, file.Version)
		}
		if file.Length < 0 {
			return fmt.Errorf("signed.meta[%.80q].length: expected a length, found %d", name, file.Length)
		}
		if _, err := digestsOf(file.Hashes); len(file.Hashes) > 0 && err != nil {
			return fmt.Errorf("signed.meta[%.80q].hashes: %w", name, err)
		}
	}
	return nil
}

func checkTargetsForm(targets *metadata.TargetsType) error {
	for path, file := range targets.Targets {
		if file.Length < 0 {
			return fmt.Errorf("signed.targets[%.80q].length: expected a length, found %d", path, file.Length)
		}
		if _, err := digestsOf(file.Hashes); err != nil {
			return fmt.Errorf("signed.targets[%.80q].hashes: %w", path, err)
		}
	}
	if targets.Delegations == nil {
		return nil
	}
	if targets.Delegations.Roles != nil && targets.Delegations.SuccinctRoles != nil {
		return errors.New("signed.delegations: expected roles or succinct_roles, found both")
	}
	if bins := targets.Delegations.SuccinctRoles; bins != nil {
		return checkName(bins.NamePrefix)
	}
	seen := map[string]bool{}
	for _, role := range targets.Delegations.Roles {
		if err := checkName(role.Name); err != nil {
			return fmt.Errorf("signed.delegations.roles: %w", err)
		}
		if role.Name == "" || slices.Contains(topLevelRoles, role.Name) {
			return fmt.Errorf("signed.delegations.roles: expected a name that is not a top-level role's, found %q", role.Name)
		}
		// The paths of one entry would be proven with the keys of the other.
		if seen[role.Name] {
			return fmt.Errorf("signed.delegations.roles: expected each name once, found %q again", role.Name)
		}
		seen[role.Name] = true
		if role.Paths != nil && role.PathHashPrefixes != nil {
			return fmt.Errorf("signed.delegations.roles[%.80q]: expected paths or path_hash_prefixes, found both", role.Name)
		}
	}
	return nil
}

// checkName bounds a role's name, which becomes a file's name, a key of the
// Store and part of messages: what a terminal would obey has no place in it.
func checkName(name string) error {
	if len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("expected a name of at most %d bytes without control characters, found %.80q", maxName, name)
	}
	return nil
}

// digestsOf takes the digests that assay can compute out of TUF's hashes. One
// of them at least must be there; others are left aside.
func digestsOf(hashes metadata.Hashes) (artifact.Digests, error) {
	var list []artifact.Digest
	for _, algorithm := range []artifact.Algorithm{artifact.SHA256, artifact.SHA512} {
		if value, ok := hashes[string(algorithm)]; ok {
			digest, err := artifact.NewDigest(algorithm, value.String())
			if err != nil {
				return nil, err
			}
			list = append(list, digest)
		}
	}
	return artifact.NewDigests(list...)
}

// verifyRole checks that doc carries enough signatures of the keys that
// delegator names for the role (specification 1.0, section 5.1 and 5.3.4).
// go-tuf counts keys by their value, not by their id.
func verifyRole[D, T metadata.Roles](delegator *document[D], role string, doc *document[T]) error {
	err := guard(func() error { return delegator.meta.VerifyDelegate(role, doc.meta) })
	if err != nil {
		return fmt.Errorf("%s %d: %w: %w", role, doc.version, ErrSignature, err)
	}
	return nil
}

// expiredAt reports whether the document is no longer good at time now
// (section 5.3.10: the expiry must be higher than the fixed start time).
func (d *document[T]) expiredAt(now time.Time) bool { return !d.expires.After(now) }

func (d *document[T]) expiry(repository string, now time.Time) error {
	if !d.expiredAt(now) {
		return nil
	}
	return &ExpiredError{Repository: repository, Role: d.role, Version: d.version, Expires: d.expires, Now: now}
}
