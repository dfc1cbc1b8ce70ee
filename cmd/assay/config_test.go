package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"assay/internal/config"
)

// everyKey is a configuration that sets each key which a system's or a user's
// file may have, but for limits, which are shown anyway.
const everyKey = `platform = "linux/amd64"
offline = true
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
`

// TestKeysAreTold shows that help names every key, and README those of a
// declared repository.
func TestKeysAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(everyKey), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.LoadOptions{ConfigFlag: path})
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
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
		if strings.HasPrefix(v.Key, config.KeyRepositories+".") && !strings.Contains(string(readme), "\n| `"+key+"` | ") {
			t.Errorf("README: %s is not named", v.Key)
		}
	}
	if want := 4 + 7 + 4 + 8; keys != want {
		t.Errorf("expected %d keys, found %d", want, keys)
	}
	for _, table := range []string{"[repositories.NAME]", "[[agreement]]", "[limits]", "[tools]", "locked = ["} {
		if !strings.Contains(configKeys, table) {
			t.Errorf("help: %s is not named", table)
		}
	}
}
