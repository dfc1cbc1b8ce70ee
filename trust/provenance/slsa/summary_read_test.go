package slsa

import (
	"encoding/json"
	"fmt"

	"assay/artifact"
)

// The most of what ReadSummary takes.
const (
	maxInputs = 4096
	maxLevels = 64
)

// ReadSummary reads an unsigned statement that WriteSummary wrote, or one of
// another verifier with a single subject and with digests of known algorithms.
// It believes it as little or as much as its bytes deserve: no signature is
// looked at. Every error is an *Error for ErrSummary.
func ReadSummary(data []byte) (Summary, error) {
	top := screen(data)
	predicate := top.object("predicate")
	result, version := predicate.need("verificationResult"), predicate.need("slsaVersion")
	s := Summary{
		Verifier:        predicate.object("verifier").need("id"),
		VerifierVersion: predicate.object("verifier").object("version").text(versionKey),
		At:              predicate.time("timeVerified"),
		Resource:        predicate.need("resourceUri"),
		Policy:          predicate.object("policy").reference(),
		Passed:          result == "PASSED",
		Levels:          predicate.texts("verifiedLevels", maxLevels),
	}
	for _, in := range predicate.list("inputAttestations", maxInputs) {
		s.Inputs = append(s.Inputs, in.reference())
	}
	subjects := top.list("subject", maxInputs)
	if len(subjects) == 1 {
		s.Name, s.Digests = subjects[0].need("name"), subjects[0].knownDigests()
	}
	kind, predicateType := top.text("_type"), top.text("predicateType")
	switch {
	case top.failure.first != nil:
		return Summary{}, inSummary(top.failure.first)
	case kind != "https://in-toto.io/Statement/v1":
		return Summary{}, badSummary("_type", "an in-toto statement v1", quote(kind))
	case predicateType != TypeSummary:
		return Summary{}, badSummary("predicateType", quote(TypeSummary), quote(predicateType))
	case len(subjects) != 1:
		return Summary{}, badSummary("subject", "one", fmt.Sprint(len(subjects)))
	case result != "PASSED" && result != "FAILED":
		return Summary{}, badSummary("predicate.verificationResult", "PASSED or FAILED", quote(result))
	case version != slsaVersion:
		return Summary{}, badSummary("predicate.slsaVersion", slsaVersion, quote(version))
	}
	if !s.Passed && len(s.Levels) == 1 && s.Levels[0] == LevelFailed {
		s.Levels = nil
	}
	if err := s.check(); err != nil {
		return Summary{}, err
	}
	return s, nil
}

// inSummary makes a problem of reading JSON one of a summary.
func inSummary(e *Error) error {
	return &Error{Field: e.Field, Expected: e.Expected, Found: e.Found, Err: ErrSummary}
}

func (f fields) reference() Reference {
	digests := f.knownDigests()
	return Reference{URI: f.text("uri"), Digest: digests.Primary()}
}

// knownDigests are the digests of known algorithms in the member digest, in the
// order that artifact.Digests has.
func (f fields) knownDigests() artifact.Digests {
	set := f.digests("digest")
	var list artifact.Digests
	for _, algorithm := range []artifact.Algorithm{artifact.SHA256, artifact.SHA512} {
		digits, listed := set[string(algorithm)]
		if !listed {
			continue
		}
		d, err := artifact.NewDigest(algorithm, digits)
		if err != nil {
			f.failure.set(malformed(f.at("digest"), "digests in hex", quote(err.Error())))
		}
		list = append(list, d)
	}
	return list
}

// texts reads a member that must be an array of texts if it is there.
func (f fields) texts(name string, most int) []string {
	var texts []string
	for _, element := range f.elements(name, most) {
		one := fields{path: f.path, members: map[string]json.RawMessage{name: element}, failure: f.failure}
		texts = append(texts, one.text(name))
	}
	return texts
}
