package metrics_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"assay/mirror"
	"assay/mirror/serve"
)

// board is what is looked at of a dashboard of Grafana.
type board struct {
	Panels []struct {
		ID      int
		Title   string
		Type    string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ RefID, Expr string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	data, err := os.ReadFile("../../packaging/grafana/assay-mirror.json")
	must(t, err)
	must(t, json.Unmarshal(data, &b))
	return b
}

// TestBoardIsLaidOut shows that the panels lie beside each other, and can be told apart.
func TestBoardIsLaidOut(t *testing.T) {
	b := readBoard(t)
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range b.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q: expected an id of its own, a title and a query", p.ID, p.Title)
		}
		ids[p.ID] = true
		if !slices.Contains([]string{"stat", "gauge", "timeseries", "state-timeline"}, p.Type) {
			t.Errorf("%s: expected a panel that comes with Grafana, found %q", p.Title, p.Type)
		}
		if p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: expected it within 24 columns, found %d to %d", p.Title, p.GridPos.X, p.GridPos.X+p.GridPos.W)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s: expected a place of its own, found %s there", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		var refs []string
		for _, target := range p.Targets {
			if slices.Contains(refs, target.RefID) {
				t.Errorf("%s: expected each query to have a name of its own, found %s twice", p.Title, target.RefID)
			}
			refs = append(refs, target.RefID)
		}
	}
}

// serveReaders opens the public side of a site, and gives its base URL.
func (s *site) serveReaders() string {
	s.t.Helper()
	public, err := serve.New(serve.Config{Library: s.m, Counters: &s.counts, Now: s.now})
	must(s.t, err)
	listeners, err := serve.ListenAll(s.t.Context(), []string{"127.0.0.1:0"})
	must(s.t, err)
	ended := make(chan error, 1)
	go func() { ended <- public.Serve(s.t.Context(), listeners[0]) }()
	s.t.Cleanup(func() { <-ended })
	return "http://" + listeners[0].Addr().String() + "/r/acme/"
}

// read asks for a file, as a reader does.
func (s *site) read(address string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
	must(s.t, err)
	answer, err := http.DefaultClient.Do(request)
	must(s.t, err)
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	must(s.t, err)
}

// TestEachPanelAndAlertHasSeries asks a real Prometheus, which scrapes a mirror at
// work: each query of the dashboard gives something, and so does each metric that an
// alert looks at, with the labels that it asks for.
func TestEachPanelAndAlertHasSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a Prometheus some seconds")
	}
	s := newSite(t, t.TempDir(), 0)
	p := startPrometheus(t, s)
	base := s.serveReaders()
	s.sync(mirror.Done)
	release := releaseOf(t, s)
	answers := func(query string) bool {
		var doc struct {
			Status, Error string
			Data          struct{ Result []any }
		}
		// What readers do goes on, so that rates have something to tell.
		s.read(base + "timestamp.json")
		s.read(base + release)
		if err := p.ask("/api/v1/query?query="+url.QueryEscape(query), &doc); err != nil {
			return false // it is not up yet
		}
		if doc.Status != "success" {
			t.Fatalf("%s: %s", query, doc.Error)
		}
		return len(doc.Data.Result) > 0
	}
	asked := strings.NewReplacer("$__rate_interval", "10s", "$job", "assay-mirror", "$instance", ".*", "$repository", ".*")
	b := readBoard(t)
	for _, panel := range b.Panels {
		for _, target := range panel.Targets {
			query := asked.Replace(target.Expr)
			if strings.Contains(query, "_quota_bytes") { // shown where there is one
				query = strings.TrimSuffix(query, " > 0")
			}
			p.within(fmt.Sprintf("panel %s %s to have a series: %s", panel.Title, target.RefID, query), func() bool { return answers(query) })
		}
	}
	for _, variable := range b.Templating.List {
		if variable.Type == "query" {
			inner := regexp.MustCompile(`^label_values\((.*), *(\w+)\)$`).FindStringSubmatch(variable.Definition)
			p.within("variable "+variable.Name+" to have values", func() bool { return answers("count by (" + inner[2] + ") (" + asked.Replace(inner[1]) + ")") })
		}
	}
	for name, selectors := range alertSelectors(t) {
		if len(selectors) == 0 {
			t.Errorf("%s: expected a metric, found none", name)
		}
		for _, selector := range selectors {
			p.within(name+" to have a series: "+selector, func() bool { return answers(selector) })
		}
	}
}

// releaseOf is a file of a release, below the repository's base.
func releaseOf(t *testing.T, s *site) string {
	t.Helper()
	for name := range s.repo.Files(s.repo.Generation()) {
		if strings.HasPrefix(name, "targets/hello/") && strings.HasSuffix(name, "release.json") {
			return name
		}
	}
	t.Fatal("expected a release in the repository, found none")
	return ""
}

// alertSelectors are the metrics of each alert, with what it asks of their labels.
func alertSelectors(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../packaging/prometheus/alerts.yaml")
	must(t, err)
	found := map[string][]string{}
	for _, rule := range strings.Split(string(text), "- alert: ")[1:] {
		name, rest, _ := strings.Cut(rule, "\n")
		expr, _, _ := strings.Cut(rest, "        labels:")
		found[name] = regexp.MustCompile(`\b(?:assay_mirror_[a-z_]+|up)\b(?:\{[^}]*\})?`).FindAllString(expr, -1)
	}
	if len(found) < 10 {
		t.Fatalf("expected dozens of alerts, found %d", len(found))
	}
	return found
}
