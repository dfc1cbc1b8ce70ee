package sbom

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParse reads an SPDX document of 5,000 packages, as a large image has.
func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"spdxVersion":"SPDX-2.3","packages":[`)
	for i := range 5000 {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, `{"name":"example.com/m%d","SPDXID":"SPDXRef-%d","versionInfo":"v1.2.%d","licenseConcluded":"NOASSERTION","licenseDeclared":"MIT","filesAnalyzed":false,"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:golang/example.com/m%d@v1.2.%d"}]}`, i, i, i%7, i, i%7)
	}
	text.WriteString(`],"files":[`)
	for i := range 20_000 {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, `{"fileName":"/usr/lib/file%d","SPDXID":"SPDXRef-File-%d","checksums":[{"algorithm":"SHA1","checksumValue":"0000000000000000000000000000000000000000"}]}`, i, i)
	}
	text.WriteString(`]}`)
	data := []byte(text.String())
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if doc, err := Parse(data); err != nil || len(doc.Components) != 5000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	q, err := ParseQuery("golang.org/x/text@<0.3.8")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		q.Matches(goText)
		q.Matches(babel)
	}
}
