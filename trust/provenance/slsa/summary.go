package slsa

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	vsa "github.com/in-toto/attestation/go/predicates/vsa/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"assay/artifact"
)

// TypeSummary is the type of predicate that WriteSummary writes.
const TypeSummary = "https://slsa.dev/verification_summary/v1"

// slsaVersion is the version of the SLSA specification whose levels are named.
const slsaVersion = "1.0"

// LevelFailed stands for the levels in the summary of a verification that failed.
const LevelFailed = "FAILED"

// Summary is what a verifier decided about an artifact, and upon what
// (https://slsa.dev/spec/v1.0/verification_summary).
type Summary struct {
	Name            string           // of the artifact
	Digests         artifact.Digests // of the artifact
	Verifier        string           // URI of who verified
	VerifierVersion string           // of the verifier's software; may be empty
	At              time.Time        // written in UTC
	Resource        string           // URI that the artifact was got by
	Policy          Reference        // the rules that it was verified by
	Inputs          []Reference      // the attestations that were verified
	Passed          bool
	// Levels are the highest of each track that were verified, like
	// SLSA_BUILD_LEVEL_3; names of one's own may follow, but none that begin with
	// SLSA_. Without Passed there are none: FAILED is written.
	Levels []string
}

// Reference names a document by where it is, what it is, or both.
type Reference struct {
	URI    string
	Digest artifact.Digest
}

// versionKey names the one component in the version of the verifier.
const versionKey = "assay"

// WriteSummary gives the unsigned in-toto statement (v1) for a summary. Equal
// summaries give equal bytes. It refuses one that the specification does not
// allow with an *Error for ErrSummary.
func WriteSummary(s Summary) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	levels, result := s.Levels, "PASSED"
	if !s.Passed {
		levels, result = []string{LevelFailed}, "FAILED"
	}
	predicate, err := toStruct(&vsa.VerificationSummary{
		Verifier:           &vsa.VerificationSummary_Verifier{Id: s.Verifier},
		TimeVerified:       timestamppb.New(s.At),
		ResourceUri:        s.Resource,
		Policy:             &vsa.VerificationSummary_Policy{Uri: s.Policy.URI, Digest: digestSet(s.Policy.Digest)},
		InputAttestations:  inputAttestations(s.Inputs),
		VerificationResult: result,
		VerifiedLevels:     levels,
		SlsaVersion:        slsaVersion,
	})
	if err != nil {
		return nil, badSummary("", "values that JSON has", quote(err.Error()))
	}
	if s.VerifierVersion != "" {
		// The Go type has no field for it; the specification does.
		version := map[string]*structpb.Value{versionKey: structpb.NewStringValue(s.VerifierVersion)}
		predicate.Fields["verifier"].GetStructValue().Fields["version"] = structpb.NewStructValue(&structpb.Struct{Fields: version})
	}
	data, err := protojson.Marshal(&intoto.Statement{
		Type:          intoto.StatementTypeUri,
		Subject:       []*intoto.ResourceDescriptor{{Name: s.Name, Digest: digestSet(s.Digests...)}},
		PredicateType: TypeSummary,
		Predicate:     predicate,
	})
	var out bytes.Buffer
	if err == nil {
		// protojson sorts the keys, but adds white space at random.
		err = json.Compact(&out, data)
	}
	if err != nil {
		return nil, badSummary("", "values that JSON has", quote(err.Error()))
	}
	return append(out.Bytes(), '\n'), nil
}

// toStruct makes the generic form of a predicate, as a statement holds it.
func toStruct(summary *vsa.VerificationSummary) (*structpb.Struct, error) {
	predicate := &structpb.Struct{}
	data, err := protojson.Marshal(summary)
	if err == nil {
		err = protojson.Unmarshal(data, predicate)
	}
	return predicate, err
}

func digestSet(digests ...artifact.Digest) map[string]string {
	set := map[string]string{}
	for _, d := range digests {
		if !d.IsZero() {
			set[string(d.Algorithm())] = d.Hex()
		}
	}
	return set
}

func inputAttestations(inputs []Reference) []*vsa.VerificationSummary_InputAttestation {
	var list []*vsa.VerificationSummary_InputAttestation
	for _, in := range inputs {
		list = append(list, &vsa.VerificationSummary_InputAttestation{Uri: in.URI, Digest: digestSet(in.Digest)})
	}
	return list
}

// check holds a summary to the specification, and its texts to the bounds that
// those of provenance have.
func (s Summary) check() error {
	for _, text := range s.texts() {
		switch {
		case text.value == "" && !text.optional:
			return badSummary(text.field, "a text", "none")
		case len(text.value) > maxText || strings.ContainsFunc(text.value, isUnprintable):
			return badSummary(text.field, fmt.Sprintf("printable text of at most %d bytes", maxText), quote(text.value))
		}
	}
	switch {
	case len(s.Digests) == 0:
		return badSummary("subject[0].digest", "at least one digest", "none")
	case s.At.IsZero() || s.At.UTC().Year() < 1 || s.At.UTC().Year() > 9999:
		return badSummary("timeVerified", "a time of RFC 3339", s.At.UTC().String())
	case s.Policy.URI == "" && s.Policy.Digest.IsZero():
		return badSummary("policy", "a URI or a digest", "none")
	case !s.Passed && len(s.Levels) > 0:
		return badSummary("verifiedLevels", "none, as it did not pass", quote(s.Levels[0]))
	case s.Passed && len(s.Levels) == 0:
		return badSummary("verifiedLevels", "at least one level, as it passed", "none")
	}
	for i, in := range s.Inputs {
		if in.Digest.IsZero() {
			return badSummary(fmt.Sprintf("inputAttestations[%d].digest", i), "a digest", "none")
		}
	}
	return checkLevels(s.Levels)
}

type summaryText struct {
	field, value string
	optional     bool
}

func (s Summary) texts() []summaryText {
	texts := []summaryText{
		{"subject[0].name", s.Name, false},
		{"verifier.id", s.Verifier, false},
		{"verifier.version", s.VerifierVersion, true},
		{"resourceUri", s.Resource, false},
		{"policy.uri", s.Policy.URI, true},
	}
	for i, in := range s.Inputs {
		texts = append(texts, summaryText{fmt.Sprintf("inputAttestations[%d].uri", i), in.URI, true})
	}
	for i, level := range s.Levels {
		texts = append(texts, summaryText{fmt.Sprintf("verifiedLevels[%d]", i), level, false})
	}
	return texts
}

// buildLevels are the levels of SLSA 1.0, which has one track.
var buildLevels = []string{"SLSA_BUILD_LEVEL_0", "SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3"}

// checkLevels refuses levels that SLSA 1.0 does not have, and two of one track.
func checkLevels(levels []string) error {
	tracks := map[string]string{}
	for i, level := range levels {
		field := fmt.Sprintf("verifiedLevels[%d]", i)
		track := level
		switch {
		case slices.Contains(buildLevels, level):
			track = "SLSA_BUILD"
		case strings.HasPrefix(level, "SLSA_"), level == LevelFailed:
			return badSummary(field, "a level of SLSA "+slsaVersion+" or a name of one's own", quote(level))
		}
		if other, again := tracks[track]; again {
			return badSummary(field, "one level of each track", quote(other)+" and "+quote(level))
		}
		tracks[track] = level
	}
	return nil
}

func badSummary(field, expected, found string) *Error {
	return &Error{Field: field, Expected: expected, Found: found, Err: ErrSummary}
}
