package advisory

// Advisories as their makers publish them, shortened.

const goRecord = `{
 "schema_version": "1.3.1", "id": "GO-2022-1059", "modified": "2024-05-20T16:03:47Z", "published": "2022-10-11T18:16:24Z",
 "aliases": ["CVE-2022-32149", "GHSA-69ch-w2m2-3vjp"],
 "summary": "Denial of service via crafted Accept-Language header in golang.org/x/text/language",
 "details": "The BCP 47 tag parser has quadratic time complexity.",
 "affected": [{"package": {"name": "golang.org/x/text", "ecosystem": "Go"},
  "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.3.8"}]}],
  "ecosystem_specific": {"imports": [{"path": "golang.org/x/text/language", "symbols": ["MatchStrings"]}]}}],
 "references": [{"type": "FIX", "url": "https://go.dev/cl/442235"}],
 "database_specific": {"url": "https://pkg.go.dev/vuln/GO-2022-1059", "review_status": "REVIEWED"}}`

const ghsaRecord = `{
 "schema_version": "1.4.0", "id": "GHSA-69ch-w2m2-3vjp", "modified": "2024-05-21T15:12:35Z", "withdrawn": null,
 "aliases": ["CVE-2022-32149"], "related": ["CVE-2020-0001"],
 "summary": "golang.org/x/text/language Denial of service",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
 "affected": [{"package": {"ecosystem": "Go", "name": "golang.org/x/text", "purl": "pkg:golang/golang.org/x/text"},
  "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.3.8"}]}], "database_specific": {"source": "https://github.com/"}}],
 "database_specific": {"cwe_ids": ["CWE-772"], "severity": "HIGH", "github_reviewed": true}}`

const debianRecord = `{
 "id": "DSA-5343-1", "modified": "2023-02-07T00:00:00Z", "summary": "openssl - security update", "aliases": [], "upstream": ["CVE-2023-0286"],
 "affected": [
  {"package": {"ecosystem": "Debian:11", "name": "openssl", "purl": "pkg:deb/debian/openssl?arch=source"},
   "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.1n-0+deb11u4"}]}],
   "versions": ["1.1.1k-1", "1.1.1n-0+deb11u3"]},
  {"package": {"ecosystem": "Debian:12", "name": "openssl", "purl": "pkg:deb/debian/openssl?arch=source"},
   "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.8-1"}]}]}]}`

const pypiRecord = `{
 "id": "PYSEC-2023-74", "modified": "2023-06-05T01:13:36Z", "aliases": ["CVE-2023-32681"],
 "affected": [{"package": {"ecosystem": "PyPI", "name": "Requests", "purl": "pkg:pypi/requests"},
  "ranges": [{"type": "GIT", "repo": "https://github.com/psf/requests", "events": [{"introduced": "0"}, {"fixed": "74ea7cf7a6a27a4eeb2ae24e162bcc942a6706d5"}]},
             {"type": "ECOSYSTEM", "events": [{"introduced": "2.3.0"}, {"fixed": "2.31.0"}]}],
  "versions": ["2.3.0", "2.30.0"]}]}`

const vexDocument = `{
 "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/hello-1", "author": "Example Security", "role": "Vendor",
 "timestamp": "2026-01-01T00:00:00Z", "version": 1,
 "statements": [
  {"vulnerability": {"@id": "https://nvd.nist.gov/vuln/detail/CVE-2022-32149", "name": "CVE-2022-32149"},
   "products": [{"@id": "pkg:generic/hello@1.4.2", "subcomponents": [{"@id": "pkg:golang/golang.org/x/text@v0.3.7"}]}],
   "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path", "impact_statement": "hello parses no headers"}
 ]}`
