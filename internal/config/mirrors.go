package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
)

// The bounds of mirrors.
const (
	maxMirrors      = 64 // of one repository
	maxMirrorCIDRs  = 64
	maxMirrorWeight = 1_000_000
)

// Mirrors are those of one repository.
type Mirrors struct {
	List []Mirror
	Only bool // nothing else is asked, not even the repository's own URL

	place place
}

// Mirror is one place that carries what a repository publishes.
type Mirror struct {
	URL    string // as a repository's own: https, http or file
	Region string
	Weight int            // more is preferred
	CIDRs  []netip.Prefix // networks of clients that it is near to
	Origin Origin
}

// The keys of a repository's mirrors.
const (
	keyMirrors     = "mirrors"
	keyMirrorsOnly = "mirrors_only"
)

var mirrorKeys = []string{"url", "region", "weight", "cidrs"}

// MirrorsOf are the mirrors of a repository, which need not be declared.
func (c *Config) MirrorsOf(repository string) Mirrors { return c.mirrors[repository] }

// mirror takes the mirrors of a repository from a file; the last file that names
// any wins with all it says of them, as with plain keys.
func (b *builder) mirror(name string, list []any, only *bool, f *file) error {
	p := place{f, KeyRepositories + "." + name}
	fail := func(field string, err error) error {
		return &Error{Origin: p.origin(field), Key: p.key + "." + field, Kind: ErrValue, Err: err}
	}
	if err := artifact.ValidRepository(name); err != nil {
		return fail(keyMirrors, err)
	}
	m := Mirrors{Only: only != nil && *only, place: p}
	if n := len(list); n == 0 || n > maxMirrors {
		if list == nil {
			return fail(keyMirrorsOnly, errors.New("expected mirrors beside it, found none"))
		}
		return fail(keyMirrors, fmt.Errorf("expected 1 to %d mirrors, found %d", maxMirrors, n))
	}
	for i, item := range list {
		field := keyMirrors + "." + strconv.Itoa(i)
		one, bad, err := readMirror(item)
		if err != nil {
			return fail(strings.TrimSuffix(field+"."+bad, "."), err)
		}
		one.Origin = p.origin(field)
		if slices.ContainsFunc(m.List, func(other Mirror) bool { return other.URL == one.URL }) {
			return fail(field, errors.New("expected each mirror once, found one twice"))
		}
		m.List = append(m.List, one)
	}
	same := b.mirrors[name].same(m)
	for _, key := range []string{keyMirrors, keyMirrorsOnly} {
		if err := b.checkLock(p.key+"."+key, same, p.origin(key)); err != nil {
			return err
		}
	}
	b.mirrors[name] = m
	return nil
}

// same reports whether two files say the same.
func (m Mirrors) same(other Mirrors) bool {
	return m.Only == other.Only && slices.EqualFunc(m.List, other.List, func(a, b Mirror) bool {
		a.Origin, b.Origin = Origin{}, Origin{}
		return reflect.DeepEqual(a, b)
	})
}

// readMirror reads a URL, or a table with one. bad names the key that err is about.
func readMirror(item any) (m Mirror, bad string, err error) {
	table, ok := item.(map[string]any)
	if text, plain := item.(string); plain {
		table, ok = map[string]any{"url": text}, true
	}
	if !ok {
		return m, "", fmt.Errorf("expected a URL, or a table with one, found %q", clip(fmt.Sprint(item)))
	}
	for _, key := range sortedKeys(table) {
		if !slices.Contains(mirrorKeys, key) {
			return m, key, fmt.Errorf("unknown key %q%s", clip(key), suggest(key, mirrorKeys))
		}
	}
	text, _ := table["url"].(string)
	if err := checkMirrorURL(text); err != nil {
		return m, "url", err
	}
	m.URL = strings.TrimRight(text, "/")
	if region, there := table["region"]; there {
		if m.Region, err = parseRegion(region); err != nil {
			return m, "region", err
		}
	}
	if weight, there := table["weight"]; there {
		n, ok := weight.(int64)
		if !ok || n < 0 || n > maxMirrorWeight {
			return m, "weight", fmt.Errorf("expected a whole number from 0 to %d, found %q", maxMirrorWeight, clip(fmt.Sprint(weight)))
		}
		m.Weight = int(n)
	}
	if m.CIDRs, err = parseCIDRs(table["cidrs"]); err != nil {
		return m, "cidrs", err
	}
	return m, "", nil
}

// checkMirrorURL names no URL that may hold a password.
func checkMirrorURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("expected a URL, found none")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "file" || u.Opaque != "":
		return errors.New("expected a URL that begins with https://, http:// or file://, found another")
	case u.User != nil:
		return errors.New("expected a URL without user and password, found one")
	case u.Scheme != "file" && u.Host == "":
		return errors.New("expected a URL with a host, found none")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("expected a URL without query and fragment, to which paths are added, found one")
	}
	return nil
}

var regionForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// parseRegion wants the parts of a region joined by dashes, the wider one first.
func parseRegion(value any) (string, error) {
	text, ok := value.(string)
	if !ok || len(text) > 64 || !regionForm.MatchString(text) {
		return "", fmt.Errorf("expected a region like \"eu\" or \"eu-west\", found %q", clip(fmt.Sprint(value)))
	}
	return text, nil
}

func parseCIDRs(value any) (list []netip.Prefix, err error) {
	items, ok := value.([]any)
	if value != nil && (!ok || len(items) > maxMirrorCIDRs) {
		return nil, fmt.Errorf("expected a list of at most %d networks", maxMirrorCIDRs)
	}
	for _, item := range items {
		text, _ := item.(string)
		prefix, err := netip.ParsePrefix(text)
		if err != nil || prefix != prefix.Masked() {
			return nil, fmt.Errorf("expected a network like 10.20.0.0/16, found %q", clip(fmt.Sprint(item)))
		}
		list = append(list, prefix)
	}
	return list, nil
}

// values are what was set, with keys that begin below the repository's name.
func (m Mirrors) values() []Value {
	var list []Value
	for i, one := range m.List {
		words := []string{one.URL}
		if one.Region != "" {
			words = append(words, "region "+one.Region)
		}
		if one.Weight > 0 {
			words = append(words, "weight "+strconv.Itoa(one.Weight))
		}
		for _, c := range one.CIDRs {
			words = append(words, "near "+c.String())
		}
		list = append(list, Value{Key: numbered(keyMirrors, i), Value: strings.Join(words, ", "), Origin: one.Origin})
	}
	if m.place.has(keyMirrorsOnly) {
		list = append(list, Value{Key: keyMirrorsOnly, Value: strconv.FormatBool(m.Only), Origin: m.place.origin(keyMirrorsOnly)})
	}
	return list
}
