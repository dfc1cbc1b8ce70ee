package provenance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"

	"assay/artifact"
	"assay/internal/strictjson"
)

// Limits of a statement.
const (
	// MaxSubjects is the most subjects of a statement; the library takes no more.
	MaxSubjects = 1024
	// MaxNameBytes is the most bytes of a subject's name and of a predicate's type.
	MaxNameBytes = 4096

	maxSubjectDigests = 32 // the library's own limit
	maxStatementDepth = 64 // levels of its JSON; SBOMs have 12
)

// payloadType is the only type of payload that is read, see
// https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md.
const payloadType = "application/vnd.in-toto+json"

// statementTypes are the versions that are read; both have the same fields.
var statementTypes = []string{"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"}

// parseEnvelope reads the statement in a DSSE envelope, in which nothing is
// believed yet.
func parseEnvelope(envelope *protodsse.Envelope) (*Statement, error) {
	if n := len(envelope.GetSignatures()); n != 1 {
		return nil, refuse(ErrMalformed, "exactly one signature in the envelope", fmt.Sprint(n))
	}
	if found := envelope.GetPayloadType(); found != payloadType {
		return nil, refuse(ErrMalformed, "a payload of type "+payloadType, quote(found))
	}
	return parseStatement(envelope.GetPayload())
}

// parseStatement reads an in-toto statement. Fields are known by their exact
// names: encoding/json would fold cases, and so a second "Subject" might be read
// by one reader, and "subject" by another. Other fields are passed over, as the
// specification demands.
func parseStatement(payload []byte) (*Statement, error) {
	limits := strictjson.Limits{Bytes: MaxBundleBytes, Depth: maxStatementDepth, AllowNull: true}
	if err := strictjson.Screen(payload, limits); err != nil {
		return nil, refuse(ErrMalformed, "a statement in strict JSON", "none").because(err)
	}
	fields, err := fieldsOf(payload, "_type", "predicateType", "subject", "predicate")
	if err != nil {
		return nil, err
	}
	kind, err := text(fields, "_type")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(statementTypes, kind) {
		return nil, refuse(ErrMalformed, "a statement of type "+strings.Join(statementTypes, " or "), quote(kind))
	}
	s := new(Statement)
	if s.PredicateType, err = text(fields, "predicateType"); err != nil {
		return nil, err
	}
	if s.PredicateType == "" {
		return nil, refuse(ErrMalformed, "a predicateType in the statement", "an empty one")
	}
	if s.Predicate, err = predicate(fields["predicate"]); err != nil {
		return nil, err
	}
	s.Subjects, err = subjects(fields["subject"])
	return s, err
}

// fieldsOf gives the values of the named members of an object. A member whose
// name differs from a known one in case only is refused.
func fieldsOf(object []byte, known ...string) (map[string][]byte, error) {
	fields := map[string][]byte{}
	for m := range strictjson.Members(object) {
		key := string(m.Key)
		for _, name := range known {
			if key == name {
				fields[name] = m.Value
			} else if strings.EqualFold(key, name) {
				return nil, refuse(ErrMalformed, fmt.Sprintf("the field %q", name), quote(key))
			}
		}
	}
	return fields, nil
}

// text is a field that must be a string, of at most MaxNameBytes.
func text(fields map[string][]byte, name string) (string, error) {
	value := fields[name]
	var s string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return "", refuse(ErrMalformed, "a string as "+name+" of the statement", describe(value))
	}
	if len(s) > MaxNameBytes {
		return "", refuse(ErrTooLarge, fmt.Sprintf("at most %d bytes of %s", MaxNameBytes, name), fmt.Sprint(len(s)))
	}
	return s, nil
}

// describe says what a value is, for a message.
func describe(value []byte) string {
	if len(value) == 0 {
		return "nothing"
	}
	return quote(string(value))
}

// predicate is kept in the form in which encoding/json writes raw values, so that
// a Signed that is written and read again is the same.
func predicate(value []byte) (json.RawMessage, error) {
	if len(value) == 0 || string(value) == "null" {
		return nil, nil
	}
	if value[0] != '{' {
		return nil, refuse(ErrMalformed, "an object as predicate of the statement", describe(value))
	}
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return nil, refuse(ErrMalformed, "a predicate in JSON", "none").because(err)
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	return escaped.Bytes(), nil
}

func subjects(list []byte) ([]Subject, error) {
	var found []Subject
	for element := range strictjson.Elements(list) {
		if len(found) == MaxSubjects {
			return nil, refuse(ErrTooLarge, fmt.Sprintf("at most %d subjects in the statement", MaxSubjects), "more")
		}
		subject, err := parseSubject(element)
		if err != nil {
			return nil, err
		}
		found = append(found, subject)
	}
	if len(found) == 0 {
		return nil, refuse(ErrMalformed, "a list of at least one subject in the statement", describe(list))
	}
	return found, nil
}

func parseSubject(element []byte) (Subject, error) {
	var s Subject
	fields, err := fieldsOf(element, "name", "digest")
	if err != nil {
		return s, err
	}
	if fields["name"] != nil {
		if s.Name, err = text(fields, "name"); err != nil {
			return s, err
		}
	}
	digests := fields["digest"]
	if len(digests) == 0 || digests[0] != '{' {
		return s, refuse(ErrMalformed, "an object as digest of each subject", describe(digests)+" in "+describe(element))
	}
	s.Digests, err = parseDigests(digests)
	return s, err
}

// parseDigests keeps the digests of the known algorithms. Those of others must be
// hex, too, as the library reads them all.
func parseDigests(object []byte) (artifact.Digests, error) {
	var known []artifact.Digest
	count := 0
	for m := range strictjson.Members(object) {
		if count++; count > maxSubjectDigests {
			return nil, refuse(ErrTooLarge, fmt.Sprintf("at most %d digests of a subject", maxSubjectDigests), "more")
		}
		digits, err := text(map[string][]byte{"digest": m.Value}, "digest")
		if err != nil {
			return nil, err
		}
		algorithm := artifact.Algorithm(m.Key)
		if algorithm.Size() == 0 {
			if _, err := hex.DecodeString(digits); err != nil {
				return nil, refuse(ErrMalformed, "hex as digest of each subject", quote(digits))
			}
			continue
		}
		d, err := artifact.NewDigest(algorithm, digits)
		if err != nil {
			return nil, refuse(ErrMalformed, "a digest of each subject", "none").because(err)
		}
		known = append(known, d)
	}
	if len(known) == 0 {
		return nil, nil
	}
	return artifact.NewDigests(known...)
}
