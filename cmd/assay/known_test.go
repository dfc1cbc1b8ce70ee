package main

import (
	"testing"

	"assay/artifact"
	"assay/fetch"
	"assay/trust"
)

func TestKnownRepositories(t *testing.T) {
	digests := map[string]string{"sigstore": "a0dfcc5d51c1ce4a66b541a3fff0afa97225ccc40456b21140bb2e2f113122e2"}
	for name, known := range knownRepositories() {
		info, err := trust.CheckRoot(known.root, trust.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info.SHA256.Hex() != digests[name] || info.Version != 14 {
			t.Errorf("%s: root %d, %s, want root 14, %s", name, info.Version, info.SHA256, digests[name])
		}
		if _, err := fetch.ParseBaseURL(known.url); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := artifact.ValidRepository(name); err != nil {
			t.Error(err)
		}
	}
}
