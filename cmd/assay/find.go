package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/trust/advisory"
	"assay/trust/provenance"
	"assay/trust/sbom"
)

const (
	flagRevision = "revision"
	flagBuilder  = "builder"
	flagSigner   = "signer"
	flagLicense  = "license"
)

func findCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "find",
		Usage:     "which held artifacts have a component, a builder, a licence",
		ArgsUsage: "[COMPONENT[@RANGE]]",
		Description: "Looks through what is known of the artifacts in the cache: their components from\n" +
			"manifests and bills of materials, their builds and signatures as they were when\n" +
			"they were proven. It makes no request. A COMPONENT is a name, the last part of\n" +
			"one, or a purl without a version; a RANGE is like 1.2.3, ^1.4 or '>=1 <1.8'. A\n" +
			"version that can't be compared with it counts as meant, and is marked with a ?.\n" +
			"A BUILDER or SIGNER is exact, a glob or /an expression/. Where more than one\n" +
			"thing is asked for, all of it must hold. Where [[advisories]] are configured, it\n" +
			"tells which of the components they speak of." +
			examples(
				"assay find 'log4j-core@<2.17.1'",
				"assay find 'pkg:golang/golang.org/x/text@<0.3.8' --json",
				"assay find --license GPL-3.0-only",
				"assay find --signer 'https://github.com/acme/tool/**'",
				"assay find --revision 0a1b2c3d",
				"assay find --advisory CVE-2026-1234     or any: what has known faults"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagRevision, Usage: "built from a revision that begins with `HEX`, at least 7 digits"},
			&cli.StringFlag{Name: flagBuilder, Usage: "built by `BUILDER`"},
			&cli.StringFlag{Name: flagSigner, Usage: "signed by `SIGNER`"},
			&cli.StringFlag{Name: flagLicense, Usage: "under the licence `ID`: the component, or else the artifact or any component"},
			&cli.StringFlag{Name: flagAdvisory, Usage: "with a component that the advisory `ID` speaks of; any: that any does"},
		},
		Action: a.find,
	}
}

type findDoc struct {
	// Unknown counts the held artifacts of which nothing is known: they may match.
	Unknown int         `json:"unknown"`
	Matches []*foundDoc `json:"matches"`
}

type foundDoc struct {
	Digest     artifact.Digest `json:"digest"`
	Repository string          `json:"repository,omitempty"`
	Target     string          `json:"target,omitempty"`
	Product    string          `json:"product,omitempty"`
	Version    string          `json:"version,omitempty"`
	Platform   string          `json:"platform,omitempty"`
	Builder    string          `json:"builder,omitempty"`
	Source     string          `json:"source,omitempty"`
	Revision   string          `json:"revision,omitempty"`
	Signers    []string        `json:"signers,omitempty"`
	License    string          `json:"license,omitempty"`
	Components []foundPart     `json:"components"` // those that were asked for
}

type foundPart struct {
	sbom.Component
	Compared bool `json:"compared"` // false: the version can't be compared with the range
	// Advisories say that the component is affected, or may be.
	Advisories []advisory.Finding `json:"advisories,omitempty"`
}

func (a *app) find(c *cli.Context) error {
	args, err := operands(c, 0, 1)
	if err != nil {
		return err
	}
	query, component, err := findQuery(c, args)
	if err != nil {
		return err
	}
	s, err := a.findStore(c)
	if err != nil {
		return err
	}
	set, err := a.findAdvisories(c, s)
	if err != nil {
		return err
	}
	id := c.String(flagAdvisory)
	if id != "" {
		keepAffected(&query, set, id)
	}
	doc := findDoc{Matches: []*foundDoc{}}
	for match, err := range s.cache.Find(c.Context, query) {
		if err != nil {
			return err
		}
		if found := newFoundDoc(match, component); set == nil || found.addAdvisories(set, id) {
			doc.Matches = append(doc.Matches, found)
		}
	}
	if doc.Unknown, err = undescribed(c, s); err != nil {
		return err
	}
	a.printFound(doc, query)
	return a.out.result("find", doc)
}

// findQuery is the question of the command line, and its part about a component;
// nil: it has none.
func findQuery(c *cli.Context, args []string) (q cache.Query, component *sbom.Query, err error) {
	if q.Revision = c.String(flagRevision); c.IsSet(flagRevision) && !isRevision(q.Revision) {
		return q, nil, usagef("--revision: expected at least %d hex digits, found %q", leastRevision, clip(q.Revision))
	}
	if len(args) > 0 {
		asked, err := sbom.ParseQuery(args[0])
		if err != nil {
			return q, nil, err
		}
		component, q.Name = &asked, asked.Name()
		q.Keep = func(part cache.Component) bool {
			matches, _ := asked.Matches(componentOf(part))
			return matches
		}
	}
	for name, into := range map[string]*func(string) bool{flagBuilder: &q.Builder, flagSigner: &q.Signer} {
		if text := c.String(name); text != "" {
			pattern, err := provenance.ParsePattern(text)
			if err != nil {
				return q, nil, usagef("--%s: %v", name, err)
			}
			*into = pattern.MatchString
		}
	}
	if id := c.String(flagLicense); id != "" {
		q.License = func(expression string) bool {
			return slices.ContainsFunc(sbom.Licenses(expression), func(each string) bool {
				return sbom.ParseExpression(each).Satisfies([]string{id})
			})
		}
	}
	if len(args) == 0 && c.NumFlags() == 0 {
		return q, nil, usagef("expected a component, or one of --%s, --%s, --%s, --%s, --%s", flagRevision, flagBuilder, flagSigner, flagLicense, flagAdvisory)
	}
	return q, component, nil
}

// leastRevision is how many digits of a revision the cache asks for: fewer are of
// too many.
const leastRevision = 7

func isRevision(text string) bool {
	return len(text) >= leastRevision && strings.Trim(strings.ToLower(text), "0123456789abcdef") == ""
}

func componentOf(part cache.Component) sbom.Component {
	return sbom.Component{Name: part.Name, Version: part.Version, PURL: part.PURL, License: part.License}
}

func newFoundDoc(m cache.Match, asked *sbom.Query) *foundDoc {
	doc := &foundDoc{
		Digest: m.Digest, Repository: m.Repository, Target: m.Target, Product: m.Product, Version: m.Version, Platform: m.Platform,
		Builder: m.Builder, Source: m.Source, Revision: m.Revision, Signers: slices.Compact(slices.Sorted(slices.Values(m.Signers))), License: m.License, Components: []foundPart{},
	}
	for _, part := range m.Matched {
		found := foundPart{Component: componentOf(part), Compared: true}
		if asked != nil {
			_, found.Compared = asked.Matches(found.Component)
		}
		doc.Components = append(doc.Components, found)
	}
	return doc
}

// undescribed counts the artifacts that were got by product, and of which nothing
// is known.
func undescribed(c *cli.Context, s *session) (int, error) {
	entries, err := s.cache.List(c.Context)
	if err != nil {
		return 0, err
	}
	var digests []artifact.Digest
	for _, e := range entries {
		if slices.ContainsFunc(e.Names, func(n cache.Name) bool { return n.Product != "" && n.Platform != "" }) {
			digests = append(digests, e.Digest)
		}
	}
	unknown, err := s.cache.Undescribed(c.Context, digests)
	return len(unknown), err
}

// matched is what of an artifact is as it was asked for, in few words.
func (d *foundDoc) matched(q cache.Query) string {
	var parts []string
	for _, part := range d.Components {
		text := strings.TrimSpace(part.Name + " " + part.Version)
		if !part.Compared {
			text += "?"
		}
		if len(part.Advisories) > 0 {
			text += " (" + advisoryText(part.Advisories) + ")"
		}
		parts = append(parts, text)
	}
	if q.License != nil && q.Name == "" && q.License(d.License) {
		parts = append(parts, "under "+d.License)
	}
	if q.Builder != nil {
		parts = append(parts, "built by "+d.Builder)
	}
	if q.Revision != "" {
		parts = append(parts, "from "+d.Revision)
	}
	if q.Signer != nil {
		parts = append(parts, "signed by "+strings.Join(slices.DeleteFunc(slices.Clone(d.Signers), func(s string) bool { return !q.Signer(s) }), " and "))
	}
	return strings.Join(parts, ", ")
}

func (a *app) printFound(doc findDoc, q cache.Query) {
	var rows [][]string
	for _, m := range doc.Matches {
		what := strings.Join(strings.Fields(m.Product+" "+m.Version+" "+m.Platform), " ")
		if what == "" {
			what = m.Target
		}
		if m.Repository != "" {
			what = m.Repository + ":" + what
		}
		rows = append(rows, []string{short(m.Digest.Hex()), what, m.matched(q)})
	}
	if len(rows) == 0 {
		a.out.talk("no held artifact matches")
	} else {
		a.out.table([]string{"DIGEST", "ARTIFACT", "MATCHED"}, rows)
	}
	if doc.Unknown > 0 {
		a.out.warn("nothing is known of %d held artifacts; `assay verify --held` finds out", doc.Unknown)
	}
}
