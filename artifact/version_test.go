package artifact

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for _, text := range []string{"0.0.0", "1.4.2", "2.0.0-rc.1", "2.0.0-rc.1+build.7", "1.0.0+001", "18446744073709551615.0.0"} {
		v, err := ParseVersion(text)
		if err != nil || v.String() != text || v.IsZero() {
			t.Errorf("%s: got %q, %v", text, v, err)
		}
		var again Version
		if err := again.UnmarshalText([]byte(text)); err != nil || again != v {
			t.Errorf("%s: unmarshalled as %q, %v", text, again, err)
		}
	}
	for _, text := range []string{
		"", "1", "1.4", "1.4.2.3", "v1.4.2", "V1.4.2", "1.4.x", "01.4.2", "1.4.2-", "1.4.2-01", "1.4.2+", " 1.4.2", "1.4.2\n",
		"1.4.2/x", "-1.4.2", "18446744073709551616.0.0", "latest", "1.0.0-" + strings.Repeat("a", MaxVersion),
	} {
		if v, err := ParseVersion(text); !errors.Is(err, ErrVersion) || !v.IsZero() {
			t.Errorf("%q: got %q, %v", text, v, err)
		}
	}
	if _, err := ParseVersion("v1.4.2"); err == nil || !strings.Contains(err.Error(), "versions have no leading v: did you mean 1.4.2") {
		t.Errorf("v1.4.2: got %v", err)
	}
	var v Version
	if err := v.UnmarshalText([]byte("1.4")); !errors.Is(err, ErrVersion) {
		t.Errorf("unmarshalled 1.4: %v", err)
	}
}

func TestVersionOrder(t *testing.T) {
	ascending := []string{"0.9.9", "1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "2.0.0"}
	for i, a := range ascending {
		for j, b := range ascending {
			got, want := version(t, a).Compare(version(t, b)), i-j
			if (got < 0) != (want < 0) || (got > 0) != (want > 0) {
				t.Errorf("%s to %s: got %d", a, b, got)
			}
		}
	}
	a, b := version(t, "1.0.0+a"), version(t, "1.0.0+b")
	if a.Compare(b) != 0 || a == b {
		t.Error("build metadata must not count in the order, and must count in ==")
	}
	if !version(t, "1.0.0-rc.1").IsPrerelease() || version(t, "1.0.0+x").IsPrerelease() {
		t.Error("IsPrerelease is wrong")
	}
}

func TestRange(t *testing.T) {
	for _, test := range []struct {
		text    string
		in, out []string
	}{
		{"^1.4", []string{"1.4.0", "1.9.3"}, []string{"1.3.9", "2.0.0", "1.5.0-rc.1"}},
		{"~1.4.2", []string{"1.4.2", "1.4.9"}, []string{"1.4.1", "1.5.0"}},
		{">=1.2, <2", []string{"1.2.0", "1.99.0"}, []string{"1.1.9", "2.0.0"}},
		{">=1.2 <2", []string{"1.2.0"}, []string{"2.0.0"}},
		{"1.4.x", []string{"1.4.0", "1.4.7"}, []string{"1.5.0"}},
		{"1.4", []string{"1.4.0", "1.4.7"}, []string{"1.5.0"}},
		{"*", []string{"0.0.1", "9.0.0"}, []string{"1.0.0-rc.1"}},
		{"^1.4.0-0", []string{"1.4.0-rc.1", "1.5.0"}, []string{"2.0.0"}},
		{"1.2 - 1.4.0", []string{"1.2.0", "1.4.0"}, []string{"1.4.1"}},
		{"=1.4.2", []string{"1.4.2"}, []string{"1.4.3"}},
		{"^1 || ^3", []string{"1.0.0", "3.1.0"}, []string{"2.0.0"}},
	} {
		r, err := ParseRange(test.text)
		if err != nil || r.String() != test.text {
			t.Errorf("%s: got %q, %v", test.text, r, err)
			continue
		}
		for _, v := range slices.Concat(test.in, test.out) {
			if got, want := r.Contains(version(t, v)), slices.Contains(test.in, v); got != want {
				t.Errorf("%s contains %s: got %v", test.text, v, got)
			}
		}
		if r.Contains(Version{}) {
			t.Errorf("%s contains the zero version", test.text)
		}
	}
	for _, text := range []string{"", " ", "latest", "^", "1.4.2.3", "^1.4\n", "^1 ||", "||", ",", ">=1 <", "≥1", "^1@2", ">" + strings.Repeat("1", MaxVersion)} {
		if r, err := ParseRange(text); !errors.Is(err, ErrRange) || r.String() != "" {
			t.Errorf("%q: got %q, %v", text, r, err)
		}
	}
	if (Range{}).Contains(version(t, "1.0.0")) {
		t.Error("the zero Range is not empty")
	}
}

func version(t *testing.T, text string) Version {
	t.Helper()
	v, err := ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
