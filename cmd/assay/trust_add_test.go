package main

import (
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/testrepo"
)

// TestTrustAddLocked: where the system's configuration locks repositories, nobody adds
// another one; and nothing is asked of it first.
func TestTrustAddLocked(t *testing.T) {
	t.Parallel()
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for lock, refused := range map[string]map[string]bool{
		`["repositories"]`:      {"acme": true, "other": true},
		`["repositories.acme"]`: {"acme": true, "other": false},
		`["policy"]`:            {"acme": false, "other": false},
	} {
		p := newPatient(t)
		file := filepath.Join(p.app.systemDir, "conf.d", "10-fleet.toml")
		p.write(file, "locked = "+lock+"\n", 0o644)
		for name, want := range refused {
			before := len(server.Requests())
			code := map[bool]int{true: 2, false: 0}[want]
			p.asks(code, "trust add "+name+" "+server.URL+" --root-sha256 "+repo.RootSHA256())
			if !want {
				continue
			}
			for _, part := range []string{"no other may be added: " + file + ":1 locks them", "hint: whoever looks after this machine declares it in " + file} {
				if !strings.Contains(p.stderr.String(), part) {
					t.Errorf("%s: %s: expected %q, found %s", lock, name, part, p.stderr.String())
				}
			}
			if n := len(server.Requests()); n != before {
				t.Errorf("%s: %s: %d requests were made", lock, name, n-before)
			}
			p.asks(0, "trust list --json")
			if strings.Contains(p.stdout.String(), `"`+name+`"`) {
				t.Errorf("%s: %s was added: %s", lock, name, p.stdout.String())
			}
		}
	}
}
