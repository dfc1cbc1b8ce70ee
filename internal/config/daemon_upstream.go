package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"assay/artifact"
)

// The bounds of an upstream's lists.
const (
	maxFilter  = 4096
	maxSources = 16
)

// The modes of an upstream, as package mirror has them; a test of the command
// holds both together.
const (
	ModeFull     = "full"
	ModeFiltered = "filtered"
	ModeLazy     = "lazy"
)

// MinEvery is how often an upstream may be asked at most; likewise that of package
// mirror.
const MinEvery = 5 * time.Second

// keyUpstreams is the table of upstreams in that of the daemon.
const keyUpstreams = "upstreams"

// Upstream is a declared repository that the mirror daemon carries.
type Upstream struct {
	Name string // of the repository
	Mode string // default: full

	Products  []string
	Channels  []string
	Platforms []artifact.Platform
	Versions  *artifact.Range // nil: all
	Keep      int64           // releases of each channel; 0: all
	MaxAge    time.Duration   // of a release; 0: any

	Every        time.Duration // from one question to the next
	ServeExpired bool          // when nobody may rely on the metadata any more
	Sources      []string      // URLs that readers are told of
	Origin       Origin

	place place
}

// upstreamDocument is an upstream as files spell it.
type upstreamDocument struct {
	Mode         string   `toml:"mode"`
	Every        any      `toml:"every"`
	Products     []string `toml:"products"`
	Channels     []string `toml:"channels"`
	Platforms    []string `toml:"platforms"`
	Versions     string   `toml:"versions"`
	Keep         any      `toml:"keep"`
	MaxAge       any      `toml:"max_age"`
	ServeExpired bool     `toml:"serve_expired"`
	Sources      []string `toml:"sources"`
}

var (
	everyAmount = amount{unit: span, least: int64(MinEvery), highest: int64(30 * 24 * time.Hour)}
	keepAmount  = amount{unit: count, least: 1, highest: 1_000_000, none: true}
	ageAmount   = amount{unit: span, least: int64(time.Hour), highest: int64(100 * year), none: true}
)

// upstream checks one. bad names the key that err is about; empty: the whole.
func (p place) upstream(name string, doc upstreamDocument) (u Upstream, bad string, err error) {
	u = Upstream{
		Name: name, Mode: ModeFull, Products: doc.Products, Channels: doc.Channels, Every: 15 * time.Minute,
		ServeExpired: doc.ServeExpired, Sources: doc.Sources, place: p, Origin: p.origin(""),
	}
	if err := artifact.ValidRepository(name); err != nil {
		return u, "", err
	}
	for _, step := range []func(upstreamDocument) (string, error){u.takeFilter, u.takeAmounts, u.takeMode} {
		if bad, err := step(doc); err != nil {
			return u, bad, err
		}
	}
	if n := len(u.Sources); n > maxSources {
		return u, "sources", fmt.Errorf("expected at most %d URLs, found %d", maxSources, n)
	}
	for _, source := range u.Sources {
		if err := checkSource(source); err != nil {
			return u, "sources", err
		}
	}
	return u, "", nil
}

func (u *Upstream) takeFilter(doc upstreamDocument) (bad string, err error) {
	for _, list := range []struct {
		key   string
		words []string
		check func(string) error
	}{
		{"products", doc.Products, artifact.ValidProduct},
		{"channels", doc.Channels, artifact.ValidChannel},
		{"platforms", doc.Platforms, func(word string) error {
			platform, err := artifact.ParsePlatform(word)
			u.Platforms = append(u.Platforms, platform)
			return err
		}},
	} {
		if n := len(list.words); u.place.has(list.key) && (n == 0 || n > maxFilter) {
			return list.key, fmt.Errorf("expected 1 to %d words, found %d; without the key all are carried", maxFilter, n)
		}
		for _, word := range list.words {
			if err := list.check(word); err != nil {
				return list.key, err
			}
		}
	}
	if !u.place.has("versions") {
		return "", nil
	}
	versions, err := artifact.ParseRange(doc.Versions)
	if err != nil {
		return "versions", err
	}
	u.Versions = &versions
	return "", nil
}

func (u *Upstream) takeAmounts(doc upstreamDocument) (bad string, err error) {
	for _, a := range []struct {
		key   string
		said  any
		form  amount
		field *int64
	}{
		{"every", doc.Every, everyAmount, (*int64)(&u.Every)},
		{"keep", doc.Keep, keepAmount, &u.Keep},
		{"max_age", doc.MaxAge, ageAmount, (*int64)(&u.MaxAge)},
	} {
		if a.said == nil {
			continue
		}
		if *a.field, err = a.form.parse(a.said); err != nil {
			return a.key, err
		}
	}
	return "", nil
}

// takeMode wants the mode and the filter to mean the same.
func (u *Upstream) takeMode(doc upstreamDocument) (bad string, err error) {
	if u.place.has("mode") {
		u.Mode = doc.Mode
	}
	filter := slices.IndexFunc(filterKeys, u.place.has)
	switch {
	case !slices.Contains([]string{ModeFull, ModeFiltered, ModeLazy}, u.Mode):
		return "mode", fmt.Errorf("expected full, filtered or lazy, found %q", clip(u.Mode))
	case u.Mode == ModeFull && filter >= 0:
		return filterKeys[filter], errors.New(`expected no filter in the mode "full", found one: mode = "filtered" takes it`)
	case u.Mode == ModeFiltered && !u.filters():
		return "mode", fmt.Errorf(`expected a filter in the mode "filtered", one of %s, found none: mode = "full" carries all`, strings.Join(filterKeys, ", "))
	}
	return "", nil
}

var filterKeys = []string{"products", "channels", "platforms", "versions", "keep", "max_age"}

// filters reports whether anything may be left out.
func (u *Upstream) filters() bool {
	return len(u.Products) > 0 || len(u.Channels) > 0 || len(u.Platforms) > 0 || u.Versions != nil || u.Keep > 0 || u.MaxAge > 0
}

// checkSource wants a URL that may be told to everybody.
func checkSource(text string) error {
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" {
		return errors.New("expected URLs that begin with https://, found another")
	}
	return checkMirrorURL(text)
}

// values are what counts, with keys that begin below the upstream's name.
func (u *Upstream) values() []Value {
	var platforms []string
	for _, platform := range u.Platforms {
		platforms = append(platforms, platform.String())
	}
	versions := ""
	if u.Versions != nil {
		versions = u.Versions.String()
	}
	var list []Value
	for _, said := range []struct {
		key, text string
		always    bool
	}{
		{"mode", u.Mode, true},
		{"every", everyAmount.text(int64(u.Every)), true},
		{"products", strings.Join(u.Products, ", "), false},
		{"channels", strings.Join(u.Channels, ", "), false},
		{"platforms", strings.Join(platforms, ", "), false},
		{"versions", versions, false},
		{"keep", keepAmount.text(u.Keep), false},
		{"max_age", ageAmount.text(int64(u.MaxAge)), false},
		{"serve_expired", strconv.FormatBool(u.ServeExpired), false},
		{"sources", strings.Join(u.Sources, ", "), false},
	} {
		if u.place.has(said.key) {
			list = append(list, Value{Key: said.key, Value: said.text, Origin: u.place.origin(said.key)})
		} else if said.always {
			list = append(list, Value{Key: said.key, Value: said.text})
		}
	}
	return list
}
