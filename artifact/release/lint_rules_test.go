package release

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each rule has an id of its own, words for what and why, fields that the schema
// knows, and a test that finds it.
func TestRules(t *testing.T) {
	all, err := loadSchemas()
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, file := range []string{"lint_test.go", "lint_set_test.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(source)
	}
	form := regexp.MustCompile(`^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, rule := range Rules() {
		if seen[rule.ID] || !form.MatchString(rule.ID) || rule.What == "" || rule.Why == "" || rule.Severity != SeverityError && rule.Severity != SeverityWarning {
			t.Errorf("%+v", rule)
		}
		seen[rule.ID] = true
		if !strings.Contains(tests.String(), `"`+rule.ID+" ") {
			t.Errorf("%s: no test expects it", rule.ID)
		}
		for _, field := range rule.Fields {
			if !inSchema(t, all, rule.Document, field) {
				t.Errorf("%s: the schema of %s has no field %s", rule.ID, rule.Document, field)
			}
		}
	}
}

// inSchema follows a path like artifacts[].urls[] through a schema.
func inSchema(t *testing.T, all *schemas, kind Kind, path string) bool {
	t.Helper()
	file := string(kind)
	node := all.sources[file]
	for _, step := range strings.Split(strings.ReplaceAll(path, "[]", ".[]"), ".") {
		file, node = resolve(t, all, file, node)
		if step == "[]" {
			node = lookup(node, []string{"items"})
		} else {
			node = lookup(node, []string{"properties", step})
		}
	}
	return node != nil
}

// docs/publishing.md has the table of rules, as it is printed here.
func TestPublishingHasTheRules(t *testing.T) {
	const begin, end = "<!-- rules -->\n", "<!-- end of rules -->"
	text, err := os.ReadFile("../../docs/publishing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), begin)
	got, _, ok := strings.Cut(rest, end)
	if want := rulesTable(); !ok || got != want {
		t.Errorf("docs/publishing.md: expected between %q and %q\n%s", strings.TrimSpace(begin), end, want)
	}
}

// The signed part of a manifest in docs/publishing.md is a part of one.
func TestPublishingHasAManifest(t *testing.T) {
	text, err := os.ReadFile("../../docs/publishing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## Sign what you publish\n")
	_, rest, _ = strings.Cut(rest, "```json\n")
	part, _, ok := strings.Cut(rest, "```\n")
	var manifest map[string]json.RawMessage
	if err := json.Unmarshal(example(t, manifestFile), &manifest); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := json.Unmarshal([]byte(part), &manifest); err != nil {
		t.Fatal(err)
	}
	whole, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	checkFindings(t, LintFile(whole, lintNow()), nil)
}

func rulesTable() string {
	var b strings.Builder
	b.WriteString("| rule | | what it finds | why it matters |\n|---|---|---|---|\n")
	for _, rule := range Rules() {
		b.WriteString("| `" + rule.ID + "` | " + string(rule.Severity) + " | " + rule.What + " | " + rule.Why + " |\n")
	}
	return b.String()
}
