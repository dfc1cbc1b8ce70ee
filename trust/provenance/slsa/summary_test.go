package slsa

import (
	"reflect"
	"strings"
	"testing"
	"time"

	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"assay/artifact"
)

func digest(text string) artifact.Digest { return artifact.DigestOf(artifact.SHA256, []byte(text)) }

func passed() Summary {
	return Summary{
		Name: "tool-linux-amd64.tar.gz", Digests: artifact.Digests{digest("tool"), artifact.DigestOf(artifact.SHA512, []byte("tool"))},
		Verifier: "https://assay.example/verify", VerifierVersion: "1.2.3", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Resource: "https://downloads.example/tool-linux-amd64.tar.gz", Policy: Reference{"https://assay.example/policy", digest("policy")},
		Inputs: []Reference{{"tool.sigstore.json", digest("a")}, {"", digest("b")}}, Passed: true, Levels: []string{"SLSA_BUILD_LEVEL_3", "ACME_REVIEWED"},
	}
}

// The whole statement, byte for byte.
func TestWriteSummary(t *testing.T) {
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"tool-linux-amd64.tar.gz","digest":{"sha256":"` + digest("tool").Hex() +
		`","sha512":"` + artifact.DigestOf(artifact.SHA512, []byte("tool")).Hex() + `"}}],"predicateType":"https://slsa.dev/verification_summary/v1",` +
		`"predicate":{"inputAttestations":[{"digest":{"sha256":"` + digest("a").Hex() + `"},"uri":"tool.sigstore.json"},{"digest":{"sha256":"` +
		digest("b").Hex() + `"}}],"policy":{"digest":{"sha256":"` + digest("policy").Hex() + `"},"uri":"https://assay.example/policy"},` +
		`"resourceUri":"https://downloads.example/tool-linux-amd64.tar.gz","slsaVersion":"1.0","timeVerified":"2026-01-02T03:04:05Z",` +
		`"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3","ACME_REVIEWED"],` +
		`"verifier":{"id":"https://assay.example/verify","version":{"assay":"1.2.3"}}}}` + "\n"
	for range 20 { // protojson's white space is random
		s := passed()
		s.At = s.At.In(time.FixedZone("", 3600))
		got, err := WriteSummary(s)
		if err != nil || string(got) != want {
			t.Fatalf("got\n%s%v\nwant\n%s", got, err, want)
		}
	}
	var statement intoto.Statement
	if err := protojson.Unmarshal([]byte(want), &statement); err != nil || statement.Validate() != nil {
		t.Errorf("not an in-toto statement: %v, %v", err, statement.Validate())
	}
}

func TestSummaryComesBack(t *testing.T) {
	failed := passed()
	failed.Passed, failed.Levels, failed.VerifierVersion, failed.Inputs = false, nil, "", nil
	failed.Policy, failed.Digests = Reference{Digest: digest("policy")}, failed.Digests[1:]
	failed.At = failed.At.Add(123456789)
	other := passed()
	other.Policy = Reference{URI: "https://assay.example/policy"}
	for _, s := range []Summary{passed(), failed, other} {
		data, err := WriteSummary(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadSummary(data); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("got\n%+v, %v, want\n%+v", got, err, s)
		}
		if result := `"verifiedLevels":["FAILED"]`; strings.Contains(string(data), result) == s.Passed {
			t.Errorf("wrong levels in %s", data)
		}
	}
}

func TestWriteSummaryRefuses(t *testing.T) {
	for _, test := range []struct {
		field  string
		change func(*Summary)
	}{
		{"subject[0].name", func(s *Summary) { s.Name = "" }},
		{"subject[0].name", func(s *Summary) { s.Name = "\x1b[2J" }},
		{"", func(s *Summary) { s.Name = "\xff" }},
		{"", func(s *Summary) { s.Resource = "\xff" }},
		{"subject[0].digest", func(s *Summary) { s.Digests = nil }},
		{"verifier.id", func(s *Summary) { s.Verifier = "" }},
		{"verifier.version", func(s *Summary) { s.VerifierVersion = "1\n2" }},
		{"timeVerified", func(s *Summary) { s.At = time.Time{} }},
		{"timeVerified", func(s *Summary) { s.At = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"timeVerified", func(s *Summary) { s.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"resourceUri", func(s *Summary) { s.Resource = "" }},
		{"resourceUri", func(s *Summary) { s.Resource = strings.Repeat("x", maxText+1) }},
		{"policy", func(s *Summary) { s.Policy = Reference{} }},
		{"policy.uri", func(s *Summary) { s.Policy.URI = "\u202e" }},
		{"inputAttestations[1].digest", func(s *Summary) { s.Inputs[1].Digest = artifact.Digest{} }},
		{"inputAttestations[0].uri", func(s *Summary) { s.Inputs[0].URI = "\x00" }},
		{"verifiedLevels", func(s *Summary) { s.Levels = nil }},
		{"verifiedLevels", func(s *Summary) { s.Passed = false }},
		{"verifiedLevels[1]", func(s *Summary) { s.Levels[1] = "SLSA_BUILD_LEVEL_2" }},
		{"verifiedLevels[0]", func(s *Summary) { s.Levels[0] = "SLSA_BUILD_LEVEL_4" }},
		{"verifiedLevels[1]", func(s *Summary) { s.Levels[1] = "SLSA_SOURCE_LEVEL_2" }},
		{"verifiedLevels[0]", func(s *Summary) { s.Levels[0] = "FAILED" }},
		{"verifiedLevels[1]", func(s *Summary) { s.Levels = []string{"ACME", "ACME"} }},
		{"verifiedLevels[0]", func(s *Summary) { s.Levels[0] = "" }},
	} {
		s := passed()
		test.change(&s)
		data, err := WriteSummary(s)
		checkError(t, err, ErrSummary, test.field, data == nil)
	}
}

func TestReadSummaryRefuses(t *testing.T) {
	good, err := WriteSummary(passed())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ field, from, to string }{
		{"_type", "in-toto.io/Statement/v1", "in-toto.io/Statement/v2"},
		{"predicateType", "verification_summary/v1", "verification_summary/v0.2"},
		{"subject", `"subject":[`, `"subject":[{"name":"x"},`},
		{"inputAttestations[0].digest", `"inputAttestations":[`, `"inputAttestations":[{"digest":{"sha1":"aa"}},`},
		{"subject", `"subject":[{`, `"subject":[],"x":[{`},
		{"subject[0].digest", `"digest":{"sha256":"`, `"digest":{"sha256":"x`},
		{"subject[0].digest", `"digest"`, `"digests"`},
		{"predicate.verificationResult", `"PASSED"`, `"passed"`},
		{"predicate.verificationResult", `"verificationResult"`, `"result"`},
		{"predicate.slsaVersion", `"1.0"`, `"2.0"`},
		{"predicate.timeVerified", `2026-01-02T`, `2026-01-02 `},
		{"timeVerified", `"timeVerified"`, `"time"`},
		{"predicate.verifiedLevels", `["SLSA_BUILD_LEVEL_3"`, `[3`},
		{"predicate.verifiedLevels", `["SLSA_BUILD_LEVEL_3"`, `[` + strings.Repeat(`"x",`, maxLevels) + `"x"`},
		{"verifiedLevels", `"PASSED"`, `"FAILED"`},
		{"predicate.verifier.id", `"id"`, `"Id"`},
		{"predicate.inputAttestations[0]", `"inputAttestations":[`, `"inputAttestations":[1,`},
		{"predicate", `"predicate":{`, `"predicate":[],"x":{`},
	} {
		doc := strings.Replace(string(good), test.from, test.to, 1)
		if doc == string(good) {
			t.Fatalf("%s was not found", test.from)
		}
		s, err := ReadSummary([]byte(doc))
		checkError(t, err, ErrSummary, test.field, reflect.DeepEqual(s, Summary{}))
	}
	for _, doc := range []string{"", "null", "{}", "[]", strings.Repeat(" ", MaxBytes) + "{}"} {
		s, err := ReadSummary([]byte(doc))
		checkError(t, err, ErrSummary, "", reflect.DeepEqual(s, Summary{}))
	}
}
