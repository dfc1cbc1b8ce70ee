package advisory

import (
	"fmt"
	"slices"
	"strings"

	"assay/trust/sbom"
)

// Set is the advisories of several documents, indexed. It does not change once it
// is made; several goroutines may ask it at once.
type Set struct {
	names      []string
	records    []indexed
	statements []stated

	byKey  map[string][]place // purls' keys → packages of records
	byName map[string][]place // names → packages of records

	byProduct map[string][]int // purls' keys and other identifiers → statements about them
	named     map[string][]int // ids and aliases → the records that have them
}

// indexed is a record and the document it stands in.
type indexed struct {
	*record
	source string
}

// stated likewise, with the rank of the document: 0 is the first.
type stated struct {
	*statement
	source string
	rank   int
}

// place is a package of a record.
type place struct{ record, affected int32 }

// NewSet indexes documents, in the order of their rank: the statements of one are
// heard before those of all behind it. The error wraps ErrTooLarge where they have
// more than MaxRecords together. No documents make a Set that finds nothing.
func NewSet(docs ...*Document) (*Set, error) {
	s := &Set{
		byKey: map[string][]place{}, byName: map[string][]place{},
		byProduct: map[string][]int{}, named: map[string][]int{},
	}
	total := 0
	for rank, doc := range docs {
		s.names = append(s.names, doc.Name)
		if total += doc.Records; total > MaxRecords {
			return nil, wrong(ErrTooLarge, "advisories together", fmt.Sprintf("at most %d records", MaxRecords), "more")
		}
		for i := range doc.records {
			s.addRecord(&doc.records[i], doc.Name)
		}
		for i := range doc.statements {
			s.addStatement(&doc.statements[i], doc.Name, rank)
		}
	}
	return s, nil
}

// Names are those of the documents, in their order.
func (s *Set) Names() []string { return slices.Clone(s.names) }

func (s *Set) addRecord(r *record, source string) {
	number := len(s.records)
	s.records = append(s.records, indexed{r, source})
	for _, name := range r.names() {
		s.named[name] = append(s.named[name], number)
	}
	for i := range r.affected {
		at := place{int32(number), int32(i)}
		for _, key := range r.affected[i].keys {
			s.byKey[key] = append(s.byKey[key], at)
		}
		if name := r.affected[i].name; name != "" {
			s.byName[name] = append(s.byName[name], at)
		}
	}
}

func (s *Set) addStatement(st *statement, source string, rank int) {
	number := len(s.statements)
	s.statements = append(s.statements, stated{st, source, rank})
	seen := map[string]bool{}
	for _, p := range st.products {
		for _, id := range p.ids {
			if term := indexTerm(id); !seen[term] {
				seen[term] = true
				s.byProduct[term] = append(s.byProduct[term], number)
			}
		}
	}
}

// indexTerm is what an identifier of a VEX document is indexed under.
func indexTerm(id string) string {
	if key, _ := sbom.KeyOf(id); key != "" {
		return "pkg:" + key
	}
	return id
}

// indexTerms are all that identifiers of a component may be indexed under.
func indexTerms(c *sbom.Component) []string {
	var terms []string
	if key, _ := sbom.KeyOf(c.PURL); key != "" {
		terms = append(terms, "pkg:"+key)
	} else if c.PURL != "" {
		terms = append(terms, c.PURL)
	}
	if terms = append(terms, c.Name); c.Version != "" {
		terms = append(terms, c.Name+"@"+c.Version)
	}
	return terms
}

// Len is the number of records and statements.
func (s *Set) Len() int { return len(s.records) + len(s.statements) }

func kindOfKey(key string) string {
	kind, _, _ := strings.Cut(key, "/")
	return kind
}
