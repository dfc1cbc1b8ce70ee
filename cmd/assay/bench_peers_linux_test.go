package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// rival is a way to get the same bytes as the others. curl must be among them:
// it is what all are measured by.
type rival struct {
	name string // stands before its figures; empty for what the benchmark is about
	ours bool   // it is assay, whose memory counts
	run  func() usage
}

// compare runs the rivals in turn, as whole processes, so that whatever else the
// machine is about meets all of them, and reports each as a multiple of curl. Of
// some rounds the best time of each counts: what makes one slower is the machine,
// that has to clear pages which were never used, say.
func compare(b *testing.B, rivals []rival, rounds int) {
	b.Helper()
	best := make([]usage, len(rivals))
	var curl usage
	for b.Loop() {
		for range rounds {
			for i, r := range rivals {
				best[i].better(r.run())
				if r.name == "curl" {
					curl = best[i]
				}
			}
		}
	}
	for i, r := range rivals {
		prefix := r.name + ":"
		switch r.name {
		case "curl":
			b.ReportMetric(curl.wall.Seconds()*1000, "curl:ms")
			continue
		case "":
			prefix = ""
		}
		b.ReportMetric(float64(best[i].wall)/float64(curl.wall), prefix+"wall/curl")
		b.ReportMetric(float64(best[i].cpu)/float64(max(curl.cpu, time.Millisecond)), prefix+"cpu/curl")
		if r.ours {
			b.ReportMetric(float64(best[i].peak)/(1<<20), prefix+"MiB-peak")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// better keeps the shortest times, and the highest peak of memory.
func (u *usage) better(other usage) {
	if u.wall == 0 {
		*u = other
	}
	u.wall, u.cpu, u.peak = min(u.wall, other.wall), min(u.cpu, other.cpu), max(u.peak, other.peak)
}

// add sums times up, and keeps the highest peak of memory.
func (u *usage) add(more usage) {
	u.wall, u.cpu, u.peak = u.wall+more.wall, u.cpu+more.cpu, max(u.peak, more.peak)
}

// client is a machine that trusts the repository at a URL, by https as certified
// by authority, and that never asks a proxy.
func client(b *testing.B, repo *testrepo.Repo, url, authority string) *machine {
	b.Helper()
	// SSL_CERT_DIR, lest a machine with a folder of 150 authorities have them all
	// read in each run.
	m := &machine{t: b, home: b.TempDir(), rootSHA256: repo.RootSHA256(), env: []string{
		"SSL_CERT_FILE=" + authority, "SSL_CERT_DIR=" + filepath.Dir(authority), "CURL_CA_BUNDLE=" + authority,
		"NO_PROXY=*", "no_proxy=*",
	}}
	m.must("trust", "add", "acme", url, "--root-sha256", m.rootSHA256)
	return m
}

// forget empties the cache. What is trusted stays.
func (m *machine) forget() {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.home, "cache")); err != nil {
		m.t.Fatal(err)
	}
}

// output is a new file for a rival to write; done wants it to have size bytes,
// and removes it.
func (m *machine) output(size int64) (path string, done func()) {
	path = filepath.Join(m.home, "out")
	return path, func() {
		m.t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			m.t.Fatal(err)
		}
		if info.Size() != size {
			m.t.Fatalf("expected %d bytes, found %d", size, info.Size())
		}
		if err := os.Remove(path); err != nil {
			m.t.Fatal(err)
		}
	}
}

// needCurl returns the peer that nothing can be measured without, or skips.
func needCurl(b *testing.B) string {
	b.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		b.Skipf("it takes curl to compare with: %v", err)
	}
	return path
}
