package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTransferInLayers(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml":        "[transfer]\ndownloads = 2\nbandwidth = '10 MiB'\nstall = '2m'\n",
		"home/assay/config.toml": "[transfer]\nbandwidth = 'none'\nmin_rate = 5\nretries = 0\nconnections = 64\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Transfer{Downloads: 2, Connections: 64, MinRate: 5, Stall: 2 * time.Minute}); c.Transfer != want {
		t.Errorf("expected %+v, found %+v", want, c.Transfer)
	}
	for key, want := range map[string]string{
		"transfer.downloads":   "2, etc/config.toml:2",
		"transfer.connections": "64, home/assay/config.toml:5",
		"transfer.bandwidth":   "none, home/assay/config.toml:2",
		"transfer.min_rate":    "5 B, home/assay/config.toml:3",
		"transfer.stall":       "2m, etc/config.toml:4",
		"transfer.retries":     "0, home/assay/config.toml:4",
	} {
		v := value(t, c, key)
		if found := v.Value + ", " + strings.TrimPrefix(v.Origin.String(), dir+string(filepath.Separator)); filepath.ToSlash(found) != want || v.Locked {
			t.Errorf("%s: expected %s, found %s", key, want, found)
		}
	}
	if c, err = Load(LoadOptions{}); err != nil || c.Transfer != DefaultTransfer() {
		t.Errorf("without files: expected the defaults, found %+v, %v", c, err)
	}
}

// What is shown can be written into a file as it stands, from the least to the
// highest; beyond these it is refused.
func TestTransferBounds(t *testing.T) {
	ceiling := MaxTransfer()
	for _, s := range transfers {
		name := strings.TrimPrefix(s.key, KeyTransfer+".")
		for _, n := range []int64{s.least, *s.field(&ceiling)} {
			shown := "'" + s.text(n) + "'"
			if s.unit == count {
				shown = s.text(n)
			}
			_, options := tree(t, map[string]string{"home/assay/config.toml": "[transfer]\n" + name + " = " + shown})
			c, err := Load(options)
			if err != nil {
				t.Fatal(err)
			}
			if found := *s.field(&c.Transfer); found != n {
				t.Errorf("%s = %s: expected %d, found %d", name, shown, n, found)
			}
		}
		below, above := fmt.Sprint(s.least-1), fmt.Sprint(*s.field(&ceiling)+1)
		if s.unit == span {
			below, above = "'0s'", "'3601s'"
		}
		for _, set := range []string{below, above, "true", "1.5", "-1", "'x'", "''"} {
			refuses(t, "etc/config.toml", "[transfer]\n# no\n"+name+" = "+set+"\n", ErrValue, "config.toml:3: "+s.key+": expected ")
		}
	}
	for text, says := range map[string]string{
		"bandwidth = 'None'": `transfer.bandwidth: expected 1 KiB to 1024 GiB a second, as "300 KiB" or a whole number of bytes, or "none", found "None"`,
		"bandwidth = 0":      `found 0`,
		"min_rate = 'none'":  `transfer.min_rate: expected 1 B to 1 GiB a second, as "300 KiB" or a whole number of bytes, found "none"`,
		"stall = 30":         `transfer.stall: expected a duration from 1s to 1h, like "30s", found 30`,
		"stall = '1.5m'":     `found "1.5m"`,
		"retries = 'none'":   `transfer.retries: expected a whole number from 0 to 100, found "none"`,
		"downloads = '6'":    `transfer.downloads: expected a whole number from 1 to 64, found "6"`,
	} {
		refuses(t, "home/assay/config.toml", "[transfer]\n"+text, ErrValue, says)
	}
	refuses(t, "home/assay/config.toml", "[transfer]\nretry = 5\n", ErrUnknown, `config.toml:2:1: unknown key "transfer.retry"`)
	refuses(t, "work/assay.toml", "[transfer]\nretries = 5\n", ErrProject, "assay.toml:2: transfer: a project's file can only name tools")
	refuses(t, "work/assay.toml", "[transfer]\n", ErrProject, "assay.toml:1: transfer")
}

func TestTransferLocked(t *testing.T) {
	for lock, test := range map[string]struct{ user, key string }{
		"transfer":           {"stall = '1m'", "transfer.stall"},
		"transfer.bandwidth": {"bandwidth = '1 MiB'", "transfer.bandwidth"},
	} {
		_, options := tree(t, map[string]string{"etc/config.toml": "locked = ['" + lock + "']\n", "home/assay/config.toml": "[transfer]\n" + test.user})
		var refusal *Error
		if c, err := Load(options); c != nil || !errors.Is(err, ErrLocked) || !errors.As(err, &refusal) || refusal.Key != test.key {
			t.Errorf("%s: expected %v about %s, found %v", lock, ErrLocked, test.key, err)
		}
	}
	_, options := tree(t, map[string]string{"etc/config.toml": "locked = ['transfer.bandwidth']\n", "home/assay/config.toml": "[transfer]\nbandwidth = 'none'\nretries = 1\n"})
	if c, err := Load(options); err != nil || !value(t, c, "transfer.bandwidth").Locked || value(t, c, "transfer.retries").Locked {
		t.Errorf("the same again, and another: found %v", err)
	}
	refuses(t, "etc/config.toml", "locked = ['transfer.retry']\n", ErrUnknown, `unknown key "transfer.retry"; did you mean "transfer.retries"?`)
}
