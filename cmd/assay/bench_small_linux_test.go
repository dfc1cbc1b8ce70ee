package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/testrepo"
)

// BenchmarkGetSmall gets 10,000 targets of 4 KiB from nginx over loopback by one
// process: assay into its cache, each proven, beside curl with 50 transfers at
// once, none of them looked at, and a bare program that hashes each and keeps it
// durably.
func BenchmarkGetSmall(b *testing.B) {
	const count, size = 10_000, 4 << 10
	needCurl(b)
	repo, err := testrepo.New(testrepo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var paths []string
	for i := range count {
		paths = append(paths, fmt.Sprintf("small/%05d.bin", i))
		if err := repo.AddTarget(paths[i], noise(uint64(i), size)); err != nil {
			b.Fatal(err)
		}
	}
	folder := publishFolder(b, repo)
	server := serveFolder(b, folder, "127.0.0.1", nil)
	server.await(b)
	m := client(b, repo, server.http, server.authority)
	list := filepath.Join(m.home, "paths")
	if err := os.WriteFile(list, []byte(strings.Join(paths, "\n")+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(m.home, "out")
	urls, bare := curlList(b, folder, server.http, out)
	rivals := []rival{
		{name: "", ours: true, run: func() usage {
			m.forget()
			defer m.forget()
			took, told := m.runTold(m.command("assay", "get", "acme", "--paths-from", list, "--print", "path"))
			if got := bytes.Count(told, []byte("/blobs/sha256/")); got != count {
				m.t.Fatalf("expected a line with a path for each of %d targets, found %d: %s", count, got, clip(string(told)))
			}
			return took
		}},
		{name: "curl", run: func() usage {
			defer os.RemoveAll(out)
			if err := os.Mkdir(out, 0o700); err != nil {
				m.t.Fatal(err)
			}
			took := m.run(m.command("curl", "-sS", "--parallel", "--parallel-max", "50", "-K", urls))
			if got, err := os.ReadDir(out); err != nil || len(got) != count {
				m.t.Fatalf("expected %d files of curl, found %d (%v)", count, len(got), err)
			}
			return took
		}},
		{name: "bare", run: func() usage {
			defer os.RemoveAll(out)
			return m.run(m.command("bareget", bare, out))
		}},
	}
	for _, r := range rivals {
		r.run() // for the memory that was never touched
	}
	b.Run("10000x4KiB", func(b *testing.B) {
		m.t = b
		compare(b, rivals, 2)
	})
}

// curlList writes curl's list of all targets in a served folder, and where they
// are to be written, and the bare list of their URLs.
func curlList(b *testing.B, folder, base, out string) (curl, bare string) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "targets", "small", "*.bin"))
	if err != nil {
		b.Fatal(err)
	}
	var list, plain bytes.Buffer
	for _, file := range files {
		name := filepath.Base(file)
		fmt.Fprintf(&plain, "%s/targets/small/%s\n", base, name)
		fmt.Fprintf(&list, "url = \"%s/targets/small/%s\"\noutput = \"%s\"\n", base, name, filepath.Join(out, name))
	}
	dir := b.TempDir()
	curl, bare = filepath.Join(dir, "urls"), filepath.Join(dir, "bare")
	if err := errors.Join(os.WriteFile(curl, list.Bytes(), 0o600), os.WriteFile(bare, plain.Bytes(), 0o600)); err != nil {
		b.Fatal(err)
	}
	return curl, bare
}

// noise is so many bytes that do not compress, the same for the same seed.
func noise(seed uint64, size int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	data := make([]byte, size)
	rand.NewChaCha8(key).Read(data) // never fails
	return data
}
