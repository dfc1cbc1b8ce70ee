package cache

import (
	"slices"
	"testing"

	"assay/trust/sbom"
)

// TestNamesFitQueries: whatever package sbom takes for a name of a component is
// one here, so that a look-up by Query.Name misses nothing.
func TestNamesFitQueries(t *testing.T) {
	for _, c := range []sbom.Component{
		{Name: "openssl"},
		{Name: "OpenSSL", PURL: "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64"},
		{Name: "golang.org/x/text", PURL: "pkg:golang/golang.org/x/text@v0.3.7"},
		{Name: "github.com/Masterminds/semver/v3", PURL: "pkg:golang/github.com/%4dasterminds/semver/v3@v3.5.0"},
		{Name: "@babel/core", PURL: "pkg:npm/%40babel/core@7.0.0"},
		{Name: "Zope.Interface", PURL: "pkg:pypi/zope_.interface@5#sub/path"},
		{Name: "log4j-core", PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1"},
		{Name: "org.apache.logging.log4j:log4j-core", PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1"},
		{Name: "x/g:Artifact:jar:1"}, {Name: "g:a"}, {Name: "a:"}, {Name: ":a"}, {Name: "::"}, {Name: "std::fs"}, {Name: "a:b/v2"},
		{Name: "", PURL: "pkg:cargo/Serde"},
		{Name: "x", PURL: "not a purl"},
		{Name: "x", PURL: "pkg:"},
		{Name: "a/v2"}, {Name: "v2"}, {Name: "/"}, {},
	} {
		have := Component{Name: c.Name, PURL: c.PURL}.names()
		for _, name := range sbom.Names(c) {
			if !slices.Contains(have, name) {
				t.Errorf("%+v: expected %q among its names, found %q", c, name, have)
			}
		}
		if slices.Contains(have, "") {
			t.Errorf("%+v: an empty name", c)
		}
	}
}
