package advisory

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"assay/trust/sbom"
)

var (
	hello  = Product{Name: "hello", Version: "1.4.2"}
	goText = sbom.Component{Name: "golang.org/x/text", Version: "v0.3.7", PURL: "pkg:golang/golang.org/x/text@v0.3.7"}
)

func setOf(t testing.TB, documents ...string) *Set {
	t.Helper()
	var docs []*Document
	for i, data := range documents {
		doc, err := Parse(fmt.Sprintf("doc%d", i+1), []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	set, err := NewSet(docs...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestFindJoinsAliases(t *testing.T) {
	set := setOf(t, goRecord, "["+ghsaRecord+"]")
	want := []Finding{{
		ID: "CVE-2022-32149", Aliases: []string{"GHSA-69ch-w2m2-3vjp", "GO-2022-1059"}, State: Affected,
		Summary:  "Denial of service via crafted Accept-Language header in golang.org/x/text/language",
		Severity: "HIGH CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Modified: time.Date(2024, 5, 21, 15, 12, 35, 0, time.UTC),
		Component: goText, Fixed: "0.3.8", Source: "doc1, doc2",
	}}
	if found := set.Find(hello, []sbom.Component{goText}); !reflect.DeepEqual(found, want) {
		t.Errorf("found\n%+v\nexpected\n%+v", found, want)
	}
	mended := sbom.Component{Name: goText.Name, Version: "v0.3.8"}
	if found := set.Find(hello, []sbom.Component{mended}); found != nil {
		t.Errorf("found %+v; expected nothing of a version that is mended", found)
	}
}

// TestFindByPackage says which components a record concerns.
func TestFindByPackage(t *testing.T) {
	set := setOf(t, `{"vulns":[`+strings.Join([]string{goRecord, debianRecord, pypiRecord}, ",")+`]}`)
	for _, c := range []struct {
		component sbom.Component
		want      string
	}{
		{goText, "CVE-2022-32149 affected 0.3.8"},
		{sbom.Component{Name: "golang.org/x/text", Version: "0.3.7"}, "CVE-2022-32149 affected 0.3.8"},
		{sbom.Component{Name: "x", PURL: "pkg:golang/golang.org/x/text@v0.3.7"}, "CVE-2022-32149 affected 0.3.8"},
		{sbom.Component{Name: "x", Version: "(devel)", PURL: "pkg:golang/golang.org/x/text"}, "CVE-2022-32149 unknown "},
		{sbom.Component{Name: "x", PURL: "pkg:golang/golang.org/x/text"}, "CVE-2022-32149 unknown "},
		{sbom.Component{Name: "golang.org/x/text", Version: "0.3.7", PURL: "pkg:npm/text@0.3.7"}, ""},
		{sbom.Component{Name: "openssl", PURL: "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64&distro=debian-11"}, "DSA-5343-1 affected 1.1.1n-0+deb11u4"},
		{sbom.Component{Name: "openssl", PURL: "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u4?arch=amd64&distro=debian-11"}, ""},
		{sbom.Component{Name: "libssl1.1", PURL: "pkg:deb/debian/libssl1.1@1.1.1n-0%2Bdeb11u3?upstream=openssl&distro=debian-11.6"}, "DSA-5343-1 affected 1.1.1n-0+deb11u4"},
		{sbom.Component{Name: "openssl", PURL: "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u4?arch=amd64&distro=debian-12"}, "DSA-5343-1 affected 3.0.8-1"},
		{sbom.Component{Name: "openssl", PURL: "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u4"}, "DSA-5343-1 affected 3.0.8-1"},
		{sbom.Component{Name: "openssl", PURL: "pkg:deb/ubuntu/openssl@1.1.1k-1"}, ""},
		{sbom.Component{Name: "openssl", Version: "1.1.1k-1"}, "DSA-5343-1 unknown 1.1.1n-0+deb11u4"},
		{sbom.Component{Name: "requests", Version: "2.30.0", PURL: "pkg:pypi/requests@2.30.0"}, "CVE-2023-32681 affected 2.31.0"},
		{sbom.Component{Name: "requests", Version: "2.31.0rc1", PURL: "pkg:pypi/requests"}, "CVE-2023-32681 affected 2.31.0"},
		{sbom.Component{Name: "requests", Version: "2.2.9", PURL: "pkg:pypi/requests"}, ""},
		{sbom.Component{Name: "requests", Version: "2.31.0", PURL: "pkg:pypi/requests"}, ""},
		{sbom.Component{Name: "text", Version: "0.3.7"}, ""},
	} {
		if got := brief(set.Find(hello, []sbom.Component{c.component})); got != c.want {
			t.Errorf("%+v: found %q, expected %q", c.component, got, c.want)
		}
	}
	if got := brief(set.Find(Product{Name: "requests", Version: "2.30.0"}, nil)); got != "" {
		t.Errorf("a product named as a package: found %q; expected nothing, as it is no Python package", got)
	}
	if got := brief(set.Find(Product{Name: "r", Version: "2.30.0", PURL: "pkg:pypi/requests@2.30.0"}, nil)); got != "CVE-2023-32681 affected 2.31.0" {
		t.Errorf("a product by its purl: found %q", got)
	}
}

func brief(findings []Finding) string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s %s", f.ID, f.State, f.Fixed))
	}
	return strings.Join(lines, "; ")
}

// TestRanges follows the OSV schema's evaluation of versions and ranges.
func TestRanges(t *testing.T) {
	for _, c := range []struct {
		name, affected string
		versions       string // version:state, where state is a, u or -
	}{
		{"fixed", `"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.2.0"}]}]`, "0.9.0:- 1.0.0-rc1:- 1.0.0:a 1.1.9:a 1.2.0-rc1:a 1.2.0:- v1.1.0:a main:u"},
		{"unordered", `"ranges":[{"type":"SEMVER","events":[{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"introduced":"0"},{"fixed":"2.1.0"}]}]`, "0.1.0:a 1.2.0:- 1.9.9:- 2.0.0:a 2.1.0:-"},
		{"introduced again at once", `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"introduced":"1.2.0"},{"fixed":"1.2.0"}]}]`, "1.2.0:a 1.1.0:a"},
		{"last affected", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"1.5"}]}]`, "1.5:a 1.5.0:a 1.5.1:- 1.4:a"},
		{"one version", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.5"},{"last_affected":"1.5"}]}]`, "1.4:- 1.5:a 1.6:-"},
		{"no end", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]`, "0:a 99:a :u"},
		{"before zero", `"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}]`, "0.0.0-alpha:a 0.0.0:a"},
		{"zero alone", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"0"}]}]`, "0:a 1:-"},
		{"limit", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"limit":"2.0"}]}]`, "1.5:a 2.0:- 2.5:-"},
		{"limits", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"limit":"2.0"},{"limit":"*"}]}]`, "1.5:a 2.5:a"},
		{"versions only", `"versions":["1.0","v1.1"]`, "1.0:a 1.1:a 1.2:- v1.0:a"},
		{"versions beside a range", `"versions":["9.9"],"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]`, "9.9:a 1:a 3:-"},
		{"two ranges", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1"},{"fixed":"2"}]},{"type":"ECOSYSTEM","events":[{"introduced":"3"},{"fixed":"4"}]}]`, "1:a 2:- 3:a 4:-"},
		{"commits only", `"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]`, "1:-"},
		{"commits and versions", `"versions":["1"],"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]`, "1:a 2:-"},
		{"nothing", `"versions":[]`, "1:u"},
		{"events that can't be compared", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"deadbeefcafe"}]}]`, "1:u"},
		{"control characters", `"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1\u001b[2J"}]}]`, "1:u"},
		{"no events", `"ranges":[{"type":"ECOSYSTEM","events":[]}]`, "1:-"},
	} {
		set := setOf(t, `{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"name":"p","ecosystem":"PyPI"},`+c.affected+`}]}`)
		for pair := range strings.SplitSeq(c.versions, " ") {
			version, want, _ := strings.Cut(pair, ":")
			found := set.Find(Product{}, []sbom.Component{{Name: "p", Version: version, PURL: "pkg:pypi/p"}})
			got := "-"
			if len(found) > 0 {
				got = string(found[0].State[0])
				if strings.ContainsAny(found[0].Why+found[0].Fixed, "\x1b") {
					t.Errorf("%s: %+v is not fit to be shown", c.name, found[0])
				}
				if (found[0].State == Unknown) != (found[0].Why != "") {
					t.Errorf("%s: %q: state %q with reason %q", c.name, version, found[0].State, found[0].Why)
				}
			}
			if got != want {
				t.Errorf("%s: %q: found %q, expected %q", c.name, version, got, want)
			}
		}
	}
}

// TestFixed: what mends a version is the next fix above it.
func TestFixed(t *testing.T) {
	for _, events := range []string{
		`{"introduced":"0"},{"fixed":"2"},{"introduced":"3"},{"fixed":"4"}`, `{"fixed":"4"},{"introduced":"3"},{"fixed":"2"},{"introduced":"0"}`,
	} {
		set := setOf(t, `[{"id":"X-1","affected":[{"package":{"name":"p","ecosystem":"PyPI"},"ranges":[{"type":"ECOSYSTEM","events":[`+events+`]}]}]}]`)
		for version, want := range map[string]string{"1": "2", "3": "4"} {
			if found := set.Find(Product{}, []sbom.Component{{Name: "p", Version: version, PURL: "pkg:pypi/p"}}); len(found) != 1 || found[0].Fixed != want {
				t.Errorf("%s: %s: found %+v, expected it fixed in %s", events, version, found, want)
			}
		}
	}
}

func TestReleases(t *testing.T) {
	for text, want := range map[string]string{
		"debian-11": "11", "Ubuntu:Pro:22.04:LTS": "22.04", "v3.18": "3.18", "alpine-3.18.4": "3.18.4", "bookworm": "", "": "", "9 12": "9", "1.a": "1", "7/8": "7",
	} {
		if got := firstNumber(text); got != want {
			t.Errorf("%q: found %q, expected %q", text, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"11", "11", true}, {"11", "12", false}, {"", "12", true}, {"12", "", true}, {"3.18", "3.18.4", true}, {"3.18.4", "3.18", true}, {"1", "11", false}, {"11", "1", false},
	} {
		if got := sameRelease(c.a, c.b); got != c.same {
			t.Errorf("%q and %q: found %v, expected %v", c.a, c.b, got, c.same)
		}
	}
}

// TestSeverity takes the newest kind, of the record or else of the package.
func TestSeverity(t *testing.T) {
	for _, c := range []struct{ record, affected, want string }{
		{`[{"type":"CVSS_V2","score":"AV:N"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}]`, `[]`, "CVSS:3.1/AV:N"},
		{`[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}]`, `[]`, "CVSS:4.0/AV:N"},
		{`null`, `[{"type":"Ubuntu","score":"med\u001bium"}]`, "Ubuntu med ium"},
		{`[{"type":"CVSS_V3"}]`, `[]`, ""},
	} {
		set := setOf(t, `[{"id":"X-1","severity":`+c.record+`,"affected":[{"package":{"name":"p","ecosystem":"PyPI"},"versions":["1"],"severity":`+c.affected+`}]}]`)
		if found := set.Find(Product{}, []sbom.Component{{Name: "p", Version: "1", PURL: "pkg:pypi/p"}}); len(found) != 1 || found[0].Severity != c.want {
			t.Errorf("%s: found %+v, expected severity %q", c.record, found, c.want)
		}
	}
}

func TestWithdrawnIsIgnored(t *testing.T) {
	set := setOf(t, strings.Replace(ghsaRecord, `"withdrawn": null`, `"withdrawn": "2025-01-01T00:00:00Z"`, 1))
	if found := set.Find(hello, []sbom.Component{goText}); found != nil {
		t.Errorf("found %+v; expected nothing", found)
	}
}

// TestFindIsFast answers for 10,000 artifacts of 100 components from 10,000
// records; the limit leaves room for a slow machine and the race detector.
func TestFindIsFast(t *testing.T) {
	if testing.Short() {
		t.Skip("a second or two")
	}
	set, components := largeSet(t, 10_000)
	began := time.Now()
	artifacts := 100
	for range artifacts {
		if found := set.Find(hello, components); len(found) != 10 {
			t.Fatalf("found %d, expected 10", len(found))
		}
	}
	if each := time.Since(began) / time.Duration(artifacts); each > 5*time.Millisecond {
		t.Errorf("%v for an artifact; expected well under a millisecond", each)
	}
}

func BenchmarkFind(b *testing.B) {
	set, components := largeSet(b, 10_000)
	for b.Loop() {
		set.Find(hello, components)
	}
}

// largeSet has records of one package each; one in ten components of an artifact
// is affected.
func largeSet(t testing.TB, records int) (*Set, []sbom.Component) {
	t.Helper()
	var data strings.Builder
	data.WriteString("[")
	for i := range records {
		if i > 0 {
			data.WriteString(",")
		}
		fmt.Fprintf(&data, `{"id":"GO-%d","modified":"2026-01-01T00:00:00Z","aliases":["CVE-%d"],"affected":[{"package":{"name":"example.com/m%d","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}`, i, i, i)
	}
	data.WriteString("]")
	var components []sbom.Component
	for i := range 100 {
		version := "v1.3.0"
		if i%10 == 0 {
			version = "v1.1.0"
		}
		name := fmt.Sprintf("example.com/m%d", i*7)
		components = append(components, sbom.Component{Name: name, Version: version, PURL: "pkg:golang/" + name + "@" + version})
	}
	return setOf(t, data.String()), components
}
