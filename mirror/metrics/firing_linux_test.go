package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/mirror"
)

// prometheus is one at work, on the alerts of packaging, which fire at once.
type prometheus struct {
	t    *testing.T
	base string
}

func startPrometheus(t *testing.T, s *site) *prometheus {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed (Debian package prometheus)")
	}
	dir := t.TempDir()
	rules, err := os.ReadFile("../../packaging/prometheus/alerts.yaml")
	must(t, err)
	rules = regexp.MustCompile(`(?m)^        for: .*$`).ReplaceAll(rules, []byte("        for: 0s"))
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: assay-mirror
    static_configs: [{targets: [%q]}]
    authorization: {credentials_file: token}
`, s.address)
	for name, text := range map[string]string{"rules.yaml": string(rules), "prometheus.yml": config, "token": s.token} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := free.Addr().String()
	must(t, free.Close())
	command := exec.CommandContext(t.Context(), path, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address="+address, "--log.level=error")
	command.Dir, command.Stderr = dir, t.Output()
	must(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended
		_ = command.Wait()
	})
	return &prometheus{t, "http://" + address}
}

// ask asks its API; an error may be that it is not up yet.
func (p *prometheus) ask(path string, into any) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	return err
}

// firing are the names of the alerts that fire.
func (p *prometheus) firing() (names []string) {
	var doc struct {
		Data struct {
			Alerts []struct {
				Labels map[string]string
				State  string
			}
		}
	}
	if err := p.ask("/api/v1/alerts", &doc); err != nil {
		return nil
	}
	for _, alert := range doc.Data.Alerts {
		if name := alert.Labels["alertname"]; alert.State == "firing" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// scraped reports whether an expression is true of so many scrapes in a row.
func (p *prometheus) scraped(expr string) bool {
	var doc struct {
		Data struct{ Result []any }
	}
	return p.ask("/api/v1/query?query="+url.QueryEscape(expr), &doc) == nil && len(doc.Data.Result) > 0
}

// within waits until something is so; the time is there to end a test that fails.
func (p *prometheus) within(what string, so func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("expected %s, found these to fire: %v", what, p.firing())
		}
	}
}

// fires waits until alerts fire.
func (p *prometheus) fires(names ...string) {
	p.t.Helper()
	for _, name := range names {
		p.within(name+" to fire", func() bool { return slices.Contains(p.firing(), "AssayMirror"+name) })
	}
}

// TestAlertsFire shows each alert of packaging to fire in a real Prometheus for what it
// is for, and none while all is well.
func TestAlertsFire(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a Prometheus half a minute")
	}
	disk := t.TempDir()
	small := syscall.Mount("assay", disk, "tmpfs", 0, "size=96m") == nil // else the disk is not filled
	if small {
		t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	}
	s := newSite(t, disk, 7*time.Hour)
	p := startPrometheus(t, s)

	// The only run was seven hours ago.
	s.sync(mirror.Done)
	p.fires("SyncStale")
	s.behind.Store(0)
	s.sync(mirror.Done)
	p.within("all to be well", func() bool {
		return p.scraped("count_over_time(assay_mirror_ready[10s]) >= 3") && len(p.firing()) == 0
	})

	// A blob rots.
	rot(t, filepath.Join(disk, "storage"))
	if damaged, err := s.m.ScrubNow(t.Context(), 0); err != nil || damaged != 1 {
		t.Fatalf("expected the scrub to find one damaged object, found %d, %v", damaged, err)
	}
	p.fires("ScrubDamage")
	// A target is put aside, and the next run says so.
	must(t, s.m.Hold(t.Context(), "acme", "catalog.json", "odd"))
	s.sync(mirror.Partial)
	p.fires("Quarantine", "Partial")
	// The disk is full.
	if small {
		fill(t, disk)
		p.fires("StorageNearlyFull", "StorageFull")
		must(t, os.Remove(filepath.Join(disk, "full")))
	} else {
		t.Log("no tmpfs can be mounted: the disk was not filled")
	}
	// The upstream freezes with a timestamp that ends in some seconds.
	must(t, s.repo.SetExpiry("timestamp", 3*time.Second))
	must(t, s.repo.Publish())
	s.sync(mirror.Partial)
	s.server.Freeze()
	p.fires("TimestampExpiresSoon", "MetadataExpired", "NotServed", "NotReady")
	s.sync(mirror.Failed)
	p.fires("SyncFailing", "VerificationFailures")
	// The root ends soon.
	s.server.Thaw()
	must(t, s.repo.SetExpiry("timestamp", 24*time.Hour))
	must(t, s.repo.SetExpiry("root", 10*24*time.Hour))
	must(t, s.repo.Publish())
	s.sync(mirror.Partial)
	p.fires("RootExpiresSoon")
	// Requests fail.
	s.counts.Counter("assay_mirror_http_requests_total", "repository", "acme", "result", "error").Add(5)
	p.fires("RequestsFail")
	// The upstream is gone, and at last the mirror.
	must(t, s.server.Close())
	s.sync(mirror.Failed)
	p.fires("UpstreamDown")
	s.closeAdmin()
	p.fires("Down")
}

// rot changes a byte of an object in the storage.
func rot(t *testing.T, dir string) {
	t.Helper()
	var victim string
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.Contains(path, string(filepath.Separator)+"sha256"+string(filepath.Separator)) {
			victim = path
		}
		return err
	}))
	data, err := os.ReadFile(victim)
	must(t, err)
	data[0] ^= 1
	must(t, os.Chmod(victim, 0o600))
	must(t, os.WriteFile(victim, data, 0o600))
}

// fill leaves no room on a disk.
func fill(t *testing.T, disk string) {
	t.Helper()
	file, err := os.Create(filepath.Join(disk, "full"))
	must(t, err)
	defer file.Close()
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = file.Write(block)
	}
}
