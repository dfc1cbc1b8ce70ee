package metrics_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/mirror"
	"assay/mirror/metrics"
)

// TestScrape shows what a scrape of a mirror has, in both formats.
func TestScrape(t *testing.T) {
	s := newSite(t, t.TempDir(), 0)
	s.sync(mirror.Done)
	if status, _, text := s.scrape("", ""); status != http.StatusUnauthorized || strings.Contains(text, "assay_mirror_") {
		t.Errorf("without a token: expected 401 and nothing told, found %d\n%s", status, text)
	}
	status, kind, text := s.scrape(s.token, "text/plain")
	if status != http.StatusOK || !strings.HasPrefix(kind, "text/plain") {
		t.Fatalf("expected text, found %d, %s\n%s", status, kind, text)
	}
	for _, want := range []string{
		`assay_mirror_metadata_version{repository="acme",role="timestamp"} 1`,
		`assay_mirror_syncs_total{outcome="done",repository="acme"} 1`,
		`assay_mirror_syncs_total{outcome="failed",repository="acme"} 0`,
		`assay_mirror_verification_failures_total{kind="rollback",repository="acme"} 0`,
		`assay_mirror_upstream_up{repository="acme"} 1`,
		`assay_mirror_good{repository="acme"} 1`,
		`assay_mirror_last_sync_outcome{outcome="done",repository="acme"} 1`,
		`assay_mirror_upstream_request_seconds_bucket{repository="acme",le="0.0005"} `,
		`assay_mirror_ready 1`,
		`assay_mirror_evictions_total 0`,
		`assay_mirror_build_info{goversion="`,
		`assay_mirror_start_timestamp_seconds 1`,
		"go_goroutines ",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("expected the line %q, found none", want)
		}
	}
	// What a scrape says of what is soon is what the status says, on the second.
	for _, role := range s.m.Statuses()[0].Roles {
		want := regexp.MustCompile(fmt.Sprintf(`assay_mirror_metadata_expiry_warning_timestamp_seconds\{repository="acme",role=%q\} (\S+)`, role.Role)).FindStringSubmatch(text)
		if len(want) == 0 {
			t.Errorf("%s: expected from when on it expires soon, found nothing", role.Role)
			continue
		}
		if found, err := strconv.ParseFloat(want[1], 64); err != nil || role.Soon.IsZero() || int64(found) != role.Soon.Unix() {
			t.Errorf("%s: expected it to expire soon from %d on, found %s", role.Role, role.Soon.Unix(), want[1])
		}
	}
	if !regexp.MustCompile(`assay_mirror_upstream_requests_total\{repository="acme",result="ok"\} [1-9]`).MatchString(text) {
		t.Error("expected requests to the upstream to be counted, found none")
	}
	if found := regexp.MustCompile(`="[^"]*(sha256|[0-9a-f]{32}|/|tar\.gz)[^"]*"`).FindAllString(text, -1); len(found) > 0 {
		t.Errorf("expected no path and no digest as a label, found %q", found)
	}
	if status, kind, text := s.scrape(s.token, "application/openmetrics-text; version=1.0.0"); status != http.StatusOK || !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("expected OpenMetrics with its end, found %d, %s", status, kind)
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		lint := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		lint.Stdin = strings.NewReader(text)
		if out, err := lint.CombinedOutput(); err != nil {
			t.Errorf("promtool check metrics: %v\n%s", err, out)
		}
	}
}

// TestWhatIsCountedIsInTheTable shows that what a mirror counts is told, but for what
// is left out on purpose.
func TestWhatIsCountedIsInTheTable(t *testing.T) {
	var known []string
	for _, m := range metrics.Table() {
		known = append(known, m.Name)
	}
	for _, name := range countedNames(t) {
		if !slices.Contains(known, name) && name != "assay_mirror_release_time_to_first_byte_seconds" { // there would be 18 of each product
			t.Errorf("%s is counted, but not in the table", name)
		}
	}
}

// countedNames are the names that the packages of the mirror count under.
func countedNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../*/*.go")
	must(t, err)
	more, err := filepath.Glob("../*.go")
	must(t, err)
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		must(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, found := range regexp.MustCompile(`"(assay_mirror_[a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			if name := found[1]; name != "assay_mirror_" {
				names = append(names, name)
			}
		}
		for _, found := range regexp.MustCompile(`r\.count\("([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, "assay_mirror_"+found[1])
		}
	}
	if len(names) < 20 {
		t.Fatalf("expected dozens of names, found %d: the test looks in the wrong place", len(names))
	}
	return names
}

// TestHangingScrapers shows that those who don't take what they asked for hold nothing
// that others need.
func TestHangingScrapers(t *testing.T) {
	s := newSite(t, t.TempDir(), 0)
	s.sync(mirror.Done)
	for range 20 {
		hanging, err := net.Dial("tcp", s.address)
		must(t, err)
		defer hanging.Close()
		must(t, hanging.(*net.TCPConn).SetReadBuffer(1))
		// Many answers at once, of which none is read.
		for range 20 {
			_, err = fmt.Fprintf(hanging, "GET /metrics HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer %s\r\n\r\n", s.token)
			must(t, err)
		}
	}
	for deadline := time.Now().Add(time.Minute); ; {
		status, _, _ := s.scrape(s.token, "text/plain")
		if status == http.StatusOK {
			break
		}
		// Four are made at once: others come again.
		if status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("expected an answer while others hang, found %d", status)
		}
	}
}
