package main

import _ "embed"

// sigstoreRoot is version 14 of the root of the public-good Sigstore
// repository, as the Go module github.com/sigstore/sigstore-go v1.3.0 carries
// it (pkg/tuf/repository/root.json). Its SHA-256 is
// a0dfcc5d51c1ce4a66b541a3fff0afa97225ccc40456b21140bb2e2f113122e2.
//
//go:embed known/sigstore.root.json
var sigstoreRoot []byte

// knownRepository is one that `trust add NAME` knows the URL and the root of.
type knownRepository struct {
	url  string
	root []byte
}

// knownRepositories are those whose root ships with this program: whoever
// trusts the program trusts them as much.
func knownRepositories() map[string]knownRepository {
	return map[string]knownRepository{
		"sigstore": {url: "https://tuf-repo-cdn.sigstore.dev", root: sigstoreRoot},
	}
}
