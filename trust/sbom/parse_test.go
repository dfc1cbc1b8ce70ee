package sbom

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/strictjson"
)

func TestParseSPDX(t *testing.T) {
	doc, err := Parse([]byte(sampleSPDX))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		Format: SPDX, SpecVersion: "2.3", Name: "hello-1.4.2", Namespace: "https://example.com/spdx/hello-1.4.2-8f14",
		Created: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Tools: []string{"syft-1.18.0"},
		Subject: &Component{Name: "hello", Version: "1.4.2", License: "Apache-2.0"},
		Components: []Component{
			{"golang.org/x/text", "v0.3.7", "pkg:golang/golang.org/x/text@v0.3.7", "BSD-3-Clause"},
			{"openssl", "1.1.1n-0+deb11u3", "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64&distro=debian-11", "OpenSSL AND (MIT OR GPL-2.0-only)"},
		},
		Licenses: []string{"BSD-3-Clause", "GPL-2.0-only", "MIT", "OpenSSL"},
	}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("found\n%+v\nexpected\n%+v", doc, want)
	}
}

func TestParseCycloneDX(t *testing.T) {
	doc, err := Parse([]byte(sampleCycloneDX))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{
		Format: CycloneDX, SpecVersion: "1.6", Name: "hello", Namespace: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
		Created: time.Date(2026, 3, 1, 10, 0, 0, 500_000_000, time.UTC), Tools: []string{"syft 1.18.0"},
		Subject: &Component{Name: "hello", Version: "1.4.2"},
		Components: []Component{
			{"@babel/core", "7.24.0", "pkg:npm/%40babel/core@7.24.0", "MIT"},
			{"deeper", "4", "", ""},
			{"odd", "9", "pkg:generic/odd@9", "Line one Line two"},
			{"org.apache.logging.log4j/log4j-core", "2.14.1", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "Apache-2.0 OR MIT"},
			{"shaded", "3", "", `"My Own License" AND BSD-2-Clause`},
			{"vendored", "0.1", "", ""},
		},
		Licenses: []string{"Apache-2.0", "BSD-2-Clause", "Line one Line two", "MIT", "My Own License"},
	}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("found\n%+v\nexpected\n%+v", doc, want)
	}
}

func TestParseCycloneDX14(t *testing.T) {
	doc, err := Parse([]byte(sampleCycloneDX14))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Subject != nil || len(doc.Tools) != 1 || doc.Tools[0] != "syft 0.60.1" || len(doc.Components) != 1 {
		t.Errorf("found %+v; expected one tool, one component and no subject", doc)
	}
}

// TestParseSubject says which SPDX package is taken for what is described.
func TestParseSubject(t *testing.T) {
	const packages = `"packages":[{"SPDXID":"SPDXRef-a","name":"a"},{"SPDXID":"SPDXRef-b","name":"b"},null]`
	for _, c := range []struct{ name, more, subject string }{
		{"none", ``, ""},
		{"listed", `,"documentDescribes":["SPDXRef-a"]`, "a"},
		{"described by", `,"relationships":[{"spdxElementId":"SPDXRef-b","relationshipType":"DESCRIBED_BY","relatedSpdxElement":"SPDXRef-DOCUMENT"}]`, "b"},
		{"said twice", `,"documentDescribes":["SPDXRef-a"],"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-a"}]`, "a"},
		{"two", `,"documentDescribes":["SPDXRef-a","SPDXRef-b"]`, ""},
		{"two by relationships", `,"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-a"},{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-b"}]`, ""},
		{"a package describes another", `,"relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-b"}]`, ""},
		{"unknown", `,"documentDescribes":["SPDXRef-c"]`, ""},
		{"nulls", `,"documentDescribes":[null,"SPDXRef-a"],"relationships":[null]`, "a"},
	} {
		doc, err := Parse([]byte(`{"spdxVersion":"SPDX-2.2",` + packages + c.more + `}`))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		subject, components := "", 2
		if doc.Subject != nil {
			subject = doc.Subject.Name
			components--
		}
		if subject != c.subject || len(doc.Components) != components {
			t.Errorf("%s: found subject %q, components %v; expected %q and all others", c.name, subject, doc.Components, c.subject)
		}
	}
	// Of two packages with the subject's identifier none is lost.
	doc, err := Parse([]byte(`{"spdxVersion":"SPDX-2.3","documentDescribes":["SPDXRef-a"],"packages":[{"SPDXID":"SPDXRef-a","name":"a"},{"SPDXID":"SPDXRef-a","name":"evil"}]}`))
	if err != nil || doc.Subject.Name != "a" || len(doc.Components) != 1 || doc.Components[0].Name != "evil" {
		t.Errorf("twins: found %+v, %v; expected the second as a component", doc, err)
	}
}

func TestParseRefuses(t *testing.T) {
	spdx := func(packages string) string { return `{"spdxVersion":"SPDX-2.3","packages":` + packages + `}` }
	cyclone := func(components string) string {
		return `{"bomFormat":"CycloneDX","specVersion":"1.5","components":` + components + `}`
	}
	nested := strings.Repeat(`{"name":"a","components":[`, maxNesting+1)
	for _, c := range []struct {
		name, data string
		want       error
		says       string
	}{
		{"empty", ``, strictjson.ErrSyntax, "object"},
		{"array", `[]`, ErrMalformed, "object"},
		{"neither", `{"name":"x"}`, ErrFormat, "neither"},
		{"both", `{"spdxVersion":"SPDX-2.3","bomFormat":"CycloneDX"}`, ErrFormat, "both"},
		{"null version", `{"spdxVersion":null}`, ErrFormat, "neither"},
		{"statement", `{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","predicate":{}}`, ErrFormat, "attestation"},
		{"spdx 3", `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}`, ErrVersion, "SPDX 3"},
		{"spdx 2.1", `{"spdxVersion":"SPDX-2.1"}`, ErrVersion, `"SPDX-2.1"`},
		{"spdx version a number", `{"spdxVersion":2.3}`, ErrMalformed, "spdxVersion"},
		{"cyclonedx 1.1", `{"bomFormat":"CycloneDX","specVersion":"1.1"}`, ErrVersion, `"1.1"`},
		{"cyclonedx 9", `{"bomFormat":"CycloneDX","specVersion":"9\u001b"}`, ErrVersion, `"9\x1b"`},
		{"no spec version", `{"bomFormat":"CycloneDX"}`, ErrVersion, "specVersion"},
		{"other bom", `{"bomFormat":"Other","specVersion":"1.5"}`, ErrFormat, "Other"},
		{"duplicate key", `{"spdxVersion":"SPDX-2.3","packages":[],"packages":[]}`, strictjson.ErrDuplicate, "packages"},
		{"deep", `{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, strictjson.ErrTooDeep, "64"},
		{"packages no array", spdx(`{}`), ErrMalformed, "packages"},
		{"package no object", spdx(`[1]`), ErrMalformed, "packages[0]"},
		{"no name", spdx(`[{"SPDXID":"SPDXRef-a"}]`), ErrMalformed, "packages[0].name"},
		{"bad version", spdx(`[{"SPDXID":"SPDXRef-a","name":"a","versionInfo":1}]`), ErrMalformed, "packages[0]: expected a value that fits"},
		{"bad id", spdx(`[{"SPDXID":"a","name":"a"}]`), ErrMalformed, "packages[0]"},
		{"name with escapes", spdx(`[{"name":"a\u001b[2Jb"}]`), ErrMalformed, `"a\x1b[2Jb"`},
		{"version with a line", spdx(`[{"name":"a","versionInfo":"1\n2"}]`), ErrMalformed, "packages[0].version"},
		{"purl turned round", spdx(`[{"name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:a/\u202eb"}]}]`), ErrMalformed, "packages[0].purl"},
		{"long name", spdx(`[{"name":"` + strings.Repeat("a", maxText+1) + `"}]`), ErrTooLarge, "4096"},
		{"long license", spdx(`[{"name":"a","licenseDeclared":"` + strings.Repeat("a", maxLicense+1) + `"}]`), ErrTooLarge, "65536"},
		{"many packages", spdx("[" + strings.Repeat(`{"name":"a"},`, MaxComponents+1) + `{"name":"a"}]`), ErrTooLarge, "packages"},
		{"many references", spdx(`[{"name":"a","externalRefs":[` + strings.Repeat(`{},`, maxReferences) + `{}]}]`), ErrTooLarge, "externalRefs"},
		{"relationships no array", `{"spdxVersion":"SPDX-2.3","relationships":{}}`, ErrMalformed, "relationships"},
		{"describes a number", `{"spdxVersion":"SPDX-2.3","documentDescribes":[1]}`, ErrMalformed, "documentDescribes"},
		{"creation no object", `{"spdxVersion":"SPDX-2.3","creationInfo":[]}`, ErrMalformed, "creationInfo"},
		{"creator without a kind", `{"spdxVersion":"SPDX-2.3","creationInfo":{"creators":["me"]}}`, ErrMalformed, "creationInfo"},
		{"document's name a number", `{"spdxVersion":"SPDX-2.3","name":1}`, ErrMalformed, "name"},
		{"namespace a number", `{"spdxVersion":"SPDX-2.3","documentNamespace":1}`, ErrMalformed, "documentNamespace"},
		{"many creators", `{"spdxVersion":"SPDX-2.3","creationInfo":{"creators":[` + strings.Repeat(`"Tool: a",`, maxReferences) + `"Tool: a"]}}`, ErrTooLarge, "creators"},
		{"relates a number", `{"spdxVersion":"SPDX-2.3","relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":1}]}`, ErrMalformed, "relationships"},
		{"signed envelope", `{"payloadType":"application/vnd.in-toto+json","payload":""}`, ErrFormat, "attestation"},
		{"bom format a number", `{"bomFormat":1,"specVersion":"1.5"}`, ErrMalformed, "bomFormat"},
		{"spec version a number", `{"bomFormat":"CycloneDX","specVersion":1.5}`, ErrMalformed, "specVersion"},
		{"serial a number", `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":1}`, ErrMalformed, "serialNumber"},
		{"metadata no object", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":[]}`, ErrMalformed, "metadata"},
		{"subject without a name", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{}}}`, ErrMalformed, "metadata.component.name"},
		{"bad part of the subject", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{"name":"a","components":[{}]}}}`, ErrMalformed, "metadata.component.components[0]"},
		{"tool no object", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"tools":[1]}}`, ErrMalformed, "metadata.tools"},
		{"bad component version", cyclone(`[{"name":"a","version":1}]`), ErrMalformed, "components[0]"},
		{"components no array", cyclone(`"a"`), ErrMalformed, "components"},
		{"component no object", cyclone(`[[]]`), ErrMalformed, "components[0]"},
		{"component without a name", cyclone(`[{"name":" "}]`), ErrMalformed, "components[0].name"},
		{"nested too deep", cyclone("[" + nested + strings.Repeat("]}", maxNesting+1) + "]"), ErrTooLarge, "levels"},
		{"many components", cyclone("[" + strings.Repeat(`null,`, MaxComponents) + `null]`), ErrTooLarge, "components[100000]"},
		{"many licences", cyclone(`[{"name":"a","licenses":[` + strings.Repeat(`{},`, maxReferences) + `{}]}]`), ErrTooLarge, "components[0].licenses"},
		{"licences a text", cyclone(`[{"name":"a","licenses":"MIT"}]`), ErrMalformed, "components[0].licenses"},
		{"inner component bad", cyclone(`[{"name":"a","components":[{"name":1}]}]`), ErrMalformed, "components[0].components[0]"},
		{"tools a number", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"tools":1}}`, ErrMalformed, "metadata.tools"},
	} {
		doc, err := Parse([]byte(c.data))
		if doc != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: found %v, %v; expected %v that says %q", c.name, doc != nil, err, c.want, c.says)
		}
		if err != nil && (len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\n\u202e")) {
			t.Errorf("%s: the message is not fit to be shown: %q", c.name, err)
		}
	}
}

// TestParseTooLong holds the limit of bytes, which is asked before anything is read.
func TestParseTooLong(t *testing.T) {
	data := make([]byte, MaxBytes+1)
	if _, err := Parse(data); !errors.Is(err, ErrTooLarge) || !errors.Is(err, strictjson.ErrTooLarge) {
		t.Errorf("found %v; expected ErrTooLarge", err)
	}
}

// TestParseKeysAreExact shows that a key in other letters is another key, which
// encoding/json would take for the one that is meant.
func TestParseKeysAreExact(t *testing.T) {
	doc, err := Parse([]byte(`{"spdxVersion":"SPDX-2.3","packages":[{"name":"evil","NAME":"good","versionInfo":"1","VersionInfo":"2"}]}`))
	if err != nil || doc.Components[0].Name != "evil" || doc.Components[0].Version != "1" {
		t.Errorf("found %+v, %v; expected evil 1", doc, err)
	}
}

// TestParseTakes are documents that are odd and still clear.
func TestParseTakes(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"null identifier", `{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":null,"name":"a","externalRefs":[null]}]}`, "[{a   }] []"},
		{"licences of nothing", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"a","licenses":[{},{"license":{"id":"MIT"}},{"license":{"name":"NOASSERTION"}}]}]}`, "[{a   MIT AND \"NOASSERTION\"}] [MIT]"},
		{"licences that differ in case", `{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","licenseDeclared":"mit"},{"name":"b","licenseDeclared":"MIT"}]}`, "[{a   mit} {b   MIT}] [MIT]"},
		{"tools", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"tools":[null` + strings.Repeat(`,{"name":"t"}`, maxTools+1) + `]}}`, "[] []"},
		{"creators", `{"spdxVersion":"SPDX-2.3","creationInfo":{"creators":["Person: a"` + strings.Repeat(`,"Tool: t"`, maxTools+1) + `]}}`, "[] []"},
	} {
		doc, err := Parse([]byte(c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := fmt.Sprint(doc.Components, doc.Licenses); got != c.want || len(doc.Tools) > maxTools || slices.Contains(doc.Tools, "") {
			t.Errorf("%s: found %s and %d tools, expected %s", c.name, got, len(doc.Tools), c.want)
		}
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	doc, err := guarded(ErrMalformed, func() (*Document, error) { panic("\x1b[2J") })
	if doc != nil || !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("found %v, %v; expected ErrMalformed", doc, err)
	}
}

func TestParsePredicate(t *testing.T) {
	for _, c := range []struct {
		kind, data string
		want       error
	}{
		{"https://spdx.dev/Document", sampleSPDX, nil},
		{"https://spdx.dev/Document/v2.3", sampleSPDX, nil},
		{"https://cyclonedx.org/bom", sampleCycloneDX, nil},
		{"https://cyclonedx.org/bom/v1.6", sampleCycloneDX, nil},
		{"https://cyclonedx.org/bom", sampleSPDX, ErrFormat},
		{"https://spdx.dev/Document", sampleCycloneDX, ErrFormat},
		{"https://spdx.dev/Documents", sampleSPDX, ErrPredicate},
		{"https://slsa.dev/provenance/v1", sampleSPDX, ErrPredicate},
		{"", sampleSPDX, ErrPredicate},
		{"https://spdx.dev/Document", "null", ErrMalformed},
		{"https://spdx.dev/Document", "{}", ErrFormat},
	} {
		doc, err := ParsePredicate(c.kind, []byte(c.data))
		if !errors.Is(err, c.want) || (doc == nil) != (c.want != nil) {
			t.Errorf("%q: found %v; expected %v", c.kind, err, c.want)
		}
	}
}

// FuzzParse holds that what Parse accepts is bounded, sorted, distinct, fit to be
// shown, and comes out of its own purls again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{sampleSPDX, sampleCycloneDX, sampleCycloneDX14, `{"spdxVersion":"SPDX-2.3","packages":[null,{"name":"a","hasFiles":null}]}`,
		`{"bomFormat":"CycloneDX","specVersion":"1.2","components":[{"name":"a","licenses":[null,{"license":null}]}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse(data)
		if err != nil {
			for _, sentinel := range []error{ErrFormat, ErrVersion, ErrMalformed, ErrTooLarge} {
				if errors.Is(err, sentinel) {
					return
				}
			}
			t.Fatalf("an error without a sentinel: %v", err)
		}
		for i, c := range doc.Components {
			if i > 0 && compareComponents(doc.Components[i-1], c) >= 0 {
				t.Fatalf("components %d and %d are not in order", i-1, i)
			}
			again := c
			if err := again.check("again"); err != nil || again != c {
				t.Fatalf("component %q does not pass its own check: %v", fmt.Sprint(c), err)
			}
			for _, name := range Names(c) {
				if q := (Query{name: name}); name != "" {
					if ok, _ := q.Matches(c); !ok {
						t.Fatalf("%q is a name of %q, and does not find it", name, fmt.Sprint(c))
					}
				}
			}
		}
	})
}
