package proof_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// never says which results a check can't have, and why.
var never = map[string]map[trust.Result]string{
	trust.CheckAdvisories: {trust.Fail: "it tells; policy.advisories refuses"},
	trust.CheckAge:        {trust.Fail: "it tells; policy.age refuses"},
	policy.IDPolicy: {
		trust.Pass: "where rules apply, each of their demands has an id of its own",
		trust.Fail: "where rules apply, each of their demands has an id of its own",
	},
}

// scene is an artifact for which a check ends in a certain way.
type scene struct {
	id     string
	result trust.Result
	reason error // of a refusal
	play   func(b *bench) proof.Item
}

const tarball = "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"

// of publishes hello 1.4.2, signed as the options say, and judged by the rules.
func of(signing *testrepo.Signing, rules ...policy.Rule) func(*bench) proof.Item {
	return func(b *bench) proof.Item {
		if signing != nil {
			own := *signing // it is written to
			b.release("hello", "1.4.2", &own)
		} else {
			b.release("hello", "1.4.2", nil)
		}
		b.rules = rules
		return b.item("hello", "1.4.2")
	}
}

// after is for what an earlier release leaves in memory.
func after(first, then func(*bench) proof.Item) func(*bench) proof.Item {
	return func(b *bench) proof.Item {
		b.proven(first(b))
		return then(b)
	}
}

// scenes have every result of every check that is made here or by policy.
func scenes(t *testing.T) []scene {
	return slices.Concat(documentScenes(), signatureScenes(t), policyScenes(t))
}

func documentScenes() []scene {
	plain, signed := &testrepo.Signing{Artifacts: testrepo.AsNothing}, &testrepo.Signing{}
	again := func(b *bench) proof.Item { return b.item("hello", "1.4.2") }
	checksums := func(text string) func(*bench) proof.Item {
		return func(b *bench) proof.Item {
			b.release("hello", "1.4.2", nil)
			b.replace("hello/1.4.2/checksums.txt", []byte(text), "hello")
			return b.item("hello", "1.4.2")
		}
	}
	bill := func(r testrepo.Release) func(*bench) proof.Item {
		return func(b *bench) proof.Item {
			r.Product, r.Version = "hello", "1.4.2"
			b.add(r)
			return b.item("hello", "1.4.2")
		}
	}
	published := func(age time.Duration) func(*bench) proof.Item {
		return bill(testrepo.Release{Published: start.Add(-age)})
	}
	older := func(b *bench) proof.Item {
		b.release("hello", "1.4.1", &testrepo.Signing{})
		return b.item("hello", "1.4.1")
	}
	digest := strings.Repeat("ab", 32)
	return []scene{
		{trust.CheckName, trust.Pass, nil, of(nil)},
		{trust.CheckName, trust.NotChecked, nil, func(b *bench) proof.Item {
			b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "raw", File: "hello", Data: []byte("program")}}})
			return b.item("hello", "1.4.2")
		}},
		{trust.CheckName, trust.Fail, proof.ErrDisagree, func(b *bench) proof.Item {
			item := of(nil)(b)
			item.Artifact.Arch = "arm64"
			return item
		}},
		{trust.CheckUnchanged, trust.NotChecked, nil, of(nil)},
		{trust.CheckUnchanged, trust.Pass, nil, after(of(nil), again)},
		{trust.CheckUnchanged, trust.Fail, policy.ErrChanged, after(of(nil), func(b *bench) proof.Item {
			b.swapBytes([]byte("other bytes"))
			return b.item("hello", "1.4.2")
		})},
		{trust.CheckChecksums, trust.Pass, nil, of(nil)},
		{trust.CheckChecksums, trust.Fail, proof.ErrDisagree, checksums(digest + "  hello_1.4.2_linux_amd64.tar.gz\n")},
		{trust.CheckChecksums, trust.NotChecked, nil, checksums(digest + "  else\n")},
		{trust.CheckSBOM, trust.Pass, nil, of(nil)},
		{trust.CheckSBOM, trust.NotChecked, nil, bill(testrepo.Release{Bill: testrepo.NoBill})},
		{trust.CheckSBOM, trust.Fail, proof.ErrDocument, func(b *bench) proof.Item {
			of(nil)(b)
			b.replace("hello/1.4.2/hello_1.4.2_linux_amd64.spdx.json", []byte("{}"), "hello")
			return b.item("hello", "1.4.2")
		}},
		{trust.CheckAdvisories, trust.Pass, nil, advised(unconcerned, of(nil))},
		{trust.CheckAdvisories, trust.NotChecked, nil, advised(osv, of(nil))},
		{trust.CheckAge, trust.Pass, nil, published(time.Hour)},
		{trust.CheckAge, trust.NotChecked, nil, published(-time.Hour)},
		{trust.CheckRatchet, trust.NotChecked, nil, of(plain)},
		{trust.CheckRatchet, trust.Pass, nil, after(older, of(signed))},
		{trust.CheckRatchet, trust.Fail, policy.ErrWeaker, after(older, of(plain))},
	}
}

// swapBytes changes the artifact, and the manifest with it.
func (b *bench) swapBytes(data []byte) {
	b.t.Helper()
	b.replace(tarball, data, "hello")
	b.edit("hello/1.4.2/release.json", func(m map[string]any) {
		delete(m, "checksums")
		entry := m["artifacts"].([]any)[0].(map[string]any)
		entry["length"], entry["digests"] = len(data), map[string]any{"sha256": artifact.DigestOf(artifact.SHA256, data).Hex()}
	})
}

// statement has each statement changed before it is signed.
func statement(t *testing.T, change func(s map[string]any)) *testrepo.Signing {
	return &testrepo.Signing{Change: func(_ string, o *testrepo.BundleOptions) {
		var s map[string]any
		must(t, json.Unmarshal(o.Statement, &s))
		change(s)
		var err error
		o.Statement, err = json.Marshal(s)
		must(t, err)
	}}
}

// sourceless is a provenance that names no source.
func sourceless(t *testing.T) *testrepo.Signing {
	return statement(t, func(s map[string]any) {
		definition := s["predicate"].(map[string]any)["buildDefinition"].(map[string]any)
		delete(definition, "resolvedDependencies")
		definition["externalParameters"] = map[string]any{"what": "all"}
	})
}

func signatureScenes(t *testing.T) []scene {
	evil := testrepo.WorkflowClaims("https://git.example/hello/hello-evil", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	signed, message := &testrepo.Signing{}, &testrepo.Signing{Artifacts: testrepo.AsMessage}
	hello := policy.Rule{Signers: []provenance.Identity{acmeSigner(t, "hello")}}
	stranger := policy.Rule{Signers: []provenance.Identity{{Issuer: pattern(t, testrepo.GitHubIssuer), Subject: pattern(t, evil.Identity)}}}
	forged := &testrepo.Signing{Change: func(_ string, o *testrepo.BundleOptions) {
		o.Forgeries = []testrepo.BundleForgery{testrepo.WrongSignature}
	}}
	renamed := statement(t, func(s map[string]any) { s["subject"].([]any)[0].(map[string]any)["name"] = "other.tar.gz" })
	return []scene{
		{trust.CheckSignature, trust.Pass, nil, of(signed)},
		{trust.CheckSignature, trust.Fail, provenance.ErrSignature, of(forged)},
		{trust.CheckSignature, trust.NotChecked, nil, of(nil)},
		{trust.CheckSubject, trust.Pass, nil, of(signed)},
		{trust.CheckSubject, trust.Fail, proof.ErrDisagree, of(renamed)},
		{trust.CheckSubject, trust.NotChecked, nil, of(message)},
		{trust.CheckIdentity, trust.Pass, nil, of(signed, hello)},
		{trust.CheckIdentity, trust.Fail, proof.ErrIdentity, of(&testrepo.Signing{Claims: evil, Artifacts: testrepo.AsMessage}, hello)},
		{trust.CheckIdentity, trust.NotChecked, nil, of(signed)},
		{trust.CheckProvenance, trust.Pass, nil, of(signed)},
		{trust.CheckProvenance, trust.Fail, proof.ErrClaims, of(&testrepo.Signing{Claims: evil}, stranger)},
		{trust.CheckProvenance, trust.NotChecked, nil, of(message)},
		{trust.CheckSource, trust.Pass, nil, of(signed)},
		{trust.CheckSource, trust.Fail, proof.ErrDisagree, func(b *bench) proof.Item {
			item := of(signed)(b)
			item.Release.Source.Revision = strings.Repeat("ab", 20)
			return item
		}},
		{trust.CheckSource, trust.NotChecked, nil, of(sourceless(t))},
	}
}

func policyScenes(t *testing.T) []scene {
	signed := &testrepo.Signing{}
	other := testrepo.WorkflowClaims("https://git.example/other/other", ".github/workflows/release.yml", "refs/tags/v1.4.2", strings.Repeat("cd", 20))
	rebuilt := &testrepo.Signing{Rebuilders: []testrepo.Claims{rebuilder(other)}}
	hello, ferry := acmeSigner(t, "hello"), acmeSigner(t, "ferry")
	two, three, day := 2, 3, policy.Span(24*time.Hour)
	patterns := func(text string) []provenance.Pattern { return []provenance.Pattern{pattern(t, text)} }
	rebuilders := func(product string) policy.Rule {
		return policy.Rule{Rebuilders: &policy.Rebuilders{Need: 1, Of: []provenance.Identity{acmeSigner(t, product)}}}
	}
	withTable := func(play func(*bench) proof.Item) func(*bench) proof.Item {
		return func(b *bench) proof.Item {
			b.builders = []policy.Builder{{Builder: pattern(t, "https://git.example/hello/hello/.github/workflows/release.yml@*/*/*"), Signer: hello, Level: 2}}
			return play(b)
		}
	}
	idle := policy.Rule{Statuses: []string{"current"}} // asks for nothing else
	list := []scene{
		{policy.IDPolicy, trust.NotChecked, nil, of(signed)},
		{policy.IDRequire, trust.Pass, nil, of(signed, policy.Rule{Require: []policy.Kind{policy.KindProvenance}})},
		{policy.IDRequire, trust.Fail, policy.ErrRefused, of(nil, policy.Rule{Require: []policy.Kind{policy.KindProvenance}})},
		{policy.IDSigners, trust.Pass, nil, of(signed, policy.Rule{Signers: []provenance.Identity{hello, ferry}})},
		{policy.IDSigners, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Signers: []provenance.Identity{hello, ferry}, Threshold: &two})},
		{policy.IDBuilder, trust.Pass, nil, of(signed, policy.Rule{Builder: patterns("https://git.example/hello/hello/.github/workflows/release.yml@*/*/*")})},
		{policy.IDBuilder, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Builder: patterns("https://git.example/ferry/ferry/.github/workflows/release.yml@*/*/*")})},
		{policy.IDSource, trust.Pass, nil, of(signed, policy.Rule{Source: patterns("https://git.example/hello/hello")})},
		{policy.IDSource, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Source: patterns("https://git.example/hello/hell")})},
		{policy.IDRef, trust.Pass, nil, of(signed, policy.Rule{Ref: patterns("refs/tags/v1.4.2")})},
		{policy.IDRef, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Ref: patterns("refs/heads/main")})},
		{policy.IDSLSA, trust.Pass, nil, withTable(of(signed, policy.Rule{SLSALevel: &two}))},
		{policy.IDSLSA, trust.Fail, policy.ErrRefused, withTable(of(signed, policy.Rule{SLSALevel: &three}))},
		{policy.IDRebuilders, trust.Pass, nil, of(rebuilt, rebuilders("other"))},
		{policy.IDRebuilders, trust.Pass, nil, of(&testrepo.Signing{Rebuilders: []testrepo.Claims{other}}, rebuilders("other"))},
		{policy.IDRebuilders, trust.Fail, policy.ErrRefused, of(rebuilt, rebuilders("third"))},
		{policy.IDLicenses, trust.Pass, nil, of(signed, policy.Rule{Licenses: &policy.Licenses{Deny: []string{"GPL-3.0-only"}}})},
		{policy.IDLicenses, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Licenses: &policy.Licenses{Deny: []string{"MIT"}}})},
		{policy.IDComponents, trust.Pass, nil, of(signed, policy.Rule{Components: &policy.Components{Deny: []string{"left-pad"}}})},
		{policy.IDComponents, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Components: &policy.Components{Deny: []string{"golang.org/x/text"}}})},
		{policy.IDAdvisories, trust.Pass, nil, advised(unconcerned, of(signed, policy.Rule{Advisories: policy.Deny}))},
		{policy.IDAdvisories, trust.Fail, policy.ErrRefused, advised(osv, of(signed, policy.Rule{Advisories: policy.Deny}))},
		{policy.IDAge, trust.Pass, nil, of(signed, policy.Rule{MaxAge: &day})},
		{policy.IDAge, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{MinAge: &day})},
		{policy.IDStatus, trust.Pass, nil, of(signed, idle)},
		{policy.IDStatus, trust.Fail, policy.ErrRefused, of(signed, policy.Rule{Statuses: []string{"superseded"}})},
		{policy.IDStatus, trust.NotChecked, nil, of(signed, policy.Rule{MaxAge: &day})},
	}
	for _, id := range []string{
		policy.IDRequire, policy.IDSigners, policy.IDBuilder, policy.IDSource, policy.IDRef, policy.IDSLSA, policy.IDRebuilders,
		policy.IDLicenses, policy.IDComponents, policy.IDAdvisories, policy.IDAge,
	} {
		list = append(list, scene{id, trust.NotChecked, nil, of(signed, idle)})
	}
	return list
}

// rebuilder is a workflow of its own that built another repository's source, so
// that its certificate names none.
func rebuilder(claims testrepo.Claims) testrepo.Claims {
	claims.SourceRepository, claims.SourceDigest, claims.SourceRef, claims.BuildConfig = "", "", "", ""
	return claims
}

// unconcerned are advisories that speak of a version before that of the sample.
var unconcerned = strings.Replace(osv, "0.31.0", "0.30.0", 1)

// advised configures advisories.
func advised(text string, play func(*bench) proof.Item) func(*bench) proof.Item {
	return func(b *bench) proof.Item {
		doc, err := advisory.Parse("osv.json", []byte(text))
		must(b.t, err)
		set, err := advisory.NewSet(doc)
		must(b.t, err)
		b.config.Advisories = func(context.Context) (*advisory.Set, error) { return set, nil }
		return play(b)
	}
}

// TestEveryCheckEndsInEveryWay plays the scenes, and finds out whether each
// check that was ever seen has one for each result that it can have.
func TestEveryCheckEndsInEveryWay(t *testing.T) {
	covered, met := map[string]map[trust.Result]bool{}, map[string]bool{}
	for _, scene := range scenes(t) {
		t.Run(scene.id+" "+string(scene.result), func(t *testing.T) {
			evidence := scene.run(t)
			for _, c := range evidence.Checks {
				met[c.ID] = met[c.ID] || !strings.HasPrefix(c.ID, "tuf.") && !strings.HasPrefix(c.ID, "bytes.")
			}
			if covered[scene.id] == nil {
				covered[scene.id] = map[trust.Result]bool{}
			}
			covered[scene.id][scene.result] = true
		})
	}
	for _, id := range slices.Sorted(maps.Keys(met)) {
		if !met[id] {
			continue
		}
		for _, result := range []trust.Result{trust.Pass, trust.Fail, trust.NotChecked} {
			switch why, can := never[id][result], covered[id][result]; {
			case can && why != "":
				t.Errorf("%s: %s has a scene, and is said to be impossible", id, result)
			case !can && why == "":
				t.Errorf("%s: %s has no scene", id, result)
			}
		}
	}
}

// run proves the artifact of a scene, and asserts how the check ended: a failing
// one is the last and the reason of the refusal.
func (s scene) run(t *testing.T) *trust.Evidence {
	b := newBench(t)
	item := s.play(b)
	if s.result == trust.Fail {
		return b.wantRefusal(item, s.id, s.reason).Evidence
	}
	found, err := b.prove(item)
	must(t, err)
	list := checksOf(found.Evidence, s.id)
	i := slices.IndexFunc(list, func(c trust.Check) bool { return c.Result == s.result })
	if i < 0 {
		t.Fatalf("expected the check %s: %s, found %+v", s.id, s.result, list)
	}
	if c := list[i]; s.result == trust.NotChecked && c.Why == "" || s.result == trust.Pass && c.Found == "" {
		t.Errorf("the check says too little: %+v", c)
	}
	var refusal *proof.Refusal
	if _, failed := found.Evidence.Failed(); failed || errors.As(err, &refusal) {
		t.Errorf("a proof with a failed check: %+v", found.Evidence.Checks)
	}
	return found.Evidence
}
