package artifact

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestParsePlatform(t *testing.T) {
	for text, want := range map[string]Platform{
		"linux/amd64":  {OS: "linux", Arch: "amd64"},
		"linux/arm/v7": {OS: "linux", Arch: "arm", Variant: "v7"},
		"js/wasm":      {OS: "js", Arch: "wasm"},
		"any":          {OS: Any, Arch: Any},
		"linux/any":    {OS: "linux", Arch: Any},
		"any/amd64":    {OS: Any, Arch: "amd64"},
	} {
		got, err := ParsePlatform(text)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%s: written as %q", text, got)
		}
		var again Platform
		if err := again.UnmarshalText([]byte(text)); err != nil || again != want {
			t.Errorf("%s: unmarshalled as %+v, %v", text, again, err)
		}
	}
	if got, err := ParsePlatform("any/any"); err != nil || got.String() != "any" {
		t.Errorf("any/any: got %q, %v", got, err)
	}
	for _, text := range []string{
		"", "linux", "linux/", "/amd64", "linux//v7", "linux/arm/v7/x", "Linux/amd64", "linux/amd 64",
		"linux/../x", "linux/-x", "any/any/v7", "linux/any/v1", "linux/" + strings.Repeat("a", 33), "li\x00nux/arm",
	} {
		if got, err := ParsePlatform(text); !errors.Is(err, ErrPlatform) || got != (Platform{}) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

// TestRankOrder lists candidates best first; each must beat the next one.
func TestRankOrder(t *testing.T) {
	v7 := Platform{OS: "linux", Arch: "arm", Variant: "v7"}
	order := [][3]string{
		{"linux", "arm", "v7"}, {"any", "arm", "v7"},
		{"linux", "arm", ""}, {"any", "arm", ""},
		{"linux", "any", ""}, {"any", "any", ""},
	}
	last := 1 << 30
	for _, c := range order {
		rank := v7.Rank(c[0], c[1], c[2])
		if rank <= 0 || rank >= last {
			t.Errorf("%v: rank %d after %d", c, rank, last)
		}
		last = rank
	}
	for _, c := range [][3]string{
		{"linux", "arm", "v6"}, {"linux", "arm64", ""}, {"windows", "arm", "v7"}, {"linux", "any", "v7"}, {"", "arm", "v7"}, {"linux", "", ""},
	} {
		if rank := v7.Rank(c[0], c[1], c[2]); rank != 0 {
			t.Errorf("%v: rank %d, want no match", c, rank)
		}
	}
	plain := Platform{OS: "linux", Arch: "arm"}
	if plain.Rank("linux", "arm", "v7") != 0 || plain.Rank("linux", "arm", "") == 0 {
		t.Error("a machine of unknown variant must take the plain artifact only")
	}
	if anywhere := (Platform{OS: Any, Arch: Any}); anywhere.Rank("any", "any", "") == 0 || anywhere.Rank("linux", "amd64", "") != 0 {
		t.Error("any must take what is for any, and nothing else")
	}
}

func TestHost(t *testing.T) {
	host := Host()
	if host.OS != runtime.GOOS || host.Arch != runtime.GOARCH {
		t.Errorf("got %v", host)
	}
	for _, test := range []struct{ arch, goarm, want string }{
		{"arm", "7", "v7"}, {"arm", "6,softfloat", "v6"}, {"arm", "", ""}, {"arm", "x", ""}, {"amd64", "7", ""},
	} {
		settings := []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARM", Value: test.goarm}}
		if got := hostVariant(test.arch, settings); got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
	}
	if got := hostVariant("arm", nil); got != "" {
		t.Errorf("no build settings: got %q", got)
	}
}
