package provenance

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/strictjson"
	"assay/internal/testrepo"
)

func TestProfilesThatAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key := newKey(t, testrepo.ECDSA).PublicPEM()
	root := l.TrustedRoot()
	without := func(parts ...string) []byte {
		return edited(t, root, func(o object) {
			for _, part := range parts {
				delete(o, part)
			}
		})
	}
	for name, test := range map[string]struct {
		p    Profile
		says string
	}{
		"no name":                  {Profile{Kind: GitHub, Root: root}, "a name"},
		"no kind":                  {Profile{Name: "x", Root: root}, "the kind"},
		"unknown kind":             {Profile{Name: "x", Kind: "best", Root: root}, `found "best"`},
		"no root":                  {Profile{Name: "x", Kind: GitHub}, "certificate authorities, found 0"},
		"root of a million levels": {Profile{Name: "x", Kind: GitHub, Root: []byte(strings.Repeat(`{"a":`, 1e5))}, "nested too deeply"},
		"root too large":           {Profile{Name: "x", Kind: GitHub, Root: append(bytes.Repeat([]byte(" "), MaxRootBytes), root...)}, "too large"},
		"root with a key twice":    {Profile{Name: "x", Kind: GitHub, Root: []byte(strings.Replace(string(root), "{", `{"mediaType":"x",`, 1))}, "repeated"},
		"root of another type":     {Profile{Name: "x", Kind: GitHub, Root: []byte(strings.Replace(string(root), "0.1", "9.1", 1))}, "media type"},
		"root that is none":        {Profile{Name: "x", Kind: GitHub, Root: []byte("{}")}, "media type"},
		"root with a null":         {Profile{Name: "x", Kind: GitHub, Root: edited(t, root, func(o object) { o["tlogs"] = []any{nil} })}, "null"},
		"no authority":             {Profile{Name: "x", Kind: GitHub, Root: without("certificateAuthorities")}, "certificate authorities, found 0"},
		"no timestamp authority":   {Profile{Name: "x", Kind: GitHub, Root: without("timestampAuthorities")}, "timestamp authorities, found 0"},
		"no log":                   {Profile{Name: "x", Kind: PublicGood, Root: without("tlogs")}, "transparency logs, found 0"},
		"no certificate log":       {Profile{Name: "x", Kind: PublicGood, Root: without("ctlogs")}, "certificate logs, found 0"},
		"no time":                  {Profile{Name: "x", Kind: Private, Root: without("tlogs", "timestampAuthorities")}, "authorities, found 0"},
		"fewer logs than asked":    {Profile{Name: "x", Kind: Private, Root: root, Least: Thresholds{LogEntries: 3}}, "at least 3 transparency logs, found 2"},
		"negative threshold":       {Profile{Name: "x", Kind: Private, Root: root, Least: Thresholds{Times: -1}}, "found -1"},
		"huge threshold":           {Profile{Name: "x", Kind: Private, Root: root, Least: Thresholds{SCTs: 33}}, "found 33"},
		"keys of a certificate's":  {Profile{Name: "x", Kind: GitHub, Root: root, Keys: [][]byte{key}}, "expected no keys"},
		"SCTs of keys":             {Profile{Name: "x", Kind: Keys, Keys: [][]byte{key}, Least: Thresholds{SCTs: 1}}, "no certificate timestamps"},
		"log of keys, no root":     {Profile{Name: "x", Kind: Keys, Keys: [][]byte{key}, Least: Thresholds{LogEntries: 1}}, "transparency logs, found 0"},
		"time of keys, no root":    {Profile{Name: "x", Kind: Keys, Keys: [][]byte{key}, Least: Thresholds{Times: 1}}, "found 0"},
	} {
		v, err := NewVerifier(test.p)
		if v != nil || !errors.Is(err, ErrProfile) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: expected %v with %q, found %v", name, ErrProfile, test.says, err)
		}
	}
	_, err := NewVerifier(Profile{Name: "x", Kind: GitHub, Root: []byte("[]")})
	if !errors.Is(err, strictjson.ErrSyntax) {
		t.Errorf("expected %v, found %v", strictjson.ErrSyntax, err)
	}
}

// What is believed has one name: the root's bytes, or the keys' values.
func TestRootDigest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	root := l.TrustedRoot()
	if found := l.verifier(PublicGood).Root(); found != artifact.DigestOf(artifact.SHA256, root) {
		t.Errorf("found %s", found)
	}
	a, b := newKey(t, testrepo.ECDSA), newKey(t, testrepo.RSA)
	seen := map[artifact.Digest]string{}
	for name, p := range map[string]Profile{
		"a": {Keys: [][]byte{a.PublicPEM()}}, "b": {Keys: [][]byte{b.PublicPEM()}}, "a and b": {Keys: [][]byte{a.PublicPEM(), b.PublicPEM()}},
		"a and root": {Keys: [][]byte{a.PublicPEM()}, Root: root},
	} {
		p.Name, p.Kind = name, Keys
		d := verifier(t, p).Root()
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[d] = name
	}
	if d := keyVerifier(t, b, a, b).Root(); seen[d] != "a and b" {
		t.Errorf("expected no regard to order and repetition, found %s", d)
	}
}
