package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"assay/internal/config"
)

// TestRecipesAreAccepted shows that each piece of configuration in docs/policy.md is one: of the
// project where it names tools, of the system where it locks, else of the user; and that a
// mistake in it would be seen.
func TestRecipesAreAccepted(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```toml\n(.*?)^```").FindAllStringSubmatch(docPages(t)["docs/policy.md"], -1)
	if len(blocks) < 12 {
		t.Errorf("expected a dozen recipes, found %d", len(blocks))
	}
	for _, block := range blocks {
		if cfg, err := loadRecipe(t, block[1]); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		} else if _, err := cfg.Policy(); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
		for _, rule := range regexp.MustCompile(`(?m)^(require|signers|min_age|licenses|slsa_level|rebuilders|statuses) `).FindAllString(block[1], -1) {
			if _, err := loadRecipe(t, strings.Replace(block[1], "\n"+rule, "\nx"+rule, 1)); err == nil {
				t.Errorf("expected x%s to be refused in\n%s", rule, block[1])
			}
		}
	}
}

// loadRecipe loads a piece of configuration at the place where it belongs.
func loadRecipe(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	dir := t.TempDir()
	options, name := config.LoadOptions{SystemDir: dir}, "config.toml"
	switch {
	case strings.Contains(text, "[tools]"):
		options, name = config.LoadOptions{WorkDir: dir}, "assay.toml"
	case !strings.Contains(text, "locked ="):
		options = config.LoadOptions{ConfigFlag: filepath.Join(dir, name)}
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(options)
}
