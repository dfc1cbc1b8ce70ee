package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"assay/internal/strictjson"
)

// refused finds out what is wrong with a document that can't be decoded, and err
// says why: all for which it is refused, and what can be judged without that. So
// one wrong field hides no other, and a document is mended in one go.
func (l *linter) refused(place Place, data []byte, err error) []Finding {
	text, nulls := withoutNulls(data)
	for _, null := range nulls {
		l.refuse(screenProblem(null), true)
	}
	form := form{string(place.Kind), int(place.Limit())}
	into := place.empty()
	if into == nil {
		return l.refusedAtOnce(err, text, nulls)
	}
	tree, p := form.tree(text)
	if p != nil {
		return l.refusedAtOnce(p, text, nulls)
	}
	unknown, found := form.violations(tree, into)
	for _, v := range found {
		l.refuse(v.problem, v.useless)
	}
	l.unknown(unknown)
	if l.faults.at("") {
		return arrange(l.findings, text)
	}
	for _, v := range found {
		if v.useless {
			remove(tree, v.location)
		}
	}
	if readRest(tree, into) == nil {
		l.rest(place, into)
	}
	return arrange(l.findings, text)
}

// refusedAtOnce is for what is no document of its kind: nothing else is known of
// it. Where it is not JSON either, the line is the one at which that shows.
func (l *linter) refusedAtOnce(err error, text []byte, nulls []*strictjson.Error) []Finding {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		p = malformed("", "a document", quote(err.Error()))
	}
	l.refuse(p, true)
	screened, ok := errors.AsType[*strictjson.Error](screenDocument(text))
	if !ok {
		return arrange(l.findings, text)
	}
	for i := range l.findings {
		for _, e := range append(nulls, screened) {
			if l.findings[i].Field == e.Path {
				l.findings[i].Line = lineAt(text, int(e.Offset))
			}
		}
	}
	return l.findings
}

// withoutNulls returns the document with an empty text in place of each null, up
// to as many as are shown, so that all else keeps its offset; and where they are.
func withoutNulls(data []byte) (text []byte, nulls []*strictjson.Error) {
	text = data
	for range maxShown {
		e, ok := errors.AsType[*strictjson.Error](screenDocument(text))
		if !ok || !errors.Is(e, strictjson.ErrNull) {
			break
		}
		if len(nulls) == 0 {
			text = bytes.Clone(data)
		}
		copy(text[e.Offset:], `""  `)
		nulls = append(nulls, e)
	}
	return text, nulls
}

// refuse reports a problem for which a document is refused.
func (l *linter) refuse(p *problem, useless bool) {
	if p == nil {
		return
	}
	rule, mend := refusal(p)
	l.report(rule, p.Field, p.Expected, p.Found, mend)
	l.faults.add(p.Field, useless)
}

// refusal is the rule of a problem, and what it means.
func refusal(p *problem) (rule, mend string) {
	for _, kind := range []struct {
		err        error
		rule, mend string
	}{
		{ErrBinding, "document.binding", "a document speaks for the path that it lies at, and for no other"},
		{ErrSchema, "document.schema", "name the schema of what the document is"},
		{ErrSchemaVersion, "document.schema", "a newer assay may know it"},
	} {
		if errors.Is(p, kind.err) {
			return kind.rule, kind.mend
		}
	}
	return "document.malformed", "assay refuses the whole document for it"
}

// rest judges what is left of a document when what can't be read is taken away.
func (l *linter) rest(place Place, doc any) {
	report := func(p *problem) {
		// Where a file must lie follows from the names.
		lost := l.faults.at("product") || l.faults.at("version")
		if p != nil && !(lost && errors.Is(p, ErrBinding)) {
			l.refuse(p, true)
		}
	}
	switch d := doc.(type) {
	case *Release:
		l.complete(d).check(place.Product, place.Version, report)
	case *Channel:
		d.check(place.Product, place.Channel, report)
	case *Catalog:
		d.check(report)
	case *Mirrors:
		d.check(report)
	}
	l.document(doc)
}

// complete is a release without what rests on lengths and digests that can't be
// read: pieces, and that one target is the same for all platforms.
func (l *linter) complete(r *Release) *Release {
	clone := *r
	clone.Artifacts = nil
	for i, a := range r.Artifacts {
		if l.faults.within(at("artifacts", i, "length")) || l.faults.within(at("artifacts", i, "pieces")) {
			a.Pieces = nil
		}
		if l.faults.within(at("artifacts", i, "length")) || l.faults.within(at("artifacts", i, "digests")) {
			a.Target = ""
		}
		clone.Artifacts = append(clone.Artifacts, a)
	}
	return &clone
}

// empty is the Go type of a document of the kind; nil for the zero Place.
func (p Place) empty() any {
	switch p.Kind {
	case KindCatalog:
		return new(Catalog)
	case KindMirrors:
		return new(Mirrors)
	case KindChannel:
		return new(Channel)
	case KindRelease:
		return new(Release)
	}
	return nil
}

// remove takes a value out of a tree. In a list a null stays in its place, which
// the decoding passes over.
func remove(tree any, location []string) {
	last := len(location) - 1
	switch holder := lookup(tree, location[:last]).(type) {
	case map[string]any:
		delete(holder, location[last])
	case []any:
		if i, err := strconv.Atoi(location[last]); err == nil && i >= 0 && i < len(holder) {
			holder[i] = nil
		}
	}
}

func readRest(tree map[string]any, into any) error {
	text, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// faults are the fields for which a document is refused, spelled as fieldPath
// does: true where the value can't be read, false where only its parts are wrong.
type faults struct {
	fields  map[string]bool
	holders map[string]bool // what holds one of them, "" among them
}

func (f *faults) add(field string, useless bool) {
	if f.fields == nil {
		f.fields, f.holders = map[string]bool{}, map[string]bool{}
	}
	f.fields[field] = f.fields[field] || useless
	for holder := field; holder != ""; {
		holder = parentOf(holder)
		f.holders[holder] = true
	}
}

// at reports whether the field is refused, or is part of what can't be read.
func (f *faults) at(field string) bool {
	if _, ok := f.fields[field]; ok {
		return true
	}
	for holder := field; holder != ""; {
		holder = parentOf(holder)
		if f.fields[holder] {
			return true
		}
	}
	return false
}

// within reports whether the field or anything in it is refused.
func (f *faults) within(field string) bool { return f.at(field) || f.holders[field] }
