package trust

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/strictjson"
)

// delegations is whom a targets role entrusts with which paths (specification
// 1.0, section 4.5), either by a list or by hash bins (TAP 15).
type delegations struct {
	keys  map[string]*metadata.Key
	roles []delegation
	paths int // of all roles, prefixes included
	named map[string]delegation
	bins  *bins
}

// delegation is one entry of the list.
type delegation struct {
	Name        string   `json:"name"`
	KeyIDs      []string `json:"keyids"`
	Threshold   int      `json:"threshold"`
	Terminating bool     `json:"terminating"`
	Paths       []string `json:"paths"`
	Prefixes    []string `json:"path_hash_prefixes"`
}

// bins are 2^BitLength roles, one of which every path falls into.
type bins struct {
	KeyIDs    []string `json:"keyids"`
	Threshold int      `json:"threshold"`
	BitLength int      `json:"bit_length"`
	Prefix    string   `json:"name_prefix"`
}

func parseDelegations(text []byte) (*delegations, error) {
	if !begins(text, '{') {
		return nil, fmt.Errorf("signed.delegations: expected an object, found %.20q", text)
	}
	d := &delegations{named: map[string]delegation{}}
	var roles []byte
	for member := range strictjson.Members(text) {
		err := checkTwin(member.Key, "keys", "roles", "succinct_roles")
		switch string(member.Key) {
		case "keys":
			if err = countMembers(member.Value, maxKeys); err == nil {
				err = checkKeyTwins(member.Value)
			}
			if err == nil {
				err = guard(func() error { return json.Unmarshal(member.Value, &d.keys) })
			}
		case "roles":
			roles = member.Value
		case "succinct_roles":
			d.bins, err = parseBins(member.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("signed.delegations.%s: %w", member.Key, err)
		}
	}
	if roles == nil {
		return d, nil
	}
	if d.bins != nil {
		return nil, errors.New("signed.delegations: expected roles or succinct_roles, found both")
	}
	if !begins(roles, '[') {
		return nil, fmt.Errorf("signed.delegations.roles: expected an array, found %.20q", roles)
	}
	for role := range strictjson.Elements(roles) {
		if len(d.roles) == maxDelegations {
			return nil, fmt.Errorf("signed.delegations.roles: expected at most %d, found more", maxDelegations)
		}
		if err := d.add(role); err != nil {
			return nil, fmt.Errorf("signed.delegations.roles%w", err)
		}
	}
	return d, nil
}

func (d *delegations) add(text []byte) error {
	var role delegation
	err := checkTwins(text, "name", "keyids", "threshold", "terminating", "paths", "path_hash_prefixes")
	if err == nil {
		err = d.count(text)
	}
	if err == nil {
		err = json.Unmarshal(text, &role)
	}
	if err != nil {
		return fmt.Errorf("[%d]: %w", len(d.roles), err)
	}
	if err := checkName(role.Name); err != nil {
		return fmt.Errorf(": %w", err)
	}
	if role.Name == "" || isTopLevel(role.Name) {
		return fmt.Errorf(": expected a name that is not a top-level role's, found %q", role.Name)
	}
	// Where snapshots are not consistent its file would be that of a root.
	if version, ok := strings.CutSuffix(role.Name, ".root"); ok && strings.Trim(version, "0123456789") == "" {
		return fmt.Errorf(": expected a name that is not a root's file's, found %q", role.Name)
	}
	// The paths of one entry would be proven with the keys of the other.
	if _, twice := d.named[role.Name]; twice {
		return fmt.Errorf(": expected each name once, found %q again", role.Name)
	}
	if role.Paths != nil && role.Prefixes != nil {
		return fmt.Errorf("[%.80q]: expected paths or path_hash_prefixes, found both", role.Name)
	}
	d.named[role.Name] = role
	d.roles = append(d.roles, role)
	return nil
}

// count bounds the lists of one entry before they become Go values.
func (d *delegations) count(entry []byte) error {
	for member := range strictjson.Members(entry) {
		var err error
		switch string(member.Key) {
		case "keyids":
			_, err = countElements(member.Value, maxKeyIDs)
		case "paths", "path_hash_prefixes":
			var n int
			n, err = countElements(member.Value, maxPatterns-d.paths)
			d.paths += n
		}
		if err != nil {
			return fmt.Errorf("%s: %w", member.Key, err)
		}
	}
	return nil
}

func countElements(array []byte, most int) (n int, err error) {
	for range strictjson.Elements(array) {
		if n++; n > most {
			return n, fmt.Errorf("expected at most %d, found more", most)
		}
	}
	return n, nil
}

func countMembers(object []byte, most int) error {
	n := 0
	for range strictjson.Members(object) {
		if n++; n > most {
			return fmt.Errorf("expected at most %d, found more", most)
		}
	}
	return nil
}

func parseBins(text []byte) (*bins, error) {
	b := &bins{}
	if err := new(delegations).count(text); err != nil {
		return nil, err
	}
	if err := checkTwins(text, "keyids", "threshold", "bit_length", "name_prefix"); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, b); err != nil {
		return nil, err
	}
	return b, b.check()
}

func (b *bins) check() error {
	if b.BitLength < 1 || b.BitLength > 32 {
		return fmt.Errorf("bit_length: expected 1 to 32, found %d", b.BitLength)
	}
	return checkName(b.Prefix)
}

// ring is who may sign the role in this delegator's words. One that it does not
// delegate to has a threshold of 0, with which nothing is verified.
func (d *delegations) ring(role string) keyring {
	if d.bins != nil {
		if !d.bins.has(role) {
			return keyring{role: role}
		}
		return keyring{role: role, keys: d.keys, ids: d.bins.KeyIDs, threshold: d.bins.Threshold}
	}
	entry := d.named[role]
	return keyring{role: role, keys: d.keys, ids: entry.KeyIDs, threshold: entry.Threshold}
}

// child is a delegation that matches a path.
type child struct {
	role        string
	terminating bool
}

// children yields the roles that d delegates target path to, in its order.
func (d *delegations) children(target string) iter.Seq[child] {
	return func(yield func(child) bool) {
		if d == nil {
			return
		}
		sum := sha256.Sum256([]byte(target))
		if d.bins != nil {
			yield(child{role: d.bins.name(uint64(binary.BigEndian.Uint32(sum[:4]) >> (32 - d.bins.BitLength))), terminating: true})
			return
		}
		digits := hex.EncodeToString(sum[:])
		for i := range d.roles {
			if role := &d.roles[i]; role.matches(target, digits) && !yield(child{role: role.Name, terminating: role.Terminating}) {
				return
			}
		}
	}
}

// matches reports whether the role may promise target: by a path pattern, or by
// a prefix of digits, the hex SHA-256 of the path (section 4.5).
func (r *delegation) matches(target, digits string) bool {
	if len(r.Prefixes) > 0 {
		return slices.ContainsFunc(r.Prefixes, func(prefix string) bool {
			return prefix != "" && len(prefix) <= len(digits) && strings.EqualFold(prefix, digits[:len(prefix)])
		})
	}
	return slices.ContainsFunc(r.Paths, func(pattern string) bool { return matchPath(pattern, target) })
}

// matchPath matches segment by segment, so that "*" does not cross a slash; it
// knows both "[^a]" and the shell's "[!a]". A malformed pattern matches nothing.
func matchPath(pattern, target string) bool {
	patterns, segments := strings.Split(pattern, "/"), strings.Split(target, "/")
	if len(patterns) != len(segments) {
		return false
	}
	for i, p := range patterns {
		if ok, _ := path.Match(goPattern(p), segments[i]); !ok {
			return false
		}
	}
	return true
}

// goPattern writes the "[!" that opens a class as path.Match has it.
func goPattern(pattern string) string {
	if !strings.Contains(pattern, "[!") {
		return pattern
	}
	text := []byte(pattern)
	within := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++ // what follows stands for itself
		case within:
			within = text[i] != ']'
		case text[i] == '[':
			within = true
			if i+1 < len(text) && text[i+1] == '!' {
				text[i+1] = '^'
			}
		}
	}
	return string(text)
}

// name is the role of one bin: its number in hex, padded to the width of the
// last one's.
func (b *bins) name(number uint64) string {
	return fmt.Sprintf("%s-%0*x", b.Prefix, b.width(), number)
}

func (b *bins) width() int { return len(strconv.FormatUint(uint64(1)<<b.BitLength-1, 16)) }

// has reports whether role is the name of one of the bins.
func (b *bins) has(role string) bool {
	digits, _ := strings.CutPrefix(role, b.Prefix+"-")
	number, _ := strconv.ParseUint(digits, 16, 64) // of what is no number another name is made
	return number < uint64(1)<<b.BitLength && b.name(number) == role
}
