package lockfile

import (
	"strings"

	"assay/artifact"
)

func (d pinDocument) take(at place, seen map[string]int) (p Pin, err error) {
	p = Pin{Name: d.Name, URLs: d.URLs, Identity: d.Identity, Issuer: d.Issuer, Format: d.Format}
	if err := at.in("name").because(artifact.ValidProduct(d.Name)); err != nil {
		return p, err
	}
	if err := at.in("name").once(seen, d.Name, "the pin "+d.Name); err != nil {
		return p, err
	}
	if err := at.in("urls").count(len(d.URLs), 1, maxURLs); err != nil {
		return p, err
	}
	if err := at.in("urls").urls(d.URLs, checkPinURL); err != nil {
		return p, err
	}
	if d.Length != nil {
		if p.Length, err = at.in("length").length(*d.Length, 1); err != nil {
			return p, err
		}
	}
	if p.Digests, err = at.digests("", d.SHA256, d.SHA512); err != nil {
		return p, err
	}
	for _, said := range []struct{ key, text, other string }{{"identity", d.Identity, "issuer"}, {"issuer", d.Issuer, "identity"}} {
		if here, there := at.in(said.key), at.in(said.other); here.has() || there.has() {
			if !here.has() {
				return p, there.refuse("expected an %s beside it, found none: each alone could be a stranger", said.key)
			}
			if err := here.text(said.text, maxText); err != nil {
				return p, err
			}
		}
	}
	if format := at.in("format"); format.has() && !isFormat(d.Format) {
		return p, format.refuse("expected a word like tar.gz, found %s", quote(d.Format))
	}
	return p, nil
}

// isFormat reports whether text can be a format in a release manifest.
func isFormat(text string) bool {
	return text != "" && len(text) <= maxFormat && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789._+-") == "" && !strings.ContainsAny(text[:1], "._+-")
}
