package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// benchTargets is how many targets the benchmarks read: about 20 MB.
const benchTargets = 100_000

// targetsMetadata is TUF targets metadata with n targets, canonical, of the
// proportions of a large repository: a path, a length, two hashes' worth of hex.
func targetsMetadata(n int) []byte {
	var doc bytes.Buffer
	doc.WriteString(`{"signatures":[],"signed":{"_type":"targets","expires":"2027-01-01T00:00:00Z","spec_version":"1.0.31","targets":{`)
	for i := range n {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"product-%04d/1.%03d.0/product-linux-amd64.tar.gz":{"custom":{"note":"release %d"},`+
			`"hashes":{"sha256":"%064x"},"length":%d}`, i/1000, i%1000, i, uint64(i)*0x9e3779b97f4a7c15, 1_000_000+i)
	}
	doc.WriteString(`},"version":1}}`)
	return doc.Bytes()
}

func BenchmarkScreen(b *testing.B) {
	doc := targetsMetadata(benchTargets)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Screen(doc, Limits{Bytes: len(doc), Depth: 8}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPeerValid is encoding/json's own check, which knows of no duplicates.
func BenchmarkPeerValid(b *testing.B) {
	doc := targetsMetadata(benchTargets)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(doc) {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkMembers(b *testing.B) {
	doc := targetsMetadata(benchTargets)
	targets := value(b, value(b, doc, "signed"), "targets")
	b.SetBytes(int64(len(targets)))
	b.ReportAllocs()
	for b.Loop() {
		count := 0
		for range Members(targets) {
			count++
		}
		if count != benchTargets {
			b.Fatal(strconv.Itoa(count) + " targets")
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	canonical := targetsMetadata(benchTargets)
	var indented bytes.Buffer
	if err := json.Indent(&indented, canonical, "", " "); err != nil {
		b.Fatal(err)
	}
	for _, test := range []struct {
		name string
		doc  []byte
	}{
		{"already", canonical},
		{"indented", indented.Bytes()},
		{"unsorted", shuffled(rand.New(rand.NewPCG(1, 2)), 2*benchTargets)},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(len(test.doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Canonical(test.doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// value is the value of the member with that key.
func value(tb testing.TB, object []byte, key string) []byte {
	tb.Helper()
	for m := range Members(object) {
		if string(m.Key) == key {
			return m.Value
		}
	}
	tb.Fatalf("no member %q", key)
	return nil
}
