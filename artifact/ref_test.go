package artifact

import (
	"errors"
	"strings"
	"testing"
)

var (
	hex64  = strings.Repeat("0a", 32)
	hex128 = strings.Repeat("0b", 64)
)

func TestParseRef(t *testing.T) {
	for _, test := range []struct {
		text, repo, product string
		kind                SelectorKind
		selector            string
	}{
		{"hello", "", "hello", ByChannel, "stable"},
		{"hello@stable", "", "hello", ByChannel, "stable"},
		{"hello@v2", "", "hello", ByChannel, "v2"},
		{"acme:hello", "acme", "hello", ByChannel, "stable"},
		{"acme:hello@hotfix", "acme", "hello", ByChannel, "hotfix"},
		{"hello@1.4.2", "", "hello", ByVersion, "1.4.2"},
		{"hello@1.4.2-rc.1+b", "", "hello", ByVersion, "1.4.2-rc.1+b"},
		{"hello@1.4", "", "hello", ByRange, "1.4"},
		{"hello@1.x", "", "hello", ByRange, "1.x"},
		{"hello@^1.4", "", "hello", ByRange, "^1.4"},
		{"hello@>=1.2, <2", "", "hello", ByRange, ">=1.2, <2"},
		{"hello@=1.4.2", "", "hello", ByRange, "=1.4.2"},
		{"hello@*", "", "hello", ByRange, "*"},
		{"hello@!=1.4.2", "", "hello", ByRange, "!=1.4.2"},
		{"hello@sha256:" + hex64, "", "hello", ByDigest, "sha256:" + hex64},
		{"hello@sha256:" + strings.ToUpper(hex64), "", "hello", ByDigest, "sha256:" + hex64},
		{"acme:hello@sha512:" + hex128, "acme", "hello", ByDigest, "sha512:" + hex128},
		{"7zip@7.0.0", "", "7zip", ByVersion, "7.0.0"},
	} {
		ref, err := ParseRef(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if ref.Repo != test.repo || ref.Product != test.product || ref.Selector.Kind != test.kind || ref.Selector.String() != test.selector {
			t.Errorf("%s: got %+v", test.text, ref)
		}
		checkRoundTrip(t, ref)
	}
}

func TestParseRefRefuses(t *testing.T) {
	for text, reason := range map[string]error{
		"":                                ErrName,
		"@stable":                         ErrName,
		":hello":                          ErrName,
		"acme:":                           ErrName,
		"a:b:hello":                       ErrName,
		"Hello":                           ErrName,
		"../hello":                        ErrName,
		"hello/x":                         ErrName,
		"channel-stable":                  ErrName,
		"hello@":                          ErrName,
		"hello@Stable":                    ErrName,
		"hello@stable@x":                  ErrName,
		"hello@-x":                        ErrName,
		"hello@v1.4.2":                    ErrVersion,
		"hello@1.4.2.3":                   ErrRange,
		"hello@^":                         ErrRange,
		"hello@1.4@x":                     ErrRange,
		"hello@sha256:abc":                ErrDigest,
		"hello@sha1:" + hex64:             ErrDigest,
		"hello@md5:x":                     ErrDigest,
		"hello@sha256:" + hex128:          ErrDigest,
		"hello@sha256:" + hex64[1:] + "g": ErrDigest,
	} {
		ref, err := ParseRef(text)
		if !errors.Is(err, ErrRef) || !errors.Is(err, reason) {
			t.Errorf("%q: got %v, want ErrRef and %v", text, err, reason)
		}
		if ref != (Ref{}) {
			t.Errorf("%q: %+v came with the error", text, ref)
		}
	}
	if _, err := ParseRef(strings.Repeat("a", 600)); !errors.Is(err, ErrRef) || errors.Is(err, ErrName) {
		t.Errorf("an endless text: got %v", err)
	}
	if _, err := ParseRef("hello@v1.4.2"); err == nil || !strings.Contains(err.Error(), "did you mean 1.4.2") {
		t.Errorf("a leading v: got %v", err)
	}
}

func FuzzParseRef(f *testing.F) {
	for _, seed := range []string{
		"hello", "acme:hello@hotfix", "hello@1.4.2", "hello@^1.4", "hello@>=1.2, <2", "hello@v1.4.2", "a:b:c@d@e",
		"hello@sha256:" + hex64, "hello@SHA256:" + hex64, "hello@* || 2", "@", ":", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := ParseRef(text)
		if err != nil {
			if !errors.Is(err, ErrRef) || ref != (Ref{}) {
				t.Fatalf("%q: %+v, %v", text, ref, err)
			}
			return
		}
		if err := ValidProduct(ref.Product); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		checkRoundTrip(t, ref)
	})
}

func checkRoundTrip(t *testing.T, ref Ref) {
	t.Helper()
	again, err := ParseRef(ref.String())
	if err != nil {
		t.Fatalf("%q: %v", ref, err)
	}
	// Ranges are parsed anew, so their text stands for them.
	if again.Selector.Range.String() != ref.Selector.Range.String() {
		t.Fatalf("%q came back as %q", ref, again)
	}
	again.Selector.Range = ref.Selector.Range
	if again != ref {
		t.Fatalf("%+v came back as %+v", ref, again)
	}
}
