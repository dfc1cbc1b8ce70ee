package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// The closest word on a product counts, and of two files the later.
func TestChannels(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml":        "channel = 'hotfix'\n[channels]\nhello = 'beta'\nferry = 'nightly'\n\"node.js\" = 'lts'\n",
		"home/assay/config.toml": "channel = 'candidate'\n[channels]\nhello = 'edge'\n\"acme:hello\" = 'canary'\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ repository, product, want, from string }{
		{"", "hello", "edge", "home/assay/config.toml:3"},
		{"beta", "hello", "edge", "home/assay/config.toml:3"},
		{"acme", "hello", "canary", "home/assay/config.toml:4"},
		{"acme", "ferry", "nightly", "etc/config.toml:4"},
		{"acme", "node.js", "lts", "etc/config.toml:5"},
		{"acme", "other", "candidate", "home/assay/config.toml:1"},
	} {
		got := c.ChannelOf(test.repository, test.product)
		if got.Channel != test.want || got.Origin.String() != filepath.Join(dir, test.from) {
			t.Errorf("%s:%s: expected %s from %s, found %s from %s", test.repository, test.product, test.want, test.from, got.Channel, got.Origin)
		}
	}
	if v := value(t, c, "channels.hello"); v.Value != "edge" || v.Origin.Line != 3 || v.Locked {
		t.Errorf("channels.hello: %+v", v)
	}
	if v := value(t, c, "channel"); v.Value != "candidate" {
		t.Errorf("channel: %+v", v)
	}

	_, options = tree(t, nil)
	if c, err = Load(options); err != nil || c.ChannelOf("acme", "hello") != (Channel{Channel: "stable"}) {
		t.Errorf("without a word on it: %+v, %v", c.ChannelOf("acme", "hello"), err)
	}
}

func TestChannelsThatAreRefused(t *testing.T) {
	const table = "[channels]\n"
	for name, test := range map[string]struct {
		system, user, project string
		kind                  error
		says                  string
	}{
		"no channel":            {"", "channel = 'A B'", "", ErrValue, "config.toml:1"},
		"no channel of one":     {"", table + "hello = '^1.4'", "", ErrValue, "config.toml:2: channels.hello"},
		"no product":            {"", table + "\"a:b:c\" = 'stable'", "", ErrValue, "expected [REPOSITORY:]PRODUCT"},
		"locked":                {"locked = ['channel']", "channel = 'beta'", "", ErrLocked, "config.toml:1"},
		"one is locked":         {"locked = ['channels.node.js']", table + "\"node.js\" = 'beta'", "", ErrLocked, "config.toml:2"},
		"all are locked":        {"locked = ['channels']", table + "\"acme:hello\" = 'beta'", "", ErrLocked, "config.toml:2"},
		"a lock of nothing":     {"locked = ['channels.']", "", "", ErrUnknown, "channels."},
		"a project's channel":   {"", "", "channel = 'beta'", ErrProject, "assay.toml:1"},
		"a project's channels":  {"", "", table + "hello = 'beta'", ErrProject, "assay.toml:2"},
		"a project's empty one": {"", "", table, ErrProject, "assay.toml:1"},
	} {
		files := map[string]string{"etc/config.toml": test.system, "home/assay/config.toml": test.user}
		if test.project != "" {
			files["work/assay.toml"] = test.project
		}
		_, options := tree(t, files)
		_, err := Load(options)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: expected %v and %q, found %v", name, test.kind, test.says, err)
		}
	}
	// The same again is no change.
	_, options := tree(t, map[string]string{
		"etc/config.toml":        "locked = ['channels', 'channel']\nchannel = 'beta'\n[channels]\nhello = 'beta'\n",
		"home/assay/config.toml": "channel = 'beta'\n[channels]\nhello = 'beta'\n",
	})
	if c, err := Load(options); err != nil || !value(t, c, "channels.hello").Locked {
		t.Errorf("the same again: %v", err)
	}
}
