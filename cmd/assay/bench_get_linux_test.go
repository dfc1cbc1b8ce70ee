package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"assay/internal/testrepo"
)

// BenchmarkGet1GiB gets a target of 1 GiB from nginx over loopback: assay into
// its cache, and into a file, beside what does less (curl), the same (curl and
// then openssl) or offers the same (aria2c and go-getter with a checksum).
func BenchmarkGet1GiB(b *testing.B) {
	const size = 1 << 30
	needCurl(b)
	repo, err := testrepo.New(testrepo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := repo.AddLarge(bigTarget, size, 1); err != nil {
		b.Fatal(err)
	}
	folder := publishFolder(b, repo)
	server := serveFolder(b, folder, "127.0.0.1", nil)
	server.await(b)
	path, sha256 := findBig(b, folder)
	for _, base := range []string{server.http, server.https} {
		m := client(b, repo, base, server.authority)
		rivals := bigRivals(m, base+"/"+path, sha256, size, server.authority)
		// Memory that was never touched is slow to write for the first time: each
		// has one run that does not count.
		touch := sync.OnceFunc(func() {
			for _, r := range rivals {
				r.run()
			}
		})
		scheme, _, _ := strings.Cut(base, ":")
		b.Run(scheme, func(b *testing.B) {
			m.t = b
			touch()
			compare(b, rivals, 3)
		})
	}
}

// findBig is where the big target lies in a served folder, and its digest: a
// repository with consistent snapshots has that in the name.
func findBig(b *testing.B, folder string) (path, sha256 string) {
	b.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "targets", "*."+bigTarget))
	if err != nil || len(found) != 1 {
		b.Fatalf("expected one file of the target, found %q (%v)", found, err)
	}
	name := filepath.Base(found[0])
	return "targets/" + name, strings.TrimSuffix(name, "."+bigTarget)
}

// bigRivals are those who can get url, of so many bytes with this digest.
func bigRivals(m *machine, url, sha256 string, size int64, authority string) []rival {
	into := func(get func(out string) usage) func() usage {
		return func() usage {
			m.forget()
			out, done := m.output(size)
			defer done()
			return get(out)
		}
	}
	curl := func(out string) usage { return m.run(m.command("curl", "-sS", "-o", out, url)) }
	rivals := []rival{
		{name: "", ours: true, run: func() usage {
			m.forget()
			defer m.forget()
			return m.must("get", "acme", bigTarget, "--print", "path")
		}},
		{name: "-o", ours: true, run: into(func(out string) usage {
			defer m.forget()
			return m.must("get", "acme", bigTarget, "-o", out)
		})},
		{name: "curl", run: into(curl)},
	}
	if openssl, err := exec.LookPath("openssl"); err == nil {
		rivals = append(rivals, rival{name: "curl+openssl", run: into(func(out string) usage {
			both := curl(out)
			both.add(m.run(m.command(openssl, "dgst", "-sha256", out)))
			return both
		})})
	}
	if aria2c, err := exec.LookPath("aria2c"); err == nil {
		rivals = append(rivals, rival{name: "aria2c", run: into(func(out string) usage {
			return m.run(m.command(aria2c, "--no-conf", "-q", "-x4", "-s4", "--file-allocation=none",
				"--checksum=sha-256="+sha256, "--ca-certificate="+authority, "-d", filepath.Dir(out), "-o", filepath.Base(out), url))
		})})
	}
	// go-getter is a library: docs/benchmarks.md says which program is meant.
	if getter := os.Getenv("BENCH_GETTER"); getter != "" {
		rivals = append(rivals, rival{name: "go-getter", run: into(func(out string) usage {
			return m.run(m.command(getter, fmt.Sprintf("%s?checksum=sha256:%s", url, sha256), out))
		})})
	}
	return rivals
}
