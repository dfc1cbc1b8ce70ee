package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"assay/internal/config"
)

// everyKey is a configuration that sets each key which a system's or a user's
// file may have, but for limits, which are shown anyway.
const everyKey = `platform = "linux/amd64"
offline = true
channel = "candidate"
cache_dir = "/cache"
state_dir = "/state"
[repositories.acme]
url = "https://x"
metadata_url = "https://x/m"
targets_url = "https://x/t"
root = "1.root.json"
root_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
root_version = 1
grace = "7d"
[[agreement]]
paths = ["**"]
repositories = ["acme"]
threshold = 1
terminating = true

[[policy]]
repository = "acme"
product = "hello"
channel = "stable"
require = ["sbom"]
signers = [{ key = "sha256:6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090" }]
threshold = 1
builder = ["https://builder.example"]
source = ["https://git.example/hello"]
ref = ["refs/tags/v*"]
slsa_level = 2
rebuilders = { need = 1, of = [{ key = "sha256:6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090" }] }
licenses = { deny = ["AGPL-3.0-only"] }
components = { deny = ["left-pad"] }
advisories = "warn"
min_age = "1h"
max_age = "2h"
max_build_age = "3h"
statuses = ["current"]

[[builders]]
builder = "https://builder.example"
signer = { key = "sha256:6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090" }
level = 2

[profiles.ours]
kind = "private"
trusted_root = "root.json"
thresholds = { scts = 1 }

[profiles.keys]
kind = "key"
keys = ["a.pem"]

[[advisories]]
file = "osv.json"

[repositories.other]
profiles = ["ours"]

[hosts."a.example"]
token_file = "token"
certificate = "a.pem"
key = "a.key"
ca = "ca.pem"
connections = 1

[hosts."b.example"]
token_command = ["vault"]

[hosts."c.example"]
netrc = true
[channels]
hello = "hotfix"

[mirror]
dir = "/mirror"
admin = "127.0.0.1:9090"
admin_token_file = "admin"
tls_certificate = "m.pem"
tls_key = "m.key"
client_ca = "ca.pem"
tokens_file = "tokens"
rate = 100
[mirror.upstreams.acme]
mode = "filtered"
products = ["hello"]
channels = ["stable"]
platforms = ["linux/amd64"]
versions = "^1.4"
keep = 5
max_age = "365d"
serve_expired = true
sources = ["https://x"]
`

// TestKeysAreTold shows that help names every key, and docs/configuration.md those of a
// declared repository, of transfers and of hosts, docs/mirror.md those of the daemon.
func TestKeysAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(everyKey), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.LoadOptions{ConfigFlag: path})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	operator, err := os.ReadFile(filepath.Join("..", "..", "docs", "mirror.md"))
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, v := range cfg.Values() {
		keys++
		key := v.Key[strings.LastIndexByte(v.Key, '.')+1:]
		if !regexp.MustCompile(`(?m)^  .*\b` + key + `\b`).MatchString(configKeys) {
			t.Errorf("help: %s is not named", v.Key)
		}
		table, _, _ := strings.Cut(v.Key, ".")
		if slices.Contains([]string{config.KeyRepositories, config.KeyTransfer, config.KeyHosts}, table) && !strings.Contains(string(page), "\n| `"+key+"` | ") {
			t.Errorf("docs/configuration.md: %s is not named", v.Key)
		}
		if table == config.KeyMirror && !strings.Contains(string(operator), "\n| `"+key+"` | ") {
			t.Errorf("docs/mirror.md: %s is not named", v.Key)
		}
	}
	// Plain ones, a repository, an agreement, the limits; a rule, a builder, two
	// profiles and the one that is built in, advisories, who judges a repository; transfers, three hosts, and a channel; the daemon and its upstream.
	if want := 7 + 7 + 4 + 8 + 19 + 3 + 3 + 2 + 3 + 1 + 1 + 6 + 5 + 1 + 1 + 1 + 17 + 10; keys != want {
		t.Errorf("expected %d keys, found %d", want, keys)
	}
	for _, table := range []string{"[repositories.NAME]", "[[agreement]]", "[[policy]]", "[[builders]]", "[profiles.NAME]", "[[advisories]]", "[limits]", "[transfer]", "[hosts.", "[channels]", "[mirror]", "[mirror.upstreams.NAME]", "[tools]", "locked = ["} {
		if !strings.Contains(configKeys, table) {
			t.Errorf("help: %s is not named", table)
		}
	}
}
