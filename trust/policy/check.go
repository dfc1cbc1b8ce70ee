package policy

import (
	"fmt"
	"slices"
	"strings"

	"assay/trust/provenance"
	"assay/trust/sbom"
)

// statuses are those that a rule may accept. A revoked release is refused
// whatever the rules say, and none may accept it.
var statuses = []string{"current", "superseded", "deprecated"}

// fault is what is wrong with a field; nil is nothing.
type fault struct{ field, detail string }

func faultf(field, format string, args ...any) *fault {
	return &fault{field, fmt.Sprintf(format, args...)}
}

// first is the first fault that some checks find.
func first(checks ...func() *fault) *fault {
	for _, check := range checks {
		if found := check(); found != nil {
			return found
		}
	}
	return nil
}

// check refuses a rule that contradicts itself, that asks for nothing, or that
// would let pass what whoever wrote it thinks it keeps out.
func (r *Rule) check() *fault {
	if r.asksNothing() {
		return faultf("", "expected something that is asked for, found none: a rule without it keeps nothing out")
	}
	return first(
		r.checkRequire, r.checkSigners,
		func() *fault { return checkPatterns("builder", r.Builder, urlStrangers) },
		func() *fault { return checkPatterns("source", r.Source, urlStrangers) },
		func() *fault { return checkPatterns("ref", r.Ref, refStrangers) },
		func() *fault {
			if r.SLSALevel == nil {
				return nil
			}
			return checkLevel("slsa_level", *r.SLSALevel)
		},
		r.checkRebuilders, r.checkLicenses, r.checkComponents, r.checkAdvisories, r.checkAges, r.checkStatuses,
	)
}

func (r *Rule) asksNothing() bool {
	return r.Require == nil && r.Signers == nil && r.Threshold == nil && r.Builder == nil && r.Source == nil && r.Ref == nil &&
		r.SLSALevel == nil && r.Rebuilders == nil && r.Licenses == nil && r.Components == nil && r.Advisories == "" &&
		r.MinAge == nil && r.MaxAge == nil && r.MaxBuildAge == nil && r.Statuses == nil
}

func (r *Rule) checkRequire() *fault {
	known := []Kind{KindSignature, KindProvenance, KindSBOM, KindAgreement}
	return checkWords("require", r.Require, known)
}

func (r *Rule) checkStatuses() *fault {
	if i := slices.Index(r.Statuses, "revoked"); i >= 0 {
		return faultf(at("statuses", i), "a revoked release is always refused: expected some of %s", list(statuses))
	}
	return checkWords("statuses", r.Statuses, statuses)
}

func (r *Rule) checkAdvisories() *fault {
	if r.Advisories != "" && r.Advisories != Deny && r.Advisories != Warn {
		return faultf("advisories", "expected %s or %s, found %s", Deny, Warn, quote(string(r.Advisories)))
	}
	return nil
}

func (r *Rule) checkSigners() *fault {
	if r.Signers == nil {
		if r.Threshold != nil {
			return faultf("threshold", "expected signers with it, found none")
		}
		return nil
	}
	if found := checkIdentities("signers", r.Signers); found != nil {
		return found
	}
	if n := r.threshold(); n < 1 || n > len(r.Signers) {
		return faultf("threshold", "expected 1 to %d, the number of signers, found %d", len(r.Signers), n)
	}
	return nil
}

func (r *Rule) checkRebuilders() *fault {
	if r.Rebuilders == nil {
		return nil
	}
	if found := checkIdentities("rebuilders.of", r.Rebuilders.Of); found != nil {
		return found
	}
	if n := r.Rebuilders.Need; n < 1 || n > len(r.Rebuilders.Of) {
		return faultf("rebuilders.need", "expected 1 to %d, the number of rebuilders, found %d", len(r.Rebuilders.Of), n)
	}
	return nil
}

func (r *Rule) checkLicenses() *fault {
	if r.Licenses == nil {
		return nil
	}
	allow, deny := r.Licenses.Allow, r.Licenses.Deny
	if allow == nil && deny == nil {
		return faultf("licenses", "expected allow or deny, found neither")
	}
	for _, one := range []struct {
		field string
		ids   []string
	}{{"licenses.allow", allow}, {"licenses.deny", deny}} {
		if one.ids == nil {
			continue
		}
		if found := checkTexts(one.field, one.ids); found != nil {
			return found
		}
		for i, id := range one.ids {
			if !isLicenseID(id) {
				return faultf(at(one.field, i), "expected the SPDX id of a licence, as MIT, found %s", quote(id))
			}
		}
	}
	for i, id := range allow {
		if sbom.ParseExpression(id).Mentions(deny) {
			return faultf(at("licenses.allow", i), "%s is denied, too", quote(id))
		}
	}
	return nil
}

// isLicenseID takes an id of the SPDX list, a LicenseRef, and either with an
// exception behind WITH: what one licence of an expression can equal.
func isLicenseID(text string) bool {
	id, exception, _ := strings.Cut(text, " WITH ")
	one := len(strings.Fields(id)) == 1 && len(strings.Fields(exception)) <= 1
	return one && !strings.ContainsAny(text, "()") && !strings.HasPrefix(text, "-") && sbom.ParseExpression(text).Valid()
}

func (r *Rule) checkComponents() *fault {
	if r.Components == nil {
		return nil
	}
	return checkTexts("components.deny", r.Components.Deny)
}

// compile reads the components that are denied.
func (r *rule) compile() *fault {
	if r.Components == nil {
		return nil
	}
	for i, text := range r.Components.Deny {
		query, err := sbom.ParseQuery(text)
		if err != nil {
			return faultf(at("components.deny", i), "%v", err)
		}
		r.denied = append(r.denied, query)
	}
	return nil
}

func (r *Rule) checkAges() *fault {
	for _, one := range []struct {
		field string
		age   *Span
	}{{"min_age", r.MinAge}, {"max_age", r.MaxAge}, {"max_build_age", r.MaxBuildAge}} {
		if one.age != nil && (*one.age <= 0 || *one.age > MaxSpan) {
			return faultf(one.field, "expected a duration above 0, at most 100 years, found %d ns", *one.age)
		}
	}
	if r.MinAge != nil && r.MaxAge != nil && *r.MinAge > *r.MaxAge {
		return faultf("min_age", "expected at most %s, the max_age, found %s", r.MaxAge, r.MinAge)
	}
	return nil
}

// check refuses an entry of the table of builders that would give a level to
// everyone.
func (b *Builder) check() *fault {
	return first(
		func() *fault { return checkPattern("builder", b.Builder, urlStrangers) },
		func() *fault { return checkIdentity("signer", b.Signer) },
		func() *fault { return checkLevel("level", b.Level) },
	)
}

func checkLevel(field string, level int) *fault {
	if level < 1 || level > MaxLevel {
		return faultf(field, "expected 1 to %d, found %d", MaxLevel, level)
	}
	return nil
}

func checkIdentities(field string, identities []provenance.Identity) *fault {
	if n := len(identities); n == 0 || n > MaxList {
		return faultf(field, "expected 1 to %d, found %d", MaxList, n)
	}
	seen := map[string]bool{}
	for i, identity := range identities {
		if found := checkIdentity(at(field, i), identity); found != nil {
			return found
		}
		// A key has two spellings of one digest.
		identity.Key = strings.ToLower(identity.Key)
		key := canonical(identity)
		if seen[key] {
			return faultf(at(field, i), "expected each once, found %s twice", quote(identity.String()))
		}
		seen[key] = true
	}
	return nil
}

func checkIdentity(field string, identity provenance.Identity) *fault {
	if err := identity.Check(); err != nil {
		return faultf(field, "%v", err)
	}
	return nil
}
