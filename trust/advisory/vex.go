package advisory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/openvex/go-vex/pkg/vex"

	"assay/internal/strictjson"
	"assay/trust/sbom"
)

// componentShape is what is read of a VEX component; its hashes are not, as a
// component does not state any.
var componentShape = shape{"@id": nil, "identifiers": {"purl": nil}}

// vexShape is what is read of an OpenVEX statement (OpenVEX v0.2.0).
var vexShape = shape{
	"vulnerability": {"@id": nil, "name": nil, "aliases": nil, "description": nil},
	"timestamp":     nil,
	"last_updated":  nil,
	"products": {
		"@id": nil, "identifiers": componentShape["identifiers"],
		"subcomponents": componentShape,
	},
	"status": nil, "status_notes": nil, "justification": nil, "impact_statement": nil, "action_statement": nil,
}

// statement is what is kept of a VEX statement.
type statement struct {
	names    []string // the vulnerability's, its first one the name
	state    State
	why      string
	summary  string
	modified time.Time
	products []product
}

// product is what a statement is about.
type product struct {
	ids   []string // purls and other identifiers
	parts [][]string
}

// readVEX reads an OpenVEX document from its members.
func (d *Document) readVEX(head map[string][]byte) error {
	var context string
	json.Unmarshal(head["@context"], &context) // what is no text leaves it empty
	switch {
	case context == vex.Context, context == vex.ContextLocator():
	case strings.HasPrefix(context, vex.Context):
		return wrong(ErrVersion, d.Name+": @context", quote(vex.ContextLocator()), quote(context))
	default:
		return wrong(ErrFormat, d.Name+": @context", quote(vex.ContextLocator()), quote(context))
	}
	d.Format = OpenVEX
	var issued *time.Time
	if value := head["timestamp"]; value != nil {
		if err := json.Unmarshal(value, &issued); err != nil {
			return wrong(ErrMalformed, d.Name+": timestamp", "a time", quote(string(value)))
		}
	}
	array := head["statements"]
	if !bytes.HasPrefix(array, []byte("[")) {
		return wrong(ErrMalformed, d.Name+": statements", "an array", quote(string(array)))
	}
	for element := range strictjson.Elements(array) {
		if err := d.addStatement(element, issued, fmt.Sprintf("statements[%d]", d.Records)); err != nil {
			return err
		}
	}
	return nil
}

// addStatement reads one statement; the document's time is its own where it has
// none.
func (d *Document) addStatement(object []byte, issued *time.Time, where string) error {
	var read vex.Statement
	if err := d.decode(object, where, vexShape, &read); err != nil {
		return err
	}
	s := statement{summary: plain(read.Vulnerability.Description, maxSummary)}
	for _, at := range []*time.Time{read.LastUpdated, read.Timestamp, issued} {
		if at != nil {
			s.modified = at.UTC()
			break
		}
	}
	if err := d.count(where, s.modified); err != nil {
		return err
	}
	if err := d.vulnerability(&s, &read.Vulnerability, where); err != nil {
		return err
	}
	if err := d.status(&s, &read, where); err != nil {
		return err
	}
	for _, p := range read.Products {
		kept := product{ids: identifiers(&p.Component)}
		for _, part := range p.Subcomponents {
			kept.parts = append(kept.parts, identifiers(&part.Component))
		}
		s.products = append(s.products, kept)
	}
	d.statements = append(d.statements, s)
	return nil
}

// vulnerability keeps the names.
func (d *Document) vulnerability(s *statement, v *vex.Vulnerability, where string) error {
	names := []string{string(v.Name)}
	for _, alias := range v.Aliases {
		names = append(names, string(alias))
	}
	names = append(names, v.ID) // mostly the address of a page
	names, err := d.checkIDs(names, where+".vulnerability")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return wrong(ErrMalformed, d.Name+": "+where+".vulnerability", "a name", "none")
	}
	s.names = names
	return nil
}

// status keeps the state and its reason. One who clears must say why (OpenVEX
// v0.2.0, "Status Labels").
func (d *Document) status(s *statement, read *vex.Statement, where string) error {
	reason := string(read.Justification)
	for _, text := range []string{read.ImpactStatement, read.ActionStatement, read.StatusNotes} {
		switch {
		case reason == "":
			reason = text
		case text != "":
			reason += ": " + text
		}
	}
	s.why = plain(reason, maxSummary)
	switch read.Status {
	case vex.StatusAffected:
		s.state = Affected
	case vex.StatusFixed:
		s.state = Fixed
	case vex.StatusUnderInvestigation:
		s.state = Unknown
		if s.why == "" {
			s.why = "under investigation"
		}
	case vex.StatusNotAffected:
		s.state = NotAffected
		if read.Justification == "" && read.ImpactStatement == "" {
			return wrong(ErrMalformed, d.Name+": "+where, "a justification or an impact_statement with not_affected", "neither")
		}
		if read.Justification != "" && !read.Justification.Valid() {
			return wrong(ErrMalformed, d.Name+": "+where+".justification", "one that OpenVEX knows", quote(string(read.Justification)))
		}
	default:
		return wrong(ErrMalformed, d.Name+": "+where+".status", "affected, not_affected, fixed or under_investigation", quote(string(read.Status)))
	}
	return nil
}

// identifiers are all names of a VEX component that are compared.
func identifiers(c *vex.Component) []string {
	var ids []string
	for _, id := range []string{c.ID, c.Identifiers[vex.PURL]} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// match is how well an identifier fits a component.
type match int

const (
	noMatch match = iota
	loose         // the same package, and the version or a qualifier can't be told to be the same
	exact
)

// matchIDs is the best match of identifiers and a component.
func matchIDs(ids []string, c *sbom.Component) match {
	best := noMatch
	for _, id := range ids {
		best = max(best, matchID(id, c))
	}
	return best
}

func matchID(id string, c *sbom.Component) match {
	key, version := sbom.KeyOf(id)
	if key == "" {
		if id == c.Name && c.Name != "" || id == c.PURL && c.PURL != "" || c.Version != "" && id == c.Name+"@"+c.Version {
			return exact
		}
		return noMatch
	}
	ownKey, ownVersion := sbom.KeyOf(c.PURL)
	if ownKey != key {
		return noMatch
	}
	if purlMatches(id, c.PURL) {
		return exact
	}
	if ownVersion == "" {
		ownVersion = c.Version
	}
	kind := kindOfKey(key)
	if version != "" && ownVersion != "" {
		if order, known := sbom.Compare(kind, version, ownVersion); known && order != 0 {
			return noMatch
		}
	}
	return loose
}

// purlMatches reports whether all that the first purl says is true of the second;
// a panic of the library is a no.
func purlMatches(stated, actual string) (matches bool) {
	guarded("", func() error { matches = vex.PurlMatches(stated, actual); return nil })
	return matches
}
