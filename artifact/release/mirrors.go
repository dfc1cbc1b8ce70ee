package release

import "net/netip"

// Mirrors is the document that names a repository's mirrors.
type Mirrors struct {
	document
	Schema  string   `json:"schema"`
	Mirrors []Mirror `json:"mirrors"`
}

// Mirror is a place that carries a repository's targets. It is a hint about
// speed and never trusted for more.
type Mirror struct {
	URL    string         `json:"url"` // https, the base to which paths are added
	Region string         `json:"region,omitempty"`
	Weight int            `json:"weight,omitempty"` // from 0; more is preferred
	CIDRs  []netip.Prefix `json:"cidrs,omitempty"`  // networks of clients that the mirror is near to
}

// DecodeMirrors reads a list of mirrors of at most MaxMirrorsBytes. Errors are
// *FieldError.
func DecodeMirrors(data []byte) (*Mirrors, error) {
	var m Mirrors
	doc, err := form{"mirrors", MaxMirrorsBytes}.decode(MirrorsPath, data, &m)
	if err != nil {
		return nil, err
	}
	m.document = doc
	if p := first(m.check); p != nil {
		return nil, inDocument(MirrorsPath, p)
	}
	return &m, nil
}

// check reports everything that the schema can't say.
func (m *Mirrors) check(report reporter) {
	for i, mirror := range m.Mirrors {
		report(checkMirror(at("mirrors", i, "url"), mirror.URL))
	}
}
