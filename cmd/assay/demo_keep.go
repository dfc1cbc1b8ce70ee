package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// What --keep leaves of the demo: the repository as it is before the fourth
// attack, whose release nobody should get by playing on, and a configuration that
// asks of it what the demo asked.

// demoRules are for `assay policy test`: what they would refuse, and why.
const demoRules = `# Try: assay policy test rules.toml
[[policy]]
repository = "play"
product = "hello"
components = { deny = ["golang.org/x/text@<1"] }
`

// keep writes the files, where some are to be kept.
func (d *demo) keep(context.Context) error {
	if d.kept == "" {
		return nil
	}
	if err := d.repo.WriteTo(filepath.Join(d.dir, "repository")); err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"root.json":   d.repo.Root(),
		"config.toml": []byte(demoPolicy("play", "trusted_root.json")), // beside it
		"rules.toml":  []byte(demoRules),
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// playOn tells how to go on with what was kept.
func (d *demo) playOn() {
	place := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(d.dir, "repository"))}
	d.app.out.line("\nTo play on (the timestamp is good for a day; the repository is as before the\nfourth attack, and config.toml asks of it what is asked above):\n")
	for _, line := range []string{
		"export ASSAY_CONFIG=" + quoted(filepath.Join(d.dir, "config.toml")),
		"export ASSAY_STATE_DIR=" + quoted(filepath.Join(d.dir, "play", "state")),
		"export ASSAY_CACHE_DIR=" + quoted(filepath.Join(d.dir, "play", "cache")),
		"assay trust add play " + quoted(place.String()) + " --root " + quoted(filepath.Join(d.dir, "root.json")),
		strings.Join(append([]string{"assay get play:hello"}, d.platform...), " "),
	} {
		d.app.out.line("  %s", line)
	}
	d.app.out.line("\nAnd then:\n")
	for _, try := range [][2]string{
		{"assay explain hello", "who built it, from what, what was checked and what was not"},
		{"assay find golang.org/x/text", "which held artifacts have this component"},
		{"assay policy test " + quoted(filepath.Join(d.dir, "rules.toml")), "what other rules would refuse"},
		{"assay verify --held", "is all that is held still good today?"},
	} {
		d.app.out.line("  %s", try[0])
		d.app.out.line("      %s", try[1])
	}
}

// quoted is a word as a shell takes it for one.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-:%@+,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
