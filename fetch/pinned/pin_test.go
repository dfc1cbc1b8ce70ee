package pinned_test

import (
	"reflect"
	"strings"
	"testing"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/fetch/pinned"
)

func TestPin(t *testing.T) {
	digests, other := both("tool"), both("other")
	hex256, hex512 := digests[0].Hex(), digests[1].Hex()
	weak := strings.Repeat("a", 32) + "  tool\n" + strings.Repeat("b", 40) + "  tool\n"
	for _, test := range []struct {
		name, sha256, sha512, list string
		want                       artifact.Digests
		err                        error
		word                       string
	}{
		{"nothing", "", "", "", nil, pinned.ErrNoDigest, ""},
		{"sha256", strings.ToUpper(hex256), "", "", digests[:1], nil, ""},
		{"sha512", "", hex512, "", digests[1:], nil, ""},
		{"both", hex256, hex512, "", digests, nil, ""},
		{"a list", "", "", weak + hex256 + "  tool\nSHA512 (tool) = " + hex512, digests, nil, ""},
		{"a list that adds to what is given", hex256, "", hex512 + "  tool", digests, nil, ""},
		{"a list that says the same", hex256, "", hex256 + "  tool", digests[:1], nil, ""},
		{"a list that says another", hex256, "", other[0].Hex() + "  tool", nil, checksums.ErrConflict, "as was given"},
		{"not hex", "xyz", "", "", nil, artifact.ErrDigest, "expected 64 hex digits"},
		{"sha512 for sha256", hex512, "", "", nil, artifact.ErrDigest, ""},
		{"sha256 for sha512", "", hex256, "", nil, artifact.ErrDigest, ""},
		{"not listed", "", "", hex256 + "  another", nil, checksums.ErrNotListed, ""},
		{"not listed, though one is given", hex256, "", hex256 + "  another", nil, checksums.ErrNotListed, ""},
		{"weak lines only", "", "", weak, nil, checksums.ErrNotListed, "found 2 lines by other algorithms"},
		{"weak lines for the file", "", "", weak + hex256 + "  another", nil, checksums.ErrNotListed, "!other algorithms"},
		{"no list", "", "", "<html>", nil, checksums.ErrMalformed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var list []byte
			if test.list != "" {
				list = []byte(test.list)
			}
			got, err := pinned.Pin(test.sha256, test.sha512, list, "tool")
			if test.err != nil {
				wantError(t, err, test.err, test.word)
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	_, err := pinned.Pin(hex256, "", []byte{}, "tool")
	wantError(t, err, checksums.ErrNotListed, "!other algorithms")
}
