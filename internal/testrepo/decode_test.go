package testrepo_test

import (
	"path"
	"strings"
	"testing"

	"assay/artifact"
	"assay/artifact/release"
	"assay/internal/testrepo"
)

// TestClientsDecodeEveryDocument reads each document as a client does, strictly
// and bound to its path, and wants no field that clients do not know.
func TestClientsDecodeEveryDocument(t *testing.T) {
	r := sample(t, testrepo.Options{Algorithms: []artifact.Algorithm{artifact.SHA512, artifact.SHA256}})
	tm, err := verify(held(r), r.Now())
	must(t, err)
	count := 0
	for _, role := range tm.Targets {
		for where := range role.Signed.Targets {
			data, _ := r.Target(where)
			dir, base := path.Split(where)
			var document interface{ Unknown() []string }
			var err error
			switch {
			case where == "catalog.json":
				document, err = release.DecodeCatalog(data)
			case strings.HasPrefix(dir, "channel-"):
				channel := strings.TrimSuffix(strings.TrimPrefix(dir, "channel-"), "/")
				document, err = release.DecodeChannel(data, strings.TrimSuffix(base, ".json"), channel)
			case base == "release.json":
				product, rest, _ := strings.Cut(dir, "/")
				version, parseErr := artifact.ParseVersion(strings.TrimSuffix(rest, "/"))
				must(t, parseErr)
				document, err = release.DecodeRelease(data, product, version)
			default:
				continue
			}
			count++
			if err != nil {
				t.Errorf("%s: %v", where, err)
			} else if unknown := document.Unknown(); len(unknown) > 0 {
				t.Errorf("%s: clients do not know %q", where, unknown)
			}
		}
	}
	if count != 1+4+7 {
		t.Errorf("expected 12 documents, found %d", count)
	}
}
