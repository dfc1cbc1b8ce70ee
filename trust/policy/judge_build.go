package policy

import (
	"fmt"
	"slices"

	"assay/trust/provenance"
)

// word is what a provenance says, and why it counts.
type word struct {
	vouched             bool // the signer may speak for the builder
	builder             string
	source, ref         string
	level               int
	signer              string
	fromCertificateOnly bool
}

// build gives the outcome of one of the demands on a provenance.
func (j *judgement) build(r *rule, id string) []outcome {
	outcomes, told := j.told[r]
	if !told {
		outcomes = j.best(r)
		j.told[r] = outcomes
	}
	if o, asked := outcomes[id]; asked {
		return []outcome{o}
	}
	return nil
}

// best gives the outcomes of all demands that a rule has on a provenance, by id.
// They are those of one provenance, which is the one that meets most of them:
// what two say never adds up.
func (j *judgement) best(r *rule) map[string]outcome {
	asked := demands(r)
	best, most := map[string]outcome{}, -1
	for _, d := range asked {
		best[d.id] = outcome{expected: d.expected, found: "no provenance"}
	}
	if len(asked) == 0 {
		return best
	}
	for _, sig := range j.builds() {
		w := j.policy.word(r, sig)
		outcomes, met := map[string]outcome{}, 0
		for _, d := range asked {
			o := d.judge(w)
			if o.ok {
				met++
			}
			outcomes[d.id] = o
		}
		if met > most {
			best, most = outcomes, met
		}
	}
	return best
}

// demand is one that a rule has on a provenance.
type demand struct {
	id       string
	expected string
	meets    func(word) bool
	tells    func(word) string
}

func demands(r *rule) []demand {
	var list []demand
	add := func(id, what string, patterns []provenance.Pattern, of func(word) string) {
		if patterns == nil {
			return
		}
		list = append(list, demand{
			id: id, expected: what + " " + toldPatterns(patterns),
			meets: func(w word) bool {
				return of(w) != "" && slices.ContainsFunc(patterns, func(p provenance.Pattern) bool { return p.MatchString(of(w)) })
			},
			tells: func(w word) string {
				if of(w) == "" {
					return "none"
				}
				return quote(of(w))
			},
		})
	}
	add(IDBuilder, "builder", r.Builder, func(w word) string { return w.builder })
	add(IDSource, "source", r.Source, func(w word) string { return w.source })
	add(IDRef, "ref", r.Ref, func(w word) string { return w.ref })
	if r.SLSALevel != nil {
		least := *r.SLSALevel
		list = append(list, demand{
			id: IDSLSA, expected: fmt.Sprintf("SLSA build level %d or higher, by the table of builders", least),
			meets: func(w word) bool { return w.level >= least },
			tells: func(w word) string {
				return fmt.Sprintf("level %d for builder %s, signed by %s", w.level, quote(w.builder), quote(w.signer))
			},
		})
	}
	return list
}

func (d demand) judge(w word) outcome {
	o := outcome{ok: w.vouched && d.meets(w), expected: d.expected, found: d.tells(w)}
	switch {
	case !w.vouched:
		o.why = fmt.Sprintf("nothing says that the signer %s may speak for the builder %s: neither the rule's signers nor the table of builders names it", quote(w.signer), quote(w.builder))
	case w.fromCertificateOnly && (d.id == IDSource || d.id == IDRef):
		o.why = "as the certificate of the builder says"
	}
	return o
}

// word tells what of a provenance counts for a rule. Anyone can sign a statement
// that names any builder, so the signer must be one that the rule names, or be
// paired with the builder by the table. Otherwise the builder must be the signer
// itself, by its certificate; then source and ref count only as far as that
// certificate has the same, as nobody but the issuer of the certificate is
// known to tell the truth.
func (p *Policy) word(r *rule, sig *Signature) word {
	said := sig.Provenance
	w := word{builder: said.Builder, source: said.Source.Repository, ref: said.Source.Ref, level: p.SLSALevel(*sig), signer: sig.Signer.ID()}
	if w.vouched = names(r.Signers, sig) || w.level > 0; w.vouched {
		return w
	}
	certificate := sig.Signer.Certificate
	if certificate == nil || said.Builder == "" || sig.Signer.Identity != said.Builder {
		return w
	}
	w.vouched, w.fromCertificateOnly = true, true
	if w.source != certificate.SourceRepository {
		w.source = ""
	}
	if w.ref != certificate.SourceRef {
		w.ref = ""
	}
	return w
}

func toldPatterns(patterns []provenance.Pattern) string {
	var texts []string
	for _, p := range patterns {
		texts = append(texts, p.String())
	}
	return several(texts)
}
