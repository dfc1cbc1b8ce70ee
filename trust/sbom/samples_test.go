package sbom

// Documents as their generators write them, shortened.

const sampleSPDX = `{
 "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
 "name": "hello-1.4.2", "documentNamespace": "https://example.com/spdx/hello-1.4.2-8f14",
 "creationInfo": {"licenseListVersion": "3.25", "creators": ["Organization: Example, Inc", "Tool: syft-1.18.0"], "created": "2026-03-01T10:00:00Z"},
 "packages": [
  {"name": "hello", "SPDXID": "SPDXRef-Package-hello", "versionInfo": "1.4.2", "supplier": "NOASSERTION", "downloadLocation": "NOASSERTION",
   "filesAnalyzed": false, "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION"},
  {"name": "golang.org/x/text", "SPDXID": "SPDXRef-Package-go-text", "versionInfo": "v0.3.7", "supplier": "NOASSERTION",
   "downloadLocation": "https://proxy.example/text", "filesAnalyzed": false, "licenseConcluded": "BSD-3-Clause", "licenseDeclared": "NOASSERTION",
   "externalRefs": [
    {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:golang:text:v0.3.7:*:*:*:*:*:*:*"},
    {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:golang/golang.org/x/text@v0.3.7"}]},
  {"name": "openssl", "SPDXID": "SPDXRef-Package-deb-openssl", "versionInfo": "1.1.1n-0+deb11u3", "licenseConcluded": "NOASSERTION",
   "licenseDeclared": "OpenSSL AND (MIT OR GPL-2.0-only)", "externalRefs": [
    {"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64&distro=debian-11"}]},
  {"name": "openssl", "SPDXID": "SPDXRef-Package-deb-openssl-again", "versionInfo": "1.1.1n-0+deb11u3", "licenseConcluded": "NONE",
   "licenseDeclared": "OpenSSL AND (MIT OR GPL-2.0-only)", "externalRefs": [
    {"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64&distro=debian-11"}]}
 ],
 "files": [{"fileName": "/usr/bin/hello", "SPDXID": "SPDXRef-File-hello", "checksums": [{"algorithm": "SHA1", "checksumValue": "0000000000000000000000000000000000000000"}]}],
 "relationships": [
  {"spdxElementId": "SPDXRef-Package-hello", "relatedSpdxElement": "SPDXRef-Package-go-text", "relationshipType": "DEPENDS_ON"},
  {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-Package-hello", "relationshipType": "DESCRIBES"}]
}`

const sampleCycloneDX = `{
 "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
 "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
 "metadata": {
  "timestamp": "2026-03-01T11:00:00.5+01:00",
  "tools": {"components": [{"type": "application", "author": "anchore", "name": "syft", "version": "1.18.0"}]},
  "component": {"bom-ref": "root", "type": "application", "name": "hello", "version": "1.4.2",
   "components": [{"type": "library", "name": "vendored", "version": "0.1"}]}
 },
 "components": [
  {"bom-ref": "a", "type": "library", "group": "@babel", "name": "core", "version": "7.24.0", "purl": "pkg:npm/%40babel/core@7.24.0",
   "licenses": [{"license": {"id": "MIT"}}], "hashes": [{"alg": "SHA-256", "content": "00"}]},
  {"bom-ref": "b", "type": "library", "group": "org.apache.logging.log4j", "name": "log4j-core", "version": "2.14.1",
   "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "licenses": [{"expression": "Apache-2.0 OR MIT"}],
   "components": [{"type": "library", "name": "shaded", "version": "3", "licenses": [{"license": {"name": "My Own License"}}, {"license": {"id": "BSD-2-Clause"}}],
    "components": [{"type": "library", "name": "deeper", "version": "4"}]}]},
  {"bom-ref": "c", "type": "file", "name": "/usr/bin/hello"},
  {"bom-ref": "d", "type": "library", "name": "odd", "version": null, "purl": "pkg:generic/odd@9", "licenses": [{"license": {"name": "Line one\nLine two"}}]}
 ],
 "dependencies": [{"ref": "root", "dependsOn": ["a", "b"]}]
}`

const sampleCycloneDX14 = `{"bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1,
 "metadata": {"tools": [{"vendor": "anchore", "name": "syft", "version": "0.60.1"}]},
 "components": [{"type": "library", "name": "left-pad", "version": "1.3.0"}]}`
