package trust_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// A root that says "roles" and "Roles" is two roots, each for another client.
func TestRootThatSaysTwoThings(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) {
		root := s.(*metadata.RootType)
		root.UnrecognizedFields = map[string]any{"Roles": map[string]any{}, "Version": 3}
	}}))
	must(t, b.repo.PublishRoot())
	b.refuses(trust.ErrMalformed)
}

// A mirror adds a key in another case to what is signed: encoding/json would take
// it for the right one, so that the check of signatures and the parser could each
// see another document. Such a file is refused, or read as if it were not there.
func TestKeyInAnotherCaseBesideTheSignedOne(t *testing.T) {
	t.Parallel()
	evil := `{"_type":"%s","spec_version":"1.0.31","version":77,"expires":"2036-01-01T00:00:00Z","targets":{},` +
		`"meta":{"snapshot.json":{"version":77},"targets.json":{"version":77}}}`
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		for _, key := range []string{"Signed", "SIGNED", `\u0053igned`, `\u017figned`} {
			for _, first := range []bool{true, false} {
				b := newBench(t, testrepo.Options{NoMetaHashes: true})
				b.mustRefresh()
				must(t, b.repo.AddTarget("b.txt", []byte("beta")))
				must(t, b.repo.Forge(role, testrepo.Forgery{Bytes: func(data []byte) []byte {
					twin := `"` + key + `":` + fmt.Sprintf(evil, role)
					if data = bytes.TrimSpace(data); first {
						return append([]byte("{"+twin+","), data[1:]...)
					}
					return append(data[:len(data)-1:len(data)-1], ("," + twin + "}")...)
				}}))
				b.publish()
				b.refuses(trust.ErrMalformed)
			}
		}
	}
}
