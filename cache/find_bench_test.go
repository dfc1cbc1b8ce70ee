package cache

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// The size of the cache that BenchmarkFind looks through.
const (
	benchArtifacts  = 10_000
	benchComponents = 100
)

// benchFacts are those of the i-th artifact: versions of common libraries, and
// one component that few others have.
func benchFacts(i int) Facts {
	f := Facts{
		Digest:   artifact.DigestOf(artifact.SHA256, []byte(fmt.Sprint(i))),
		Product:  fmt.Sprintf("product-%d", i%500),
		Version:  fmt.Sprintf("1.%d.0", i/500),
		Builder:  fmt.Sprintf("https://ci.example.com/builder/%d", i%20),
		Revision: artifact.DigestOf(artifact.SHA256, []byte{byte(i), byte(i >> 8)}).Hex()[:40],
		Signers:  []string{fmt.Sprintf("https://example.com/workflow/%d", i%500)},
		License:  "Apache-2.0",
	}
	for c := range benchComponents - 2 {
		// The releases of one time share the versions of libraries.
		lib := (i*7 + c*13) % 2000
		name, version := fmt.Sprintf("example.com/lib-%d/part-%d", lib, lib%100), fmt.Sprintf("v1.%d.%d", lib%10, i/500)
		f.Components = append(f.Components, Component{
			Name: name, Version: version, PURL: "pkg:golang/" + name + "@" + version, License: licence(lib),
		})
	}
	f.Components = append(f.Components, Component{Name: "rare", Version: fmt.Sprint(i / 10)}, Component{Name: "stdlib", Version: fmt.Sprintf("1.%d", i/500)})
	return f
}

func licence(lib int) string {
	if lib == 77 {
		return "ISC"
	}
	return []string{"MIT", "BSD-3-Clause"}[lib%2]
}

// BenchmarkFind asks a cache of 10,000 artifacts with 100 components each. "first"
// is what a new process takes, "next" any further question.
func BenchmarkFind(b *testing.B) {
	s, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	// The files of the blobs are not read.
	for i := range benchArtifacts {
		path := s.path(benchFacts(i).Digest)
		if err := os.MkdirAll(path[:len(path)-65], 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o400); err != nil {
			b.Fatal(err)
		}
	}
	for from := 0; from < benchArtifacts; from += 500 {
		err := s.facts.run(b.Context(), true, func(tx *bbolt.Tx) error {
			for i := from; i < from+500; i++ {
				f := benchFacts(i)
				core, parts, err := f.records()
				if err == nil {
					err = putFacts(tx, f, core, parts)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(s.facts.path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("facts.db: %d MB", info.Size()/1e6)
	for _, question := range []struct {
		name  string
		query Query
	}{
		{"rare", Query{Name: "rare", Keep: func(c Component) bool { return c.Version == "77" }}},
		{"name", Query{Name: "example.com/lib-77/part-77", Keep: func(c Component) bool { return c.Version == "v1.7.7" }}},
		{"widespread", Query{Name: "stdlib"}},
		{"license", Query{License: func(e string) bool { return e == "ISC" }}},
		{"revision", Query{Revision: benchFacts(77).Revision[:12]}},
		{"builder", Query{Builder: func(builder string) bool { return builder == "https://ci.example.com/builder/7" }}},
	} {
		ask := func(b *testing.B, s *Store) {
			n := 0
			for _, err := range s.Find(context.Background(), question.query) {
				if n++; err != nil {
					b.Fatal(err)
				}
			}
			if n == 0 {
				b.Fatal("nothing was found")
			}
			b.ReportMetric(float64(n), "found")
		}
		b.Run(question.name+"/first", func(b *testing.B) {
			for b.Loop() {
				fresh, err := Open(s.dir, Options{})
				if err != nil {
					b.Fatal(err)
				}
				ask(b, fresh)
			}
		})
		b.Run(question.name+"/next", func(b *testing.B) {
			for b.Loop() {
				ask(b, s)
			}
		})
	}
	b.Run("describe", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			f := benchFacts(i % benchArtifacts)
			f.Platform = fmt.Sprint(i)
			if err := s.Describe(b.Context(), f); err != nil {
				b.Fatal(err)
			}
		}
	})
}
