package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestLimitsInLayers(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml":        "[limits]\nroot = '1 MiB'\ntimestamp = 20000\nroles = 2_000\n",
		"etc/conf.d/10.toml":     "limits = {snapshot = '1024kib', root = 2097152}\n",
		"home/assay/config.toml": "# mine\n[limits]\ntargets = '300 MB'\nroles = 3000\ndepth = 128\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultLimits()
	want.Root, want.Timestamp, want.Snapshot, want.Targets = 2<<20, 20000, 1<<20, 300e6
	want.Roles, want.Depth = 3000, 128
	if c.Limits != want {
		t.Errorf("expected %+v, found %+v", want, c.Limits)
	}
	for key, want := range map[string]string{
		"limits.root":           "2 MiB, etc/conf.d/10.toml:1",
		"limits.timestamp":      "20 kB, etc/config.toml:3",
		"limits.snapshot":       "1 MiB, etc/conf.d/10.toml:1",
		"limits.targets":        "300 MB, home/assay/config.toml:3",
		"limits.root_rotations": "256, default",
		"limits.roles":          "3000, home/assay/config.toml:4",
		"limits.listing":        "65536, default",
		"limits.depth":          "128, home/assay/config.toml:5",
	} {
		v := value(t, c, key)
		if found := v.Value + ", " + strings.TrimPrefix(v.Origin.String(), dir+string(filepath.Separator)); found != want || v.Locked {
			t.Errorf("%s: expected %s, found %s, locked %v", key, want, found, v.Locked)
		}
	}
}

func TestLimitsAreDefaultsWithoutFiles(t *testing.T) {
	c, err := Load(LoadOptions{})
	if err != nil || c.Limits != DefaultLimits() {
		t.Errorf("expected the defaults, found %+v, %v", c, err)
	}
}

// What is shown can be written into a file as it stands.
func TestLimitsUpToTheHighest(t *testing.T) {
	var text strings.Builder
	ceiling := MaxLimits()
	for _, l := range limits {
		name, shown := strings.TrimPrefix(l.key, KeyLimits+"."), l.text(*l.field(&ceiling))
		if l.size {
			shown = "'" + shown + "'"
		}
		fmt.Fprintf(&text, "%s = %s\n", name, shown)
	}
	_, options := tree(t, map[string]string{"home/assay/config.toml": "[limits]\n" + text.String()})
	c, err := Load(options)
	if err != nil || c.Limits != ceiling {
		t.Errorf("expected %+v, found %+v, %v\n%s", ceiling, c, err, text.String())
	}
}

func TestLimitsOutOfBounds(t *testing.T) {
	for _, l := range limits {
		ceiling, unit := MaxLimits(), ""
		if l.size {
			unit = ` B to ` + sizeText(*l.field(&ceiling)) + `, as "300 KiB" or a whole number of bytes`
		}
		for _, set := range []string{"0", "-1", fmt.Sprint(*l.field(&ceiling) + 1)} {
			want := fmt.Sprintf("config.toml:3: %s: expected a whole number from 1 to %d, found %s", l.key, *l.field(&ceiling), set)
			if l.size {
				want = fmt.Sprintf("config.toml:3: %s: expected 1%s, found %s", l.key, unit, set)
			}
			refuses(t, "etc/config.toml", "[limits]\n# too much\n"+strings.TrimPrefix(l.key, KeyLimits+".")+" = "+set+"\n", ErrValue, want)
		}
	}
}

func TestLimitsThatCannotBe(t *testing.T) {
	const user = "home/assay/config.toml"
	for name, test := range map[string]struct {
		file, text string
		kind       error
		says       string
	}{
		"zero bytes":         {user, "[limits]\ntargets = '0 MiB'\n", ErrValue, `config.toml:2: limits.targets: expected 1 B to 1 GiB, as "300 KiB" or a whole number of bytes, found "0 MiB"`},
		"above, by a unit":   {user, "[limits]\ntimestamp = '2 MiB'\n", ErrValue, `limits.timestamp: expected 1 B to 1 MiB`},
		"negative size":      {user, "[limits]\nroot = '-1 MiB'\n", ErrValue, `found "-1 MiB"`},
		"overflow by a unit": {user, "[limits]\ntargets = '9999999999999 GiB'\n", ErrValue, `found "9999999999999 GiB"`},
		"overflow to small":  {user, "[limits]\ntargets = '17179869185 GiB'\n", ErrValue, `found "17179869185 GiB"`},
		"overflow, digits":   {user, "[limits]\ntargets = '99999999999999999999'\n", ErrValue, `found "99999999999999999999"`},
		"overflow, a number": {user, "[limits]\ntargets = 99999999999999999999\n", nil, `config.toml:2`},
		"too large a unit":   {user, "[limits]\ntargets = '99999999999 TiB'\n", ErrValue, `found "99999999999 TiB"`},
		"a fraction":         {user, "[limits]\nroot = '0,5 MiB'\n", ErrValue, `found "0,5 MiB"`},
		"no number":          {user, "[limits]\nroot = 'MiB'\n", ErrValue, `found "MiB"`},
		"nothing":            {user, "[limits]\nroot = ''\n", ErrValue, `found ""`},
		"two numbers":        {user, "[limits]\nroot = '1 2 KiB'\n", ErrValue, `found "1 2 KiB"`},
		"a count as a text":  {user, "[limits]\nroles = '12'\n", ErrValue, `config.toml:2: limits.roles: expected a whole number from 1 to 65536, found "12"`},
		"a count as a size":  {user, "[limits]\nlisting = '1 KiB'\n", ErrValue, `limits.listing: expected a whole number`},
		"a count with tenth": {user, "[limits]\ndepth = 3.5\n", ErrValue, `found "3.5"`},
		"a truth":            {user, "[limits]\nroot = true\n", ErrValue, `found "true"`},
		"a table":            {user, "[limits.root]\nx = 1\n", ErrValue, `config.toml:2: limits.root: expected 1 B to 16 MiB`},
		"no table":           {user, "limits = 5\n", nil, `config.toml:1`},
		"a list of tables":   {user, "[[limits]]\nroot = 5\n", nil, `config.toml:`},
		"a misspelt key":     {user, "[limits]\nroot = 5000\ntarget = 5\n", ErrUnknown, `config.toml:3:1: unknown key "limits.target"; did you mean "limits.targets"?`},
		"a misspelt table":   {user, "[limit]\nroot = 5000\n", ErrUnknown, `did you mean "limits"?`},
		"a project's":        {"work/assay.toml", "[limits]\ntargets = '1 GiB'\n", ErrProject, "assay.toml:2: limits: a project's file cannot set limits"},
		"a project's, empty": {"work/assay.toml", "[limits]\n", ErrProject, "assay.toml:1"},
		"a project's, lower": {"work/assay.toml", "limits.targets = 1\n", ErrProject, "assay.toml:1: limits"},
		"an unknown lock":    {"etc/config.toml", "locked = ['limits.target']\n", ErrUnknown, `config.toml:1: locked: unknown key "limits.target"; did you mean "limits.targets"?`},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, test.file, test.text, test.kind, test.says) })
	}
}

// No variable and no flag sets a limit.
func TestLimitsNotFromTheEnvironment(t *testing.T) {
	_, options := tree(t, nil)
	options.Env = []string{"ASSAY_LIMITS_ROOT=5"}
	if c, err := Load(options); c != nil || !errors.Is(err, ErrUnknown) {
		t.Errorf("expected %v, found %v, %v", ErrUnknown, c, err)
	}
	options.Env, options.Flags = nil, map[string]string{"limits.root": "5"}
	if c, err := Load(options); c != nil || !errors.Is(err, ErrUnknown) {
		t.Errorf("expected %v, found %v, %v", ErrUnknown, c, err)
	}
}

func TestLimitsLocked(t *testing.T) {
	const user = "home/assay/config.toml"
	for name, test := range map[string]struct {
		system, user string
		locked       string // by which a user is refused; empty: not refused
		held         string // what is then shown as locked
	}{
		"all":                {"locked = ['limits']\n[limits]\nroot = '1 MiB'\n", "[limits]\ndepth = 33\n", "limits.depth", ""},
		"one":                {"locked = ['limits.targets']\n", "[limits]\ntargets = '1 GiB'\n", "limits.targets", ""},
		"one, lowered":       {"locked = ['limits.targets']\n", "[limits]\ntargets = 5\n", "limits.targets", ""},
		"another":            {"locked = ['limits.targets']\n", "[limits]\nroot = 5\n", "", "limits.targets"},
		"the same otherwise": {"locked = ['limits']\n[limits]\ntargets = '1 MiB'\n", "[limits]\ntargets = 1048576\n", "", "limits.targets"},
		"the default again":  {"locked = ['limits']\n", "[limits]\ntargets = '256 MiB'\n", "", "limits.depth"},
	} {
		t.Run(name, func(t *testing.T) {
			_, options := tree(t, map[string]string{"etc/config.toml": test.system, user: test.user})
			c, err := Load(options)
			var refusal *Error
			switch {
			case test.locked == "" && err != nil:
				t.Fatal(err)
			case test.locked == "":
				if v := value(t, c, test.held); !v.Locked {
					t.Errorf("%s: expected to be shown as locked, found %+v", test.held, v)
				}
			case !errors.Is(err, ErrLocked) || !errors.As(err, &refusal) || refusal.Key != test.locked || refusal.Origin.Line != 2:
				t.Errorf("expected %v about line 2, %s, found %v", ErrLocked, test.locked, err)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, " 16384 ": 16384, "1B": 1, "1 b": 1, "2kB": 2000, "2 KB": 2000, "2KiB": 2048, "3 MB": 3e6, "3 mib": 3 << 20,
		"4 GB": 4e9, "4\tGiB": 4 << 30, "007 MiB": 7 << 20, "0": 0, "9223372036854775807": 1<<63 - 1, "8589934591 GiB": 8589934591 << 30,
	} {
		if got, ok := ParseSize(text); !ok || got != want {
			t.Errorf("%q: expected %d, found %d, %v", text, want, got, ok)
		}
	}
	for _, text := range []string{
		"", " ", "B", "MiB", "-1", "+1", "1.5 MiB", "1,5 MiB", "1e3", "0x10", "1_000", "٣", "1 TiB", "1 M", "1 MiB MiB", "NaN", "Inf",
		"9223372036854775808", "8589934592 GiB", "9223372036854775807 KiB",
	} {
		if got, ok := ParseSize(text); ok {
			t.Errorf("%q: expected none, found %d", text, got)
		}
	}
	for size, want := range map[int64]string{1: "1 B", 1000: "1 kB", 1024: "1 KiB", 1025: "1025 B", 3 << 19: "1536 KiB", 1 << 30: "1 GiB", 300e6: "300 MB", 1<<20 + 1: "1048577 B"} {
		got := sizeText(size)
		if again, ok := ParseSize(got); got != want || !ok || again != size {
			t.Errorf("%d: expected %s, found %s, which is %d", size, want, got, again)
		}
	}
}

func refuses(t *testing.T, file, text string, kind error, says string) {
	t.Helper()
	_, options := tree(t, map[string]string{file: text})
	c, err := Load(options)
	if c != nil || !errors.Is(err, ErrConfig) || kind != nil && !errors.Is(err, kind) {
		t.Errorf("%s: expected %v, found %v, %v", text, kind, c, err)
		return
	}
	if !strings.Contains(filepath.ToSlash(err.Error()), says) {
		t.Errorf("%s: expected %q in %q", text, says, err)
	}
}
