package metrics

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const (
	alerts    = "../../packaging/prometheus/alerts.yaml"
	unit      = "../../packaging/prometheus/alerts_test.yaml"
	dashboard = "../../packaging/grafana/assay-mirror.json"
	page      = "../../docs/metrics.md"
)

var (
	nameOf  = regexp.MustCompile(`\b((?:assay|go|process)_[a-z0-9_]+|up)\b(\{[^}]*\})?`)
	labelOf = regexp.MustCompile(`([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	groupOf = regexp.MustCompile(`\b(?:by|on|without)\s*\(([^)]*)\)`)
)

// expressions are those of the alerts and of the dashboard.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	text, err := os.ReadFile(alerts)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range strings.Split(string(text), "- alert: ")[1:] {
		name, rest, _ := strings.Cut(rule, "\n")
		_, expr, _ := strings.Cut(rest, "expr:")
		// An expression ends where a key of its own depth begins.
		expr = regexp.MustCompile(`(?s)\n        (for|labels):.*`).ReplaceAllString(expr, "")
		found["alert "+name] = expr
	}
	data, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, panel := range doc.Panels {
		for i, target := range panel.Targets {
			found[fmt.Sprintf("panel %s %d", panel.Title, i)] = target.Expr
		}
	}
	for _, variable := range doc.Templating.List {
		found["variable "+variable.Name] = strings.NewReplacer("label_values", "", ", job)", "", ", instance)", "", ", repository)", "").Replace(variable.Definition)
	}
	return found
}

// labelsOf are the labels of a metric as it is scraped; nil: there is no such metric.
func labelsOf(name string) []string {
	common := []string{"job", "instance"}
	switch {
	case name == "up", name == "process_cpu_seconds_total", name == "go_goroutines":
		return common
	}
	for _, m := range Table() {
		if m.Kind == Histogram {
			if name == m.Name+"_bucket" {
				return append(append(common, m.Labels...), "le")
			}
			if name == m.Name+"_sum" || name == m.Name+"_count" {
				return append(common, m.Labels...)
			}
			continue
		}
		if name == m.Name {
			return append(common, m.Labels...)
		}
	}
	return nil
}

// TestPackagingUsesMetricsThatExist shows that each metric in the alerts and on the
// dashboard is in the table, with the labels and the values that it is asked for by.
func TestPackagingUsesMetricsThatExist(t *testing.T) {
	uses := 0
	for where, expr := range expressions(t) {
		var all []string
		for _, use := range nameOf.FindAllStringSubmatch(expr, -1) {
			labels := labelsOf(use[1])
			if labels == nil {
				t.Errorf("%s: %s: no such metric", where, use[1])
				continue
			}
			uses++
			all = append(all, labels...)
			for _, selector := range labelOf.FindAllStringSubmatch(use[2], -1) {
				if !slices.Contains(labels, selector[1]) {
					t.Errorf("%s: %s: expected one of the labels %v, found %s", where, use[1], labels, selector[1])
				}
				checkValues(t, where, use[1], selector[1], selector[3])
			}
		}
		for _, group := range groupOf.FindAllStringSubmatch(expr, -1) {
			for label := range strings.SplitSeq(group[1], ",") {
				if label = strings.TrimSpace(label); !slices.Contains(all, label) {
					t.Errorf("%s: expected one of the labels %v, found %q", where, all, label)
				}
			}
		}
	}
	if uses < 40 {
		t.Errorf("expected dozens of uses, found %d: the test looks in the wrong place", uses)
	}
}

// TestSoonIsSaidOnce shows that no alert and no panel has a bound of its own for what
// expires soon: they ask the mirror, which says it to the status page, too.
func TestSoonIsSaidOnce(t *testing.T) {
	found := 0
	for where, expr := range expressions(t) {
		if !strings.Contains(expr, "assay_mirror_metadata_expiry") {
			continue
		}
		if regexp.MustCompile(`[1-9][0-9]`).MatchString(expr) {
			t.Errorf("%s: expected no bound, found %s", where, expr)
		}
		if strings.Contains(expr, "assay_mirror_metadata_expiry_warning_timestamp_seconds") {
			found++
		}
	}
	if found < 3 {
		t.Errorf("expected two alerts and a panel to ask what is soon, found %d", found)
	}
}

// checkValues expects what a label is compared with to be what it can be.
func checkValues(t *testing.T, where, metric, label, text string) {
	t.Helper()
	for _, m := range Table() {
		if m.Name != metric || m.Values == nil || m.Labels[len(m.Labels)-1] != label {
			continue
		}
		for value := range strings.SplitSeq(text, "|") {
			if !slices.Contains(m.Values, value) {
				t.Errorf("%s: %s: expected %s to be one of %v, found %q", where, metric, label, m.Values, value)
			}
		}
	}
}

// TestRules has promtool check the alerts, and run their unit tests.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian package prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", alerts}, {"test", "rules", unit}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// The page has the table between these lines.
const (
	begin = "<!-- The table is made by `go test ./mirror/metrics -update`. -->\n"
	end   = "<!-- end of the table -->\n"
)

// TestPage shows that docs/metrics.md has the table; -update writes it.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s: expected the lines %q and %q, found none", page, begin, end)
	}
	want := before + begin + "\n" + table() + "\n" + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s: expected the table of this package, found another: go test ./mirror/metrics -update", page)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| metric | kind | labels | what it is |\n|---|---|---|---|\n")
	for _, m := range Table() {
		labels := "`" + strings.Join(m.Labels, "`, `") + "`"
		if len(m.Labels) == 0 {
			labels = ""
		}
		help := m.Help
		if len(m.Values) > 0 {
			help += " `" + m.Labels[len(m.Labels)-1] + "`: " + strings.Join(m.Values, ", ") + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, labels, help)
	}
	return b.String()
}

// TestTable holds the conventions of names.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Table() {
		if seen[m.Name] || m.Help == "" {
			t.Errorf("%s: expected it once, with a text", m.Name)
		}
		seen[m.Name] = true
		if !strings.HasPrefix(m.Name, "assay_mirror_") {
			t.Errorf("%s: expected the prefix assay_mirror_", m.Name)
		}
		if total := strings.HasSuffix(m.Name, "_total"); total != (m.Kind == Counter) {
			t.Errorf("%s: expected counters, and them alone, to end in _total, found a %s", m.Name, m.Kind)
		}
		if m.Kind == Histogram && !strings.HasSuffix(m.Name, "_seconds") {
			t.Errorf("%s: expected a histogram of seconds", m.Name)
		}
		for _, label := range m.Labels {
			if slices.Contains([]string{"path", "digest", "target", "name", "host", "client", "reason"}, label) {
				t.Errorf("%s: expected no label that texts from outside fill, found %s", m.Name, label)
			}
		}
	}
}
