package artifact

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseDigest(t *testing.T) {
	// The digests of nothing, from FIPS 180-4's examples.
	const empty256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	d, err := ParseDigest("sha256:" + strings.ToUpper(strings.TrimPrefix(empty256, "sha256:")))
	if err != nil || d.String() != empty256 || d != DigestOf(SHA256, nil) || d.IsZero() {
		t.Errorf("got %v, %v", d, err)
	}
	var again Digest
	if err := again.UnmarshalText([]byte(empty256)); err != nil || again != d {
		t.Errorf("unmarshalled as %v, %v", again, err)
	}
	if err := again.UnmarshalText(nil); err != nil || !again.IsZero() {
		t.Errorf("nothing was unmarshalled as %v, %v", again, err)
	}
	for _, text := range []string{
		"", "sha256", "sha256:", "sha256:" + hex64[1:], "sha256:" + hex64 + "0", "sha256:" + hex64[2:] + "zz",
		"sha512:" + hex64, "sha1:" + hex64, "SHA256:" + hex64, ":" + hex64, "sha256:" + hex64[1:] + "\n",
	} {
		if d, err := ParseDigest(text); !errors.Is(err, ErrDigest) || !d.IsZero() {
			t.Errorf("%q: got %v, %v", text, d, err)
		}
	}
}

func TestDigests(t *testing.T) {
	a256, b256 := DigestOf(SHA256, []byte("a")), DigestOf(SHA256, []byte("b"))
	a512, b512 := DigestOf(SHA512, []byte("a")), DigestOf(SHA512, []byte("b"))
	both, err := NewDigests(a512, a256)
	if err != nil || !slices.Equal(both, Digests{a256, a512}) || both.Primary() != a256 {
		t.Fatalf("got %v, %v", both, err)
	}
	for _, test := range []struct {
		other Digests
		want  bool
	}{
		{Digests{a256}, true}, {Digests{a512}, true}, {Digests{a256, a512}, true},
		{Digests{b256}, false}, {Digests{a256, b512}, false}, {Digests{b256, a512}, false}, {nil, false},
	} {
		if both.Agree(test.other) != test.want || test.other.Agree(both) != test.want {
			t.Errorf("agree with %v: want %v", test.other, test.want)
		}
	}
	if (Digests{a256}).Agree(Digests{a512}) {
		t.Error("digests without a shared algorithm agree")
	}
	for _, list := range [][]Digest{nil, {a256, b256}, {a256, a256}, {{}}} {
		if ds, err := NewDigests(list...); !errors.Is(err, ErrDigest) || ds != nil {
			t.Errorf("%v: got %v, %v", list, ds, err)
		}
	}
}

func TestDigestsJSON(t *testing.T) {
	both := Digests{DigestOf(SHA256, nil), DigestOf(SHA512, nil)}
	data, err := json.Marshal(both)
	if err != nil {
		t.Fatal(err)
	}
	var again Digests
	if err := json.Unmarshal(data, &again); err != nil || !slices.Equal(again, both) {
		t.Errorf("%s came back as %v, %v", data, again, err)
	}
	if err := json.Unmarshal([]byte(`{"blake3":7,"sha256":"`+hex64+`"}`), &again); err != nil || len(again) != 1 {
		t.Errorf("an unknown algorithm beside: got %v, %v", again, err)
	}
	for _, text := range []string{
		`{}`, `{"blake3":"` + hex64 + `"}`, `{"sha256":"` + strings.ToUpper(hex64) + `"}`, `{"sha256":"` + hex128 + `"}`,
	} {
		var ds Digests
		if err := json.Unmarshal([]byte(text), &ds); !errors.Is(err, ErrDigest) || ds != nil {
			t.Errorf("%s: got %v, %v", text, ds, err)
		}
	}
}
