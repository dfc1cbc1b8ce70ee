package release

import (
	"fmt"
	"time"
)

// Severity says what a finding means for those who install a release.
type Severity string

// The severities.
const (
	// SeverityError: consumers need it, and it is missing or wrong.
	SeverityError Severity = "error"
	// SeverityWarning: consumers can live with it, but would do better.
	SeverityWarning Severity = "warning"
)

// maxShown is how many findings of one rule a report lists; the last of them
// counts the others. A list of 20,000 components, each without a version, is not
// made clearer by as many lines.
const maxShown = 25

// Finding is one lack of a document.
type Finding struct {
	Field    string   `json:"field"`          // like artifacts[2].digests; empty for the document as a whole
	Line     int      `json:"line,omitempty"` // where the field stands, or what should hold it; 0: not known
	Rule     string   `json:"rule"`           // the ID of one of Rules
	Severity Severity `json:"severity"`
	// Message says what is expected, what was found and how to mend it, on one
	// line. Text of the document in it is quoted and clipped.
	Message string `json:"message"`
	// More counts the findings of the same rule that are left out behind this one.
	More int `json:"more,omitempty"`
}

// Report is what Lint found out about one document.
type Report struct {
	Place    Place     // zero where the document does not say what it is
	Findings []Finding // in the order of the document, from top to bottom

	// At most one of these is set: the document, where it could be decoded.
	Release *Release
	Channel *Channel
	Catalog *Catalog
	Mirrors *Mirrors
}

// Add puts findings from elsewhere (LintChecksums, LintPromises) where they
// belong in the document.
func (r *Report) Add(findings ...Finding) {
	r.Findings = arrange(append(r.Findings, findings...), r.raw())
}

// Count is how many findings there are of each severity, those that are left
// out included.
func (r *Report) Count() (errs, warnings int) {
	for _, f := range r.Findings {
		if f.Severity == SeverityError {
			errs += 1 + f.More
		} else {
			warnings += 1 + f.More
		}
	}
	return errs, warnings
}

func (r *Report) raw() []byte {
	switch {
	case r.Release != nil:
		return r.Release.raw
	case r.Channel != nil:
		return r.Channel.raw
	case r.Catalog != nil:
		return r.Catalog.raw
	case r.Mirrors != nil:
		return r.Mirrors.raw
	}
	return nil
}

// Lint checks the document that lies, or is meant to lie, at a place: whether it
// can be decoded at all, and whether it says everything that its readers need.
// A document that can't be decoded has a finding for each field for which it is
// refused, and those of the rules that can be judged without these fields; where
// it is not even JSON of its kind, only the one for that. now is what "in the
// future" and "too old" are judged at.
//
// Lint finds no errors in a document that is complete; that what it says is
// true, nobody can find out from it alone.
func Lint(place Place, data []byte, now time.Time) Report {
	report := Report{Place: place}
	l := &linter{now: now}
	err := report.decode(data)
	if err != nil {
		report.Findings = l.refused(place, data, err)
		return report
	}
	switch {
	case report.Release != nil:
		l.document(report.Release)
		l.unknown(report.Release.unknown)
	case report.Channel != nil:
		l.document(report.Channel)
		l.unknown(report.Channel.unknown)
	case report.Catalog != nil:
		l.document(report.Catalog)
		l.unknown(report.Catalog.unknown)
	case report.Mirrors != nil:
		l.document(report.Mirrors)
		l.unknown(report.Mirrors.unknown)
	}
	report.Add(l.findings...)
	return report
}

// document runs the rules of a document's kind.
func (l *linter) document(doc any) {
	switch d := doc.(type) {
	case *Release:
		l.release(d)
	case *Channel:
		l.channel(d)
	case *Catalog:
		l.catalog(d)
	case *Mirrors:
		l.mirrors(d)
	}
}

// LintFile is Lint for a document of which only the bytes are known: its place
// is the one that it claims by its schema, product, version and channel.
func LintFile(data []byte, now time.Time) Report {
	text, _ := withoutNulls(data)
	place, err := claimedPlace(text)
	if err != nil {
		return Report{Findings: (&linter{now: now}).refused(Place{}, data, err)}
	}
	return Lint(place, data, now)
}

func (r *Report) decode(data []byte) (err error) {
	switch r.Place.Kind {
	case KindRelease:
		r.Release, err = DecodeRelease(data, r.Place.Product, r.Place.Version)
	case KindChannel:
		r.Channel, err = DecodeChannel(data, r.Place.Product, r.Place.Channel)
	case KindCatalog:
		r.Catalog, err = DecodeCatalog(data)
	case KindMirrors:
		r.Mirrors, err = DecodeMirrors(data)
	default:
		err = &problem{Expected: "the place of a document", Found: "none", Err: ErrSchema}
	}
	return err
}

// linter collects findings.
type linter struct {
	now      time.Time
	findings []Finding
	last     map[string]int // by rule: where its last finding stands
	count    map[string]int
	faults   faults // of a document that can't be decoded
}

// report adds a finding, if it does not rest on a field that can't be read.
// expected, found and mend are words of ours; what they hold of the document is
// quoted.
func (l *linter) report(rule, field, expected, found, mend string) {
	if l.faults.at(field) {
		return
	}
	if l.count == nil {
		l.count, l.last = map[string]int{}, map[string]int{}
	}
	l.count[rule]++
	if l.count[rule] > maxShown {
		l.findings[l.last[rule]].More++
		return
	}
	l.last[rule] = len(l.findings)
	l.findings = append(l.findings, Finding{
		Field: field, Rule: rule, Severity: severityOf(rule),
		Message: fmt.Sprintf("expected %s, found %s; %s", expected, found, mend),
	})
}

func (l *linter) unknown(fields []string) {
	for _, field := range fields {
		l.report("document.unknown-field", field, "a field of the schema", "one that this assay does not know",
			"if it is not from a newer schema, look for a misspelling")
	}
}

// need reports a text that is missing or stands for nothing.
func (l *linter) need(rule, field, value, expected, mend string) bool {
	if isPlaceholder(value) {
		l.report(rule, field, expected, describeText(value), mend)
		return false
	}
	return true
}

// describeText puts a text into a message; an empty one is nothing.
func describeText(text string) string {
	if text == "" {
		return "nothing"
	}
	return quote(text)
}
