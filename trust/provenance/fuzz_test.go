package provenance

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"assay/internal/testrepo"
)

// FuzzVerify edits good bundles: cuts some bytes out at an offset and puts others
// in. What verifies still says the same.
func FuzzVerify(f *testing.F) {
	l := newLab(f)
	v := l.verifier(PublicGood)
	var good [][]byte
	var want []*Signed
	for _, o := range []testrepo.BundleOptions{
		{Data: fileData}, {Statement: statement(f, fileDigest)}, {Data: fileData, Version: "0.1"},
		{Statement: statement(f, fileDigest), Preset: testrepo.PublicGoodV2},
	} {
		data := l.bundle(o)
		s, err := v.Verify(data, fileDigest)
		must(f, err)
		good, want = append(good, data), append(want, s)
	}
	f.Add(uint8(0), uint16(0), uint16(0), []byte(" "))
	f.Add(uint8(1), uint16(1), uint16(0), []byte(`"x":null,`))
	f.Add(uint8(1), uint16(1), uint16(0), []byte(`"dsseEnvelope":{},`))
	f.Add(uint8(2), uint16(700), uint16(4), []byte("AAAA"))
	f.Add(uint8(3), uint16(0), uint16(60000), []byte("{}"))
	f.Fuzz(func(t *testing.T, which uint8, offset, cut uint16, insert []byte) {
		i := int(which) % len(good)
		from := min(int(offset), len(good[i]))
		data := slices.Concat(good[i][:from], insert, good[i][min(from+int(cut), len(good[i])):])
		s, err := v.Verify(data, fileDigest)
		if err != nil {
			if _, ok := errors.AsType[*VerifyError](err); !ok {
				t.Fatalf("an error of another type: %v", err)
			}
			return
		}
		if s.Artifact != want[i].Artifact || !reflect.DeepEqual(s.Signer, want[i].Signer) || !reflect.DeepEqual(s.Statement, want[i].Statement) ||
			!reflect.DeepEqual(s.Times, want[i].Times) || !reflect.DeepEqual(s.Logged, want[i].Logged) {
			t.Fatalf("expected %+v, found %+v", want[i], s)
		}
		if _, err := v.Verify(data, otherFile); !errors.Is(err, ErrDigest) {
			t.Fatalf("expected %v, found %v", ErrDigest, err)
		}
	})
}

// FuzzParse reads anything: it gives a whole entity or a *VerifyError.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},` +
		`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AAAA"},"signature":"AAAA"}}`))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","verificationMaterial":{"publicKey":{},"tlogEntries":` +
		`[{"logIndex":"1","logId":{"keyId":"AA=="},"kindVersion":{"kind":"dsse","version":"0.0.1"},"inclusionPromise":{"signedEntryTimestamp":"AA=="},` +
		`"canonicalizedBody":"e30="}]},"dsseEnvelope":{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parse(data)
		if err != nil {
			if _, ok := errors.AsType[*VerifyError](err); !ok || e != nil {
				t.Fatalf("found %v, %v", e, err)
			}
			return
		}
		if e.content == nil || e.signature == nil || !json.Valid(data) {
			t.Fatalf("half an entity of %q", data)
		}
		if _, err := claimOf(e, fileDigest); err != nil {
			if _, ok := errors.AsType[*VerifyError](err); !ok {
				t.Fatal(err)
			}
		}
	})
}

// FuzzStatement reads what encoding/json reads as the same statement, and what
// comes back unchanged from JSON.
func FuzzStatement(f *testing.F) {
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[{"name":"a","digest":{"gitCommit":"00"}}],"predicate":{"a":[null,1.5,"<"]}}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"p","subject":[` + subjectOf("") + `],"Predicate":{}}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"p","\u0073ubject":[` + subjectOf("") + `],"predicate":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := parseStatement(payload)
		if err != nil {
			if _, ok := errors.AsType[*VerifyError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		var peer struct {
			PredicateType string `json:"predicateType"`
			Subject       []struct {
				Name   string            `json:"name"`
				Digest map[string]string `json:"digest"`
			} `json:"subject"`
		}
		if err := json.Unmarshal(payload, &peer); err != nil || peer.PredicateType != s.PredicateType || len(peer.Subject) != len(s.Subjects) {
			t.Fatalf("expected %+v, found %+v, %v", peer, s, err)
		}
		for i, subject := range s.Subjects {
			if peer.Subject[i].Name != subject.Name {
				t.Fatalf("expected the name %q, found %q", peer.Subject[i].Name, subject.Name)
			}
			for _, d := range subject.Digests {
				if !strings.EqualFold(peer.Subject[i].Digest[string(d.Algorithm())], d.Hex()) {
					t.Fatalf("expected %v, found %s", peer.Subject[i].Digest, d)
				}
			}
		}
		text, err := json.Marshal(s)
		must(t, err)
		var again Statement
		must(t, json.Unmarshal(text, &again))
		if !reflect.DeepEqual(*s, again) {
			t.Fatalf("expected %+v, found %+v", *s, again)
		}
	})
}

// FuzzPattern compares globs with a matcher of another kind, and holds
// expressions to both ends of the text.
func FuzzPattern(f *testing.F) {
	for _, pair := range [][2]string{
		{"a*c", "abc"}, {"a**c", "a/c"}, {"a?", "a/"}, {"/a|b/", "ab"}, {"/(?m)^a$/", "a\nb"}, {"***", ""}, {"x.y", "xay"}, {"/a)|(b/", "a"}, {"ä?*", "ää"}, {"a***?**b", "a/b"},
		{"/[a-z]{1,200}/", "ab"}, {"/(?:(a|b)*c?){3,9}/", "abc"}, {"/(?i)[!-~]+/", "A"}, {`/\pL/`, "a"}, {"/(?i)ä/", "Ä"}, {"/(?:(?:){9}|[^a-cx-z0]{2,}){5}/", "ddd"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, text, s string) {
		if len(text) > 64 || len(s) > 64 {
			return
		}
		p, err := ParsePattern(text)
		if err != nil {
			if !errors.Is(err, ErrPattern) || !p.IsZero() {
				t.Fatalf("found %v, %v", p, err)
			}
			return
		}
		found := p.MatchString(s)
		if source, ok := expression(text); ok {
			holdSize(t, source)
			// The whole matches exactly if it is the longest match of the leftmost,
			// which is found without any anchors.
			loose := regexp.MustCompile(source)
			loose.Longest()
			place := loose.FindStringIndex(s)
			if whole := place != nil && place[0] == 0 && place[1] == len(s); found != whole {
				t.Fatalf("%q and %q: expected %v, found %v", text, s, whole, found)
			}
			return
		}
		if want := globMatch([]rune(text), []rune(s)); found != want {
			t.Fatalf("%q and %q: expected %v, found %v", text, s, want, found)
		}
	})
}

// holdSize holds the program of an expression to what its steps promise.
func holdSize(t *testing.T, source string) {
	parsed, err := syntax.Parse(anchored(source), syntax.Perl)
	must(t, err)
	compiled, err := syntax.Compile(parsed.Simplify())
	must(t, err)
	const around = 8 // for the anchors and the end
	if n, most := len(compiled.Inst), 2*steps(parsed)+around; n > most {
		t.Fatalf("%q: expected at most %d instructions, found %d", source, most, n)
	}
}

// globMatch is a glob as its definition reads, by table instead of a machine.
func globMatch(glob, s []rune) bool {
	type place struct{ i, j int }
	known := map[place]bool{}
	var match func(i, j int) bool
	match = func(i, j int) (ok bool) {
		if was, done := known[place{i, j}]; done {
			return was
		}
		defer func() { known[place{i, j}] = ok }()
		rest := glob[i:]
		switch {
		case len(rest) == 0:
			return j == len(s)
		case len(rest) > 1 && rest[0] == '*' && rest[1] == '*':
			return match(i+2, j) || j < len(s) && match(i, j+1)
		case rest[0] == '*':
			return match(i+1, j) || j < len(s) && s[j] != '/' && match(i, j+1)
		case rest[0] == '?':
			return j < len(s) && s[j] != '/' && match(i+1, j+1)
		}
		return j < len(s) && s[j] == rest[0] && match(i+1, j+1)
	}
	return match(0, 0)
}
