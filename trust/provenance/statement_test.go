package provenance

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/testrepo"
)

// subjectOf is a subject about the file.
func subjectOf(more string) string {
	return fmt.Sprintf(`{"name":"hello","digest":{"sha256":%q%s}}`, fileDigest[0].Hex(), more)
}

func TestStatements(t *testing.T) {
	t.Parallel()
	const v1, v01 = `"_type":"https://in-toto.io/Statement/v1"`, `"_type":"https://in-toto.io/Statement/v0.1"`
	const kind = `"predicateType":"https://example.com/p"`
	subject := `"subject":[` + subjectOf("") + `]`
	whole := func(fields ...string) string { return "{" + strings.Join(fields, ",") + "}" }
	long := strings.Repeat("n", MaxNameBytes)
	many := strings.Repeat(subjectOf("")+",", MaxSubjects-1) + subjectOf("")
	more := ""
	for i := range maxSubjectDigests - 1 {
		more += fmt.Sprintf(`,"h%d":"00"`, i)
	}
	for name, test := range map[string]struct {
		text string
		kind error
	}{
		"v1":                        {whole(v1, kind, subject), nil},
		"v0.1":                      {whole(v01, kind, subject, `"predicate":{}`), nil},
		"null predicate":            {whole(v1, kind, subject, `"predicate":null`), nil},
		"fields to come":            {whole(v1, kind, subject, `"x":{"y":null}`), nil},
		"subject's fields to come":  {whole(v1, kind, `"subject":[{"uri":"a","digest":{"sha256":"`+fileDigest[0].Hex()+`"}}]`), nil},
		"unknown algorithm":         {whole(v1, kind, `"subject":[`+subjectOf(`,"gitCommit":"00"`)+`]`), nil},
		"unknown algorithm, null":   {whole(v1, kind, `"subject":[`+subjectOf(`,"h1":null`)+`]`), ErrMalformed},
		"unknown algorithm, no hex": {whole(v1, kind, `"subject":[`+subjectOf(`,"h1":"h1:x="`)+`]`), ErrMalformed},
		"upper-case digest":         {whole(v1, kind, strings.Replace(subject, fileDigest[0].Hex(), strings.ToUpper(fileDigest[0].Hex()), 1)), nil},
		"as many subjects as may":   {whole(v1, kind, `"subject":[`+many+`]`), nil},
		"one subject more":          {whole(v1, kind, `"subject":[`+many+`,`+subjectOf("")+`]`), ErrTooLarge},
		"as many digests as may":    {whole(v1, kind, `"subject":[`+subjectOf(more)+`]`), nil},
		"one digest more":           {whole(v1, kind, `"subject":[`+subjectOf(more+`,"x":"00"`)+`]`), ErrTooLarge},
		"name as long as may be":    {whole(v1, kind, strings.Replace(subject, "hello", long, 1)), nil},
		"longer name":               {whole(v1, kind, strings.Replace(subject, "hello", long+"n", 1)), ErrTooLarge},
		"longer predicate type":     {whole(v1, strings.Replace(kind, "p\"", long+"\"", 1), subject), ErrTooLarge},
		"null":                      {"null", ErrMalformed},
		"a list":                    {"[]", ErrMalformed},
		"empty":                     {"", ErrMalformed},
		"empty object":              {"{}", ErrMalformed},
		"no type":                   {whole(kind, subject), ErrMalformed},
		"null type":                 {whole(`"_type":null`, kind, subject), ErrMalformed},
		"another type":              {whole(`"_type":"https://in-toto.io/Statement/v2"`, kind, subject), ErrMalformed},
		"no predicate type":         {whole(v1, subject), ErrMalformed},
		"null predicate type":       {whole(v1, `"predicateType":null`, subject), ErrMalformed},
		"empty predicate type":      {whole(v1, `"predicateType":""`, subject), ErrMalformed},
		"predicate of another kind": {whole(v1, kind, subject, `"predicate":[1]`), ErrMalformed},
		"no subject":                {whole(v1, kind), ErrMalformed},
		"null subject":              {whole(v1, kind, `"subject":null`), ErrMalformed},
		"empty subject":             {whole(v1, kind, `"subject":[]`), ErrMalformed},
		"subject as object":         {whole(v1, kind, `"subject":`+subjectOf("")), ErrMalformed},
		"null in subject":           {whole(v1, kind, `"subject":[null,`+subjectOf("")+`]`), ErrMalformed},
		"null name":                 {whole(v1, kind, strings.Replace(subject, `"hello"`, "null", 1)), ErrMalformed},
		"name as number":            {whole(v1, kind, strings.Replace(subject, `"hello"`, "1", 1)), ErrMalformed},
		"null digest":               {whole(v1, kind, `"subject":[{"digest":null},`+subjectOf("")+`]`), ErrMalformed},
		"no digest":                 {whole(v1, kind, `"subject":[{"name":"a"},`+subjectOf("")+`]`), ErrMalformed},
		"digest as number":          {whole(v1, kind, `"subject":[`+subjectOf(`,"sha512":1`)+`]`), ErrMalformed},
		"null in digest":            {whole(v1, kind, `"subject":[`+subjectOf(`,"sha512":null`)+`]`), ErrMalformed},
		"short digest":              {whole(v1, kind, `"subject":[`+subjectOf(`,"sha512":"00"`)+`]`), ErrMalformed},
		"digest that is no hex":     {whole(v1, kind, `"subject":[`+subjectOf(`,"sha512":"`+strings.Repeat("x", 128)+`"`)+`]`), ErrMalformed},
		"key twice":                 {whole(v1, kind, subject, subject), ErrMalformed},
		"subject in two cases":      {whole(v1, kind, subject, strings.Replace(subject, "s", "S", 1)), ErrMalformed},
		"subject in another case":   {whole(v1, kind, strings.Replace(subject, "s", "ſ", 1)), ErrMalformed},
		"digest in two cases":       {whole(v1, kind, `"subject":[{"Digest":{},`+subjectOf("")[1:]+`]`), ErrMalformed},
		"trailing bytes":            {whole(v1, kind, subject) + "x", ErrMalformed},
		"deep":                      {whole(v1, kind, subject, `"predicate":{"a":`+strings.Repeat("[", 62)+strings.Repeat("]", 62)+"}"), nil},
		"too deep":                  {whole(v1, kind, subject, `"predicate":{"a":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+"}"), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parseStatement([]byte(test.text))
			if test.kind == nil {
				must(t, err)
				if sharedWith(s, fileDigest).Primary() != fileDigest[0] {
					t.Errorf("expected a subject with %s, found %+v", fileDigest[0], s)
				}
			} else if !errors.Is(err, test.kind) || s != nil && err == nil {
				t.Errorf("expected %v, found %v", test.kind, err)
			}
		})
	}
}

// A signed statement that is none is refused through Verify as well.
func TestSignedStatements(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(GitHub)
	sign := func(payload, payloadType string) []byte {
		return l.bundle(testrepo.BundleOptions{Statement: []byte(payload), PayloadType: payloadType, Preset: testrepo.GitHub})
	}
	good := string(statement(t, fileDigest))
	if _, err := v.Verify(sign(good, ""), fileDigest); err != nil {
		t.Error(err)
	}
	refused(t, v, sign(good, "application/json"), fileDigest, ErrMalformed)
	refused(t, v, sign("null", ""), fileDigest, ErrMalformed)
	none := edited(t, sign(good, ""), func(o object) { at(o, "dsseEnvelope")["signatures"] = []any{} })
	refused(t, v, none, fileDigest, ErrMalformed)
}

// A predicate comes as it was signed, but for white space and escapes, and stays
// the same however often it is written.
func TestPredicateIsKept(t *testing.T) {
	t.Parallel()
	text := `{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[` + subjectOf("") +
		"],\"predicate\": { \"b\" : 1.0 , \"a\":\"<\u2028\" } }"
	s, err := parseStatement([]byte(text))
	must(t, err)
	if want := `{"b":1.0,"a":"\u003c\u2028"}`; string(s.Predicate) != want {
		t.Errorf("expected %s, found %s", want, s.Predicate)
	}
	written, err := json.Marshal(s)
	must(t, err)
	var again Statement
	must(t, json.Unmarshal(written, &again))
	if !reflect.DeepEqual(*s, again) {
		t.Errorf("expected %+v, found %+v", *s, again)
	}
	if s.Subjects[0].Digests.Primary().Algorithm() != artifact.SHA256 {
		t.Errorf("found %+v", s.Subjects)
	}
}

// The message says which rule was broken.
func TestWhatIsWrongWithAStatement(t *testing.T) {
	t.Parallel()
	const head = `{"_type":"https://in-toto.io/Statement/v1","predicateType":"p",`
	for text, want := range map[string]string{
		head + `"Subject":[]}`:                          `expected the field "subject", found "Subject"`,
		head + `"subject":[{"digest":{},"Digest":{}}]}`: `expected the field "digest", found "Digest"`,
		head + `"subject":[7]}`:                         `expected an object as digest of each subject, found nothing in "7"`,
		head + `"subject":7}`:                           `expected a list of at least one subject in the statement, found "7"`,
		`{"_type":7}`:                                   `expected a string as _type of the statement, found "7"`,
		`{"_type":"7"}`:                                 `found "7"`,
		`{"Predicate":{}}`:                              `expected the field "predicate", found "Predicate"`,
	} {
		if _, err := parseStatement([]byte(text)); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", text, want, err)
		}
	}
}
