package main

import (
	"fmt"
	"slices"
	"strings"

	"assay/internal/config"
	"assay/trust"
)

// agreement makes the map of the repositories that must agree from the
// configuration. One that is not known would never agree: it is an error with
// the next step, before anything is asked.
func (s *session) agreement() (*trust.Map, error) {
	var mappings []trust.Mapping
	for i, a := range s.config.Agreements {
		for _, name := range a.Repositories {
			if _, err := s.find(name); err != nil {
				return nil, withHint(usagef("%s: agreement.%d.repositories: no repository is called %q%s", a.OriginOf("repositories"), i+1, clip(name), didYouMean(config.Nearest(name, s.names()))),
					"`assay trust add "+name+" URL --root-sha256 HEX` adds it; `assay trust list` lists those there are")
			}
		}
		mappings = append(mappings, trust.Mapping{Paths: a.Paths, Repositories: a.Repositories, Threshold: a.Threshold, Terminating: a.Terminating})
	}
	return trust.NewMap(mappings)
}

func (s *session) names() []string {
	var names []string
	for _, r := range s.repositories {
		names = append(names, r.name)
	}
	return names
}

// withPartners adds to some repositories those that may have a say in what they
// promise: all of the map, as a mapping that lists none of them can still object.
// Of none, which stands for all, nothing is missing.
func withPartners(names []string, agree *trust.Map) []string {
	if len(names) == 0 {
		return nil
	}
	all := slices.Clone(names)
	for _, mapping := range agree.Mappings() {
		all = append(all, mapping.Repositories...)
	}
	return all
}

// agreementDoc is one agreement, for JSON.
type agreementDoc struct {
	Paths        []string `json:"paths"`
	Repositories []string `json:"repositories"` // the first is the one whose channels count
	Threshold    int      `json:"threshold"`
	Terminating  bool     `json:"terminating"`
	Origin       string   `json:"origin"`
	Missing      []string `json:"missing,omitempty"` // those that are not trusted yet
}

// agreements are those that the configuration asks for, or, with a name, those
// that the repository takes part in.
func (s *session) agreements(name string) []agreementDoc {
	docs := []agreementDoc{}
	for _, a := range s.config.Agreements {
		if name != "" && !slices.Contains(a.Repositories, name) {
			continue
		}
		doc := agreementDoc{Paths: a.Paths, Repositories: a.Repositories, Threshold: a.Threshold, Terminating: a.Terminating, Origin: a.Origin.String()}
		for _, repository := range a.Repositories {
			if !slices.Contains(s.names(), repository) {
				doc.Missing = append(doc.Missing, repository)
			}
		}
		docs = append(docs, doc)
	}
	return docs
}

// partners is like "2 of acme, approvals".
func (d agreementDoc) partners() string {
	text := fmt.Sprintf("%d of %s", d.Threshold, strings.Join(d.Repositories, ", "))
	if len(d.Missing) > 0 {
		text += " (not trusted yet: " + strings.Join(d.Missing, ", ") + ")"
	}
	return text
}

// otherwise is what comes of a target on which they do not agree.
func (d agreementDoc) otherwise() string {
	if d.Terminating {
		return "refused"
	}
	return "the next is asked"
}

// part is the part that a repository has in the agreement.
func (d agreementDoc) part(name string) string {
	if d.Repositories[0] == name {
		return "publishes"
	}
	return "approves"
}

// tableOf lists agreements, in the order in which they are asked.
func (a *app) tableOf(docs []agreementDoc) {
	var rows [][]string
	for _, d := range docs {
		rows = append(rows, []string{strings.Join(d.Paths, ", "), d.partners(), d.otherwise(), d.Origin})
	}
	a.out.table([]string{"PATHS", "MUST AGREE", "OTHERWISE", "FROM"}, rows)
}
