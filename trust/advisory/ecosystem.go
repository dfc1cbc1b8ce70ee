package advisory

import (
	"net/url"
	"strings"

	osv "github.com/ossf/osv-schema/bindings/go/osvconstants"

	"assay/trust/sbom"
)

// purlPrefixes says how OSV's ecosystems are spelled in purls: the type, and for
// distributions the namespace.
var purlPrefixes = map[osv.Ecosystem]string{
	osv.EcosystemAlmaLinux:     "rpm/almalinux",
	osv.EcosystemAlpaquita:     "apk/alpaquita",
	osv.EcosystemAlpine:        "apk/alpine",
	osv.EcosystemAzureLinux:    "rpm/azurelinux",
	osv.EcosystemBitnami:       "bitnami",
	osv.EcosystemChainguard:    "apk/chainguard",
	osv.EcosystemConanCenter:   "conan",
	osv.EcosystemCRAN:          "cran",
	osv.EcosystemCratesIO:      "cargo",
	osv.EcosystemDebian:        "deb/debian",
	osv.EcosystemEcho:          "deb/echo",
	osv.EcosystemGitHubActions: "github",
	osv.EcosystemGo:            "golang",
	osv.EcosystemHackage:       "hackage",
	osv.EcosystemHex:           "hex",
	osv.EcosystemMageia:        "rpm/mageia",
	osv.EcosystemMaven:         "maven",
	osv.EcosystemMinimOS:       "apk/minimos",
	osv.EcosystemNPM:           "npm",
	osv.EcosystemNuGet:         "nuget",
	osv.EcosystemOpam:          "opam",
	osv.EcosystemOpenEuler:     "rpm/openeuler",
	osv.EcosystemOpenSUSE:      "rpm/opensuse",
	osv.EcosystemOSSFuzz:       "generic",
	osv.EcosystemPackagist:     "composer",
	osv.EcosystemPub:           "pub",
	osv.EcosystemPyPI:          "pypi",
	osv.EcosystemRedHat:        "rpm/redhat",
	osv.EcosystemRockyLinux:    "rpm/rocky-linux",
	osv.EcosystemRubyGems:      "gem",
	osv.EcosystemSUSE:          "rpm/suse",
	osv.EcosystemSwiftURL:      "swift",
	osv.EcosystemUbuntu:        "deb/ubuntu",
	osv.EcosystemVSCode:        "vscode-extension",
	osv.EcosystemWolfi:         "apk/wolfi",
}

// keyInEcosystem is the key of a package's purl, empty where the ecosystem has
// none.
func keyInEcosystem(ecosystem, name string) string {
	prefix, ok := purlPrefixes[osv.Ecosystem(ecosystem)]
	if !ok || name == "" {
		return ""
	}
	kind, namespace, _ := strings.Cut(prefix, "/")
	if kind == "maven" {
		name = strings.ReplaceAll(name, ":", "/")
	}
	if kind == "vscode-extension" {
		name = strings.Replace(name, ".", "/", 1)
	}
	return sbom.PURL{Type: kind, Namespace: namespace, Name: name}.Key()
}

// alternativeKeys are other keys under which the package of a component may
// stand, and what its purl says of the distribution's release.
func alternativeKeys(purl, key string) (more []string, release string) {
	_, query, ok := strings.Cut(purl, "?")
	if !ok {
		return nil, ""
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, ""
	}
	if upstream, _, _ := strings.Cut(values.Get("upstream"), "@"); upstream != "" && (strings.HasPrefix(key, "deb/") || strings.HasPrefix(key, "apk/")) {
		kind, rest, _ := strings.Cut(key, "/")
		namespace, _, _ := strings.Cut(rest, "/")
		more = append(more, sbom.PURL{Type: kind, Namespace: namespace, Name: upstream}.Key())
	}
	return more, firstNumber(values.Get("distro"))
}

// firstNumber is the first number in text, with those that dots join to it: 11
// of debian-11, 22.04 of Ubuntu:Pro:22.04:LTS.
func firstNumber(text string) string {
	start := strings.IndexAny(text, "0123456789")
	if start < 0 {
		return ""
	}
	text = text[start:]
	if end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }); end >= 0 {
		text = text[:end]
	}
	return strings.Trim(text, ".")
}

// sameRelease reports whether two releases of a distribution can be one; one of
// them may be told more exactly: 3.18.4 is of 3.18.
func sameRelease(a, b string) bool {
	return a == "" || b == "" || a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}
