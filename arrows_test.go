// The architecture, held by a test: which package may import which, and which
// library has one sole user. The imports are parsed here from the source, as
// `go test` would cache the answer of a `go list` run.
package assay

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows lists, for each package of the module, the packages of the module
// that it may import. A package that is missing here fails the test, so that a
// new room is always drawn in on purpose. Test files are exempt.
var arrows = map[string][]string{
	"artifact":                  {"internal/shown"},
	"artifact/checksums":        {"artifact", "internal/shown"},
	"artifact/release":          {"artifact", "internal/strictjson", "internal/shown"},
	"trust":                     {"artifact", "artifact/release", "internal/strictjson"},
	"trust/provenance":          {"artifact", "internal/strictjson", "internal/shown"},
	"trust/provenance/slsa":     {"artifact", "internal/strictjson", "internal/shown"},
	"trust/provenance/detached": {"artifact", "internal/shown"},
	"trust/sbom":                {"artifact", "internal/strictjson", "internal/shown"},
	"trust/advisory":            {"artifact", "trust/sbom", "internal/strictjson", "internal/shown"},
	"trust/policy": {
		"artifact", "artifact/release", "trust", "trust/provenance", "trust/provenance/slsa", "trust/sbom", "trust/advisory", "internal/shown",
	},
	"trust/proof": {
		"artifact", "artifact/checksums", "artifact/release", "trust", "trust/provenance", "trust/provenance/slsa",
		"trust/sbom", "trust/advisory", "trust/policy",
	},
	"cache":         {"artifact", "internal/boltfile", "internal/durable", "internal/strictjson", "internal/shown"},
	"cache/archive": {"artifact", "cache", "internal/strictjson", "internal/shown"},
	"cache/audit":   {"artifact", "internal/boltfile"},
	"cache/state":   {"internal/boltfile", "internal/shown"},
	"fetch": {
		"artifact", "artifact/release", "trust", "trust/policy", "trust/proof", "cache", "fetch/wire", "fetch/transfer", "fetch/mirrors",
		"internal/durable", "internal/strictjson",
	},
	"fetch/install": {
		"artifact", "artifact/release", "cache", "fetch/unpack", "internal/durable", "internal/strictjson", "internal/shown",
	},
	"fetch/lockfile":     {"artifact", "artifact/release", "internal/durable", "internal/shown", "internal/stricttoml"},
	"fetch/mirrors":      {"internal/strictjson"},
	"fetch/wire":         {"trust"},
	"fetch/transfer":     {"artifact", "cache", "fetch/wire"},
	"fetch/unpack":       {"internal/durable", "internal/shown"},
	"fetch/pinned":       {"artifact", "artifact/checksums", "trust", "cache", "fetch/transfer", "fetch/wire"},
	"fetch/pinned/cloud": {"fetch/pinned", "fetch/transfer", "fetch/wire"},
	"mirror":             {"artifact", "artifact/release", "trust", "cache", "mirror/storage", "mirror/counters", "mirror/tracing", "internal/strictjson", "internal/shown"},
	"mirror/airgap": {
		"artifact", "trust", "cache", "mirror", "mirror/storage", "internal/durable", "internal/plaintar", "internal/strictjson", "internal/shown",
	},
	"mirror/backup": {
		"artifact", "mirror/storage", "internal/boltfile", "internal/durable", "internal/plaintar", "internal/strictjson", "internal/shown",
	},
	"mirror/storage":             {"artifact", "cache", "internal/durable", "internal/shown"},
	"mirror/storage/storagetest": {"artifact", "cache", "mirror/storage"},
	"mirror/counters":            {},
	"mirror/tracing":             {},
	"mirror/metrics":             {"mirror", "mirror/counters"},
	"mirror/upstream":            {"artifact/release", "mirror", "mirror/counters", "mirror/tracing", "fetch", "fetch/wire", "cache", "trust", "trust/policy", "trust/proof"},
	"mirror/serve":               {"artifact", "mirror", "mirror/storage", "mirror/counters", "mirror/tracing", "internal/shown"},
	"mirror/page":                {"mirror", "mirror/counters", "internal/shown"},
	"mirror/admin":               {"artifact", "mirror", "mirror/counters", "mirror/page", "internal/strictjson", "internal/shown"},
	"internal/boltfile":          {"internal/durable"},
	"internal/conformance/tuf":   {"trust", "cache", "cache/state", "fetch", "fetch/wire", "internal/durable"},
	"internal/config":            {"artifact", "trust/policy", "trust/provenance", "internal/stricttoml", "internal/shown"},
	"internal/draft": {
		"artifact", "artifact/checksums", "artifact/release", "trust/sbom", "fetch/unpack",
		"internal/durable", "internal/strictjson", "internal/stricttoml", "internal/shown",
	},
	"internal/draft/drafttest": {},
	"internal/durable":         {},
	"internal/mutants":         {},
	"internal/plaintar":        {"internal/shown"},
	"internal/sbom":            {},
	"internal/shown":           {},
	"internal/strictjson":      {},
	"internal/size":            {},
	"internal/stricttoml":      {},
	"internal/systemd":         {},
	"internal/version":         {"artifact"},
	"docs/examples/go-tuf":     {}, // for publishers: it shares nothing with assay
	"internal/testrepo":        {"artifact"},
	"internal/conformance/sigstore": {
		"artifact", "trust/provenance",
	},
	"cmd/assay": {
		"artifact", "artifact/checksums", "artifact/release", "trust", "trust/provenance", "trust/provenance/slsa",
		"trust/provenance/detached", "trust/sbom", "trust/advisory", "trust/policy", "trust/proof",
		"cache", "cache/archive", "cache/audit", "cache/state", "fetch", "fetch/install", "fetch/lockfile", "fetch/mirrors", "fetch/pinned", "fetch/pinned/cloud",
		"fetch/transfer", "fetch/unpack", "fetch/wire", "internal/boltfile", "internal/config", "internal/durable", "internal/plaintar", "internal/testrepo",
		"mirror", "mirror/admin", "mirror/airgap", "mirror/backup", "mirror/counters", "mirror/metrics", "mirror/serve", "mirror/storage", "mirror/tracing", "mirror/upstream",
		"internal/systemd", "internal/version", "internal/draft", "internal/stricttoml",
	},
}

// soleUsers names, for each library (by import path prefix), the packages that
// may import it.
var soleUsers = map[string][]string{
	"github.com/Masterminds/semver":         {"artifact"},
	"github.com/santhosh-tekuri/jsonschema": {"artifact/release"},
	"github.com/theupdateframework/go-tuf":  {"trust", "internal/testrepo", "docs/examples/go-tuf"},
	"github.com/sigstore/sigstore-go":       {"trust/provenance", "internal/testrepo"},
	"github.com/sigstore/sigstore":          {"trust/provenance", "internal/testrepo", "docs/examples/go-tuf"},
	"github.com/sigstore/protobuf-specs":    {"trust/provenance", "internal/testrepo"},
	"github.com/in-toto/attestation":        {"trust/provenance", "trust/provenance/slsa", "internal/testrepo"},
	"aead.dev/minisign":                     {"trust/provenance/detached"},
	"github.com/ProtonMail/go-crypto":       {"trust/provenance/detached"},
	"github.com/hiddeco/sshsig":             {"trust/provenance/detached"},
	"github.com/spdx/tools-golang":          {"trust/sbom", "internal/sbom"},
	"github.com/CycloneDX/cyclonedx-go":     {"trust/sbom"},
	"github.com/package-url/packageurl-go":  {"trust/sbom"},
	"github.com/ossf/osv-schema":            {"trust/advisory"},
	"github.com/openvex/go-vex":             {"trust/advisory"},
	"go.etcd.io/bbolt":                      {"internal/boltfile", "cache", "cache/state", "cache/audit"},
	"github.com/hashicorp/go-getter":        {"fetch/pinned"},
	"github.com/aws/aws-sdk-go-v2":          {"fetch/pinned/cloud"},
	"github.com/aws/smithy-go":              {"fetch/pinned/cloud"},
	"golang.org/x/oauth2":                   {"fetch/pinned/cloud"},
	"github.com/pelletier/go-toml":          {"internal/stricttoml"},
	"github.com/adrg/xdg":                   {"internal/config"},
	"github.com/gofrs/flock":                {"cache", "fetch/install", "mirror/storage", "mirror/airgap", "mirror/backup", "internal/draft"},
	"github.com/cenkalti/backoff":           {"fetch/transfer", "fetch/wire"},
	"github.com/klauspost/compress":         {"fetch/unpack"},
	"github.com/ulikunitz/xz":               {"fetch/unpack"},
	"golang.org/x/text":                     {"fetch/unpack"},
	"github.com/urfave/cli":                 {"cmd/assay"},
	"github.com/vbauerster/mpb":             {"cmd/assay"},
	"github.com/dustin/go-humanize":         {"cmd/assay"},
	"golang.org/x/term":                     {"cmd/assay"},
	"golang.org/x/time":                     {"fetch/wire"},
	"github.com/prometheus":                 {"mirror/metrics"},
	"go.opentelemetry.io":                   {"mirror/tracing"},
	"github.com/coreos/go-systemd":          {"internal/systemd"},
	"net/http":                              {"fetch/wire", "fetch/pinned/cloud", "mirror/serve", "mirror/admin", "mirror/metrics", "mirror/page", "mirror/tracing", "internal/testrepo"}, // cloud: the request that it signs; tracing: where its library may go
	"os/exec":                               {"fetch/pinned", "fetch/wire", "internal/mutants", "internal/conformance/tuf"},
	"net":                                   {"fetch/wire", "mirror/serve", "mirror/admin", "mirror/page", "internal/systemd", "internal/testrepo"},
}

// pure packages decide and name; the outside is handed to them. They may import
// none of these: no network, no file, no process, no system call.
var pure = []string{
	"artifact", "artifact/checksums", "artifact/release", "trust", "trust/provenance", "trust/provenance/slsa",
	"trust/provenance/detached", "trust/sbom", "trust/advisory", "trust/policy", "trust/proof",
	"fetch/mirrors", "internal/strictjson", "internal/stricttoml",
}

var outside = []string{
	"net", "net/http", "net/rpc", "net/smtp", "net/textproto", "net/mail", "crypto/tls",
	"io/ioutil", "log/syslog", "path/filepath",
	"os", "os/exec", "os/signal", "os/user", "syscall", "plugin", "unsafe",
	"golang.org/x/net", "golang.org/x/sys",
}

func TestImportArrows(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range productionImports(t) {
		pkg := filepath.ToSlash(filepath.Dir(file))
		seen[pkg] = true
		allowed, known := arrows[pkg]
		if !known {
			t.Errorf("%s: package %q is not in the picture: add it to arrows", file, pkg)
			continue
		}
		for _, path := range imports {
			if inner, ok := strings.CutPrefix(path, "assay/"); ok && !slices.Contains(allowed, inner) {
				t.Errorf("%s: %s must not import %s", file, pkg, inner)
			}
			if slices.Contains(pure, pkg) && slices.ContainsFunc(outside, func(library string) bool { return isWithin(path, library) }) {
				t.Errorf("%s: %s must not reach outside by %s: it is handed what it needs", file, pkg, path)
			}
			for library, users := range soleUsers {
				if isWithin(path, library) && !slices.Contains(users, pkg) {
					t.Errorf("%s: %s is for %s alone, not for %s", file, library, strings.Join(users, ", "), pkg)
				}
			}
		}
	}
	for pkg := range arrows {
		if !seen[pkg] {
			t.Errorf("package %q is in the picture, but not in the tree", pkg)
		}
	}
	if len(seen) == 0 {
		t.Fatal("no Go file was found: the test looks in the wrong place")
	}
}

// TestArrowsHaveNoCycle keeps the allowed arrows running one way, also between
// packages whose imports happen not to form a cycle yet.
func TestArrowsHaveNoCycle(t *testing.T) {
	var visit func(pkg string, path []string)
	visit = func(pkg string, path []string) {
		if slices.Contains(path, pkg) {
			t.Fatalf("cycle: %s", strings.Join(append(path, pkg), " → "))
		}
		for _, next := range arrows[pkg] {
			visit(next, append(slices.Clone(path), pkg))
		}
	}
	for pkg := range arrows {
		visit(pkg, nil)
	}
}

// isWithin reports whether path is the library or a package of it. The standard
// library's net and os are not meant with all below them: net/url and net/netip
// only read text.
func isWithin(path, library string) bool {
	rest, ok := strings.CutPrefix(path, library)
	return ok && (rest == "" || rest[0] == '/' && library != "net" && library != "os")
}

// productionImports maps each non-test Go file of the module to what it imports.
func productionImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found[path] = nil
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[path] = append(found[path], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
