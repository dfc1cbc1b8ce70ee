package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"assay/trust/policy"
)

// FuzzRules asserts, of rules in JSON: a refusal is a RuleError on one line;
// what is taken keeps its digest when it is written and read again; one more
// rule never lets pass what was refused, nor gives a policy the digest it had;
// and no rule but one that only warns passes a subject without anything.
func FuzzRules(f *testing.F) {
	for _, d := range demands() {
		data, err := json.Marshal([]policy.Rule{d.rule})
		f.Add(must(f, data, err))
	}
	f.Add([]byte(`[{"repository":"acme","statuses":["current"]},{"product":"h*","min_age":"3d","max_age":"4d"}]`))
	f.Add([]byte(`[{"channel":"/st.*/","rebuilders":{"need":2,"of":[{"key":"sha256:00"},{"issuer":"a","identity":"b"}]}}]`))
	f.Add([]byte(`[{"require":["provenance"]},{"signers":[{"profile":"keys","key":"` + keyOf("acme") + `"}]},{"signers":[{"profile":"keys","key":"` + keyOf("rebuilder") + `"}]}]`))
	f.Add([]byte(`[{"licenses":{"deny":["MIT"]}},{"licenses":{"deny":["AGPL-3.0-only"]}},{"licenses":{"allow":["MIT","Apache-2.0"]}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rules []policy.Rule
		if json.Unmarshal(data, &rules) != nil || len(rules) == 0 || len(rules) > 8 {
			return
		}
		all, err := policy.New(rules, builders())
		if err != nil {
			var wrong *policy.RuleError
			if !errors.Is(err, policy.ErrRule) || !errors.As(err, &wrong) || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("expected a RuleError on one line, found %q", err)
			}
			return
		}
		written, err := json.Marshal(rules)
		var again []policy.Rule
		if err := json.Unmarshal(must(t, written, err), &again); err != nil {
			t.Fatalf("%s can't be read again: %v", written, err)
		}
		if p, err := policy.New(again, builders()); err != nil || p.Digest() != all.Digest() {
			t.Errorf("%s is another policy when it is read again: %v", written, err)
		}
		fewer, err := policy.New(rules[:len(rules)-1], builders())
		if err != nil || fewer.Digest() == all.Digest() {
			t.Errorf("expected another policy with a rule less, found %v", err)
		}
		for _, s := range []policy.Subject{good(), bare("1.0.0"), {Repository: "acme", Product: "hello"}, {}} {
			_, refused := fewer.Judge(s, now())
			_, still := all.Judge(s, now())
			if refused != nil && still == nil {
				t.Errorf("%s lets pass what is refused without its last rule: %v", written, refused)
			}
			if s.Product != "hello" || !s.Version.IsZero() || still != nil {
				continue
			}
			for _, r := range all.Match(s.Repository, s.Product, s.Channel) {
				if r.Advisories = ""; mayNotWarn(r) {
					t.Errorf("%s passes a subject without anything", written)
				}
			}
		}
	})
}

// mayNotWarn reports whether a rule without its advisories is still one.
func mayNotWarn(r policy.Rule) bool {
	_, err := policy.New([]policy.Rule{r}, nil)
	return err == nil
}

// FuzzSpan asserts that what is taken is within its bounds, and the same when it
// is written and read again.
func FuzzSpan(f *testing.F) {
	for _, seed := range []string{"72h", "90d", "2w", "0s", "36525d", "9999999999s", "-1d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := policy.ParseSpan(text)
		if err != nil {
			if !errors.Is(err, policy.ErrSpan) || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("expected ErrSpan on one line, found %q", err)
			}
			return
		}
		if again, err := policy.ParseSpan(span.String()); span <= 0 || span > policy.MaxSpan || again != span || err != nil {
			t.Errorf("%q is %d, and %q when it is written: %v", text, span, span, err)
		}
	})
}

// BenchmarkJudge is a subject with four signatures and rules with patterns.
func BenchmarkJudge(b *testing.B) {
	var rules []policy.Rule
	for _, d := range demands() {
		rules = append(rules, d.rule)
	}
	p, err := policy.New(rules, builders())
	if err != nil {
		b.Fatal(err)
	}
	s := good()
	for b.Loop() {
		if _, err := p.Judge(s, now()); err != nil {
			b.Fatal(err)
		}
	}
}
