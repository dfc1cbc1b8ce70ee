package main

import (
	"fmt"
	"sync"
	"testing"

	"assay/internal/testrepo"
)

// Removing a repository while it is added, refreshed and fetched from must end
// in a whole registration or in none, and never in a name that can't be used.
func TestRemoveAtTheSameTime(t *testing.T) {
	first, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	second, other, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	m := &machine{t: t, home: t.TempDir(), server: server}
	for round := range 6 {
		m.must("trust", "add", "z", server.URL, "--root-sha256", first.RootSHA256())
		var all sync.WaitGroup
		for i := range 2 {
			all.Go(func() { m.try("trust", "add", "z", server.URL, "--root-sha256", first.RootSHA256()) })
			all.Go(func() { m.try("trust", "refresh", "z") })
			all.Go(func() { m.try("get", "z:hello", "--platform", "linux/amd64", "-o", fmt.Sprintf("out-%d", i)) })
		}
		all.Go(func() { m.try("trust", "remove", "z") })
		all.Wait()
		if code, _ := m.try("trust", "show", "z"); code != 3 {
			m.expect(0, "", "trust", "refresh", "z")
			m.must("trust", "remove", "z")
		}
		// The name is free, for another repository, too.
		m.expect(0, "added", "trust", "add", "z", other.URL, "--root-sha256", second.RootSHA256())
		m.must("trust", "remove", "z")
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}
