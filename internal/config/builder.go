package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
)

// builder gathers the layers, the earliest first.
type builder struct {
	values       map[string]Value // all but what stands in the fields below
	locks        map[string]Origin
	repositories map[string]Repository
	agreements   []Agreement
	rules        []Rule
	builders     []Builder
	profiles     map[string]Profile
	judges       map[string]judges  // by repository
	mirrors      map[string]Mirrors // likewise
	advisories   []Advisories
	limits       Limits
	moving       Transfer
	hosts        map[string]Host
	channels     map[string]Channel
	mirrored     *Daemon
	tools        []Tool
	projectFile  string
	workDir      string
	machine      string // the platform before the flags
}

// scalarKeys are the keys with one value.
var scalarKeys = []string{KeyPlatform, KeyOffline, KeyCacheDir, KeyStateDir, KeyDataDir, KeyBinDir, KeyRegion, KeyChannel}

// set checks a value, brings it into its one form, and lets it win over those
// of earlier layers.
func (b *builder) set(key, text string, origin Origin) error {
	switch key {
	case KeyPlatform:
		platform, err := artifact.ParsePlatform(text)
		if err != nil {
			return &Error{Origin: origin, Key: key, Kind: ErrValue, Err: err}
		}
		text = platform.String()
	case KeyOffline:
		offline, err := parseBool(text)
		if err != nil {
			return &Error{Origin: origin, Key: key, Kind: ErrValue, Err: err}
		}
		text = strconv.FormatBool(offline)
	case KeyCacheDir, KeyStateDir, KeyDataDir, KeyBinDir:
		if !filepath.IsAbs(text) {
			return &Error{Origin: origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected an absolute path, found %q", clip(text))}
		}
		text = filepath.Clean(text)
	case KeyRegion:
		if _, err := parseRegion(text); err != nil {
			return &Error{Origin: origin, Key: key, Kind: ErrValue, Err: err}
		}
	case KeyChannel:
		if err := artifact.ValidChannel(text); err != nil {
			return &Error{Origin: origin, Key: key, Kind: ErrValue, Err: err}
		}
	default:
		return &Error{Origin: origin, Kind: ErrUnknown, Detail: fmt.Sprintf("unknown key %q%s", clip(key), suggest(key, scalarKeys))}
	}
	if err := b.checkLock(key, text == b.values[key].Value, origin); err != nil {
		return err
	}
	b.values[key] = Value{Key: key, Value: text, Origin: origin}
	return nil
}

// parseBool takes the words that people set switches with.
func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("expected true or false, found %q", clip(text))
}

// checkLock refuses to change a locked key. To say the same again is fine.
func (b *builder) checkLock(key string, same bool, origin Origin) error {
	lock, locked := b.lockOf(key)
	if !locked || same || origin.Kind == System {
		return nil
	}
	return &Error{Origin: origin, Key: key, Kind: ErrLocked, Detail: fmt.Sprintf("this key is locked by %s, and can't be changed here", lock)}
}

func (b *builder) lockOf(key string) (Origin, bool) { return lockOf(b.locks, key) }

// lockOf finds the lock of a key, or of what it is a part of.
func lockOf(locks map[string]Origin, key string) (Origin, bool) {
	for {
		if lock, ok := locks[key]; ok {
			return lock, true
		}
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return Origin{}, false
		}
		key = key[:dot]
	}
}

// lock takes the locks of a system file. They hold from the user's layer on.
func (b *builder) lock(keys []string, origin Origin) error {
	known := append([]string{KeyRepositories, KeyAgreement, KeyLimits, KeyPolicy, KeyBuilders, KeyProfiles, KeyAdvisories, KeyTransfer, KeyHosts, KeyChannels, KeyMirror}, scalarKeys...)
	for _, l := range limits {
		known = append(known, l.key)
	}
	for _, s := range transfers {
		known = append(known, s.key)
	}
	for _, key := range keys {
		table, name, isOne := strings.Cut(key, ".")
		switch {
		case isOne && (table == KeyRepositories || table == KeyProfiles) && artifact.ValidRepository(name) == nil:
		case isOne && table == KeyChannels && validProductName(name) == nil:
		case slices.Contains(known, key):
		default:
			return &Error{
				Origin: origin, Key: "locked", Kind: ErrUnknown,
				Detail: fmt.Sprintf("unknown key %q%s", clip(key), suggest(key, known)),
			}
		}
		if _, twice := b.locks[key]; !twice {
			b.locks[key] = origin
		}
	}
	return nil
}

// compareKeys orders dotted keys with the plain ones first.
func compareKeys(a, b string) int {
	if n := strings.Count(a, ".") - strings.Count(b, "."); n != 0 && (!strings.Contains(a, ".") || !strings.Contains(b, ".")) {
		return n
	}
	return strings.Compare(a, b)
}
