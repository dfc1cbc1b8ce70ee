package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const digest = "bc6a7f0e4c1d3b7de1a2f6c58c1f1c5ad6de6d80bb1b1bd2c8b1c52d53be0a4c"

// tree writes files under a fresh folder and gives options that use it: etc is
// the system's, home the user's, work the working directory.
func tree(t *testing.T, files map[string]string) (string, LoadOptions) {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"etc/conf.d", "home/assay", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, LoadOptions{
		SystemDir: filepath.Join(dir, "etc"),
		Dirs:      Dirs{Config: filepath.Join(dir, "home"), Cache: filepath.Join(dir, "c"), State: filepath.Join(dir, "s")},
		WorkDir:   filepath.Join(dir, "work"),
	}
}

func value(t *testing.T, c *Config, key string) Value {
	t.Helper()
	for _, v := range c.Values() {
		if v.Key == key {
			return v
		}
	}
	t.Fatalf("no value of %s", key)
	return Value{}
}

func TestDefaults(t *testing.T) {
	dir, options := tree(t, map[string]string{"work/.git/HEAD": ""})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.CacheDir, filepath.Join(dir, "c", "assay"); got != want {
		t.Errorf("cache_dir = %s, want %s", got, want)
	}
	if c.Offline || c.Platform.OS != runtime.GOOS {
		t.Errorf("offline %v, platform %v", c.Offline, c.Platform)
	}
	for _, v := range c.Values() {
		if v.Origin.String() != "default" || v.Locked {
			t.Errorf("%s comes from %s, locked %v", v.Key, v.Origin, v.Locked)
		}
	}
	if err := c.NeedDirs(); err != nil {
		t.Error(err)
	}
}

func TestLayersWinInOrder(t *testing.T) {
	files := map[string]string{
		"etc/config.toml":        "platform = 'linux/386'\n",
		"etc/conf.d/10.toml":     "platform = 'linux/arm'\n",
		"etc/conf.d/20.toml":     "platform = 'linux/arm64'\n",
		"home/assay/config.toml": "# mine\nplatform = 'darwin/arm64'\n",
	}
	dir, options := tree(t, files)
	env := []string{"ASSAY_PLATFORM=linux/ppc64le", "HOME=/nowhere", "ASSAY_OFFLINE="}
	flags := map[string]string{KeyPlatform: "linux/s390x"}
	for _, step := range []struct {
		drop           string
		platform, from string
	}{
		{"", "linux/s390x", "flag --platform"},
		{"flag", "linux/ppc64le", "environment ASSAY_PLATFORM"},
		{"env", "darwin/arm64", filepath.Join(dir, "home/assay/config.toml") + ":2"},
		{"home/assay/config.toml", "linux/arm64", filepath.Join(dir, "etc/conf.d/20.toml") + ":1"},
		{"etc/conf.d/20.toml", "linux/arm", filepath.Join(dir, "etc/conf.d/10.toml") + ":1"},
		{"etc/conf.d/10.toml", "linux/386", filepath.Join(dir, "etc/config.toml") + ":1"},
	} {
		switch step.drop {
		case "":
			options.Env, options.Flags = env, flags
		case "flag":
			options.Flags = nil
		case "env":
			options.Env = nil
		default:
			if err := os.Remove(filepath.Join(dir, step.drop)); err != nil {
				t.Fatal(err)
			}
		}
		c, err := Load(options)
		if err != nil {
			t.Fatal(err)
		}
		if got := value(t, c, KeyPlatform); got.Value != step.platform || got.Origin.String() != step.from || c.Platform.String() != step.platform {
			t.Errorf("without %s: %s from %s, want %s from %s", step.drop, got.Value, got.Origin, step.platform, step.from)
		}
	}
}

func TestUserFileIsReplaced(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"home/assay/config.toml": "offline = true\nplatform = 'linux/386'",
		"env.toml":               "platform = 'linux/arm'",
		"flag.toml":              "platform = 'linux/arm64'",
	})
	options.Env = []string{"ASSAY_CONFIG=../env.toml"}
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if c.Offline || c.Platform.Arch != "arm" {
		t.Errorf("ASSAY_CONFIG: offline %v, platform %v", c.Offline, c.Platform)
	}
	options.ConfigFlag = filepath.Join(dir, "flag.toml")
	if c, err = Load(options); err != nil || c.Platform.Arch != "arm64" {
		t.Errorf("--config: %v, %v", c, err)
	}
	options.ConfigFlag = filepath.Join(dir, "none.toml")
	if _, err = Load(options); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, ErrConfig) {
		t.Errorf("a named file that is not there: %v", err)
	}
}

func TestRepositories(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/conf.d/acme.toml": "[repositories.acme]\nurl = 'https://tuf.example'\nroot_sha256 = '" + strings.ToUpper(digest) + "'\nroot_version = 3\ngrace = '2d'\n",
		"home/assay/config.toml": "[repositories]\nbeta = { url = 'https://beta.example', root = 'beta.root.json' }\n" +
			"[repositories.acme]\ngrace = '48h'\nroot_version = 3\nroot_sha256 = '" + digest + "'\nurl = 'https://tuf.example'\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	acme, ok := c.Repository("acme")
	if !ok || acme.RootSHA256.Hex() != digest || acme.RootVersion != 3 || acme.Grace != 48*time.Hour {
		t.Errorf("acme: %+v", acme)
	}
	if want := filepath.Join(dir, "etc/conf.d/acme.toml") + ":2"; acme.Origin.String() != want {
		t.Errorf("acme comes from %s, want %s", acme.Origin, want)
	}
	beta, ok := c.Repository("beta")
	if want := filepath.Join(dir, "home/assay/beta.root.json"); !ok || beta.Root != want || beta.RootVersion != 1 {
		t.Errorf("beta: %+v", beta)
	}
	if got := value(t, c, "repositories.acme.grace"); got.Value != "48h0m0s" || got.Origin.Line != 5 {
		t.Errorf("grace: %+v", got)
	}
	if _, ok := c.Repository("gamma"); ok {
		t.Error("gamma is not declared")
	}
}

func TestTools(t *testing.T) {
	_, options := tree(t, map[string]string{
		"work/assay.toml":      "# ours\n[tools]\nhello = '^1.4'\n\"acme:ferry\" = 'stable'\n",
		"work/deep/er/x.txt":   "",
		"work/own/.git/config": "",
	})
	options.WorkDir = filepath.Join(options.WorkDir, "deep", "er")
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tools) != 2 || c.Tools[0].Name != "acme:ferry" || c.Tools[1].Selector != "^1.4" || c.Tools[1].Origin.Line != 3 || c.Offline {
		t.Errorf("tools %+v, offline %v", c.Tools, c.Offline)
	}
	if want := filepath.Join(options.WorkDir, "..", "..", "assay.toml"); c.Project != want {
		t.Errorf("expected the project %s, found %q", want, c.Project)
	}
	options.WorkDir = filepath.Join(options.WorkDir, "..", "..", "own")
	if c, err = Load(options); err != nil || len(c.Tools) != 0 || c.Project != "" {
		t.Errorf("a project's file was taken from outside of the project: %+v, %v", c, err)
	}
}

func TestRefusals(t *testing.T) {
	const repo = "[repositories.acme]\nurl = 'https://a.example'\nroot_sha256 = '" + digest + "'\n"
	for name, test := range map[string]struct {
		files map[string]string
		env   []string
		flags map[string]string
		kind  error
		says  []string
	}{
		"misspelt key": {
			files: map[string]string{"home/assay/config.toml": "\nofline = true\n"},
			kind:  ErrUnknown, says: []string{"config.toml:2", "ofline", "offline"},
		},
		"misspelt key of a repository": {
			files: map[string]string{"etc/config.toml": repo + "grase = '1d'\n"},
			kind:  ErrUnknown, says: []string{"config.toml:4", "grace"},
		},
		"locked is for the system": {
			files: map[string]string{"home/assay/config.toml": "locked = ['offline']"}, kind: ErrUnknown, says: []string{"locked"},
		},
		"not TOML":                 {files: map[string]string{"etc/config.toml": "offline = \n"}, says: []string{"config.toml:1"}},
		"wrong type":               {files: map[string]string{"etc/config.toml": "offline = 'yes'\n"}, says: []string{"config.toml:1", "offline"}},
		"too large":                {files: map[string]string{"etc/config.toml": strings.Repeat("#", maxFile+1)}, says: []string{"at most"}},
		"not a file":               {files: map[string]string{"etc/config.toml/x": ""}, says: []string{"config.toml", "regular file"}},
		"relative directory":       {files: map[string]string{"etc/config.toml": "cache_dir = 'c'"}, kind: ErrValue, says: []string{"absolute", "config.toml:1"}},
		"relative cache variable":  {env: []string{"ASSAY_CACHE_DIR=c"}, kind: ErrValue, says: []string{"ASSAY_CACHE_DIR", "absolute", `"c"`}},
		"relative state variable":  {env: []string{"ASSAY_STATE_DIR=./s"}, kind: ErrValue, says: []string{"ASSAY_STATE_DIR", "absolute"}},
		"relative data variable":   {env: []string{"ASSAY_DATA_DIR=../d"}, kind: ErrValue, says: []string{"ASSAY_DATA_DIR", "absolute", `"../d"`}},
		"relative bin variable":    {env: []string{"ASSAY_BIN_DIR=bin"}, kind: ErrValue, says: []string{"ASSAY_BIN_DIR", "absolute"}},
		"relative bin directory":   {files: map[string]string{"etc/config.toml": "bin_dir = '~/bin'"}, kind: ErrValue, says: []string{"absolute", "config.toml:1"}},
		"no platform":              {flags: map[string]string{KeyPlatform: "linux"}, kind: ErrValue, says: []string{"--platform"}},
		"no switch":                {env: []string{"ASSAY_OFFLINE=perhaps"}, kind: ErrValue, says: []string{"ASSAY_OFFLINE", "perhaps"}},
		"misspelt variable":        {env: []string{"ASSAY_CACHEDIR=/x"}, kind: ErrUnknown, says: []string{"ASSAY_CACHEDIR", `"ASSAY_CACHE_DIR"`}},
		"no variable for trust":    {env: []string{"ASSAY_SYSTEM_CONFIG_DIR=/x"}, kind: ErrUnknown, says: []string{"ASSAY_SYSTEM_CONFIG_DIR"}},
		"grace too long":           {files: map[string]string{"etc/config.toml": repo + "grace = '8d'"}, kind: ErrValue, says: []string{"at most 7d", "config.toml:4"}},
		"no duration":              {files: map[string]string{"etc/config.toml": repo + "grace = 'long'"}, kind: ErrValue, says: []string{"72h"}},
		"no root":                  {files: map[string]string{"etc/config.toml": "[repositories.acme]\nurl = 'https://a.example'"}, kind: ErrValue, says: []string{"root_sha256"}},
		"no url":                   {files: map[string]string{"etc/config.toml": "[repositories.acme]\nroot = 'x'"}, kind: ErrValue, says: []string{"url"}},
		"no digest":                {files: map[string]string{"etc/config.toml": "[repositories.acme]\nurl = 'x'\nroot_sha256 = 'abc'"}, kind: ErrValue, says: []string{"config.toml:3"}},
		"no version":               {files: map[string]string{"etc/config.toml": repo + "root_version = 0"}, kind: ErrValue, says: []string{"config.toml:4"}},
		"no repository name":       {files: map[string]string{"etc/config.toml": "[repositories.'A/B']\nurl = 'x'"}, kind: ErrValue, says: []string{"config.toml:2"}},
		"declared twice otherwise": {files: map[string]string{"etc/config.toml": repo, "home/assay/config.toml": repo + "grace = '1h'"}, kind: ErrValue, says: []string{"home", "etc"}},

		"locked, changed by the user": {
			files: map[string]string{"etc/config.toml": "locked = ['offline']\noffline = true", "home/assay/config.toml": "offline = false"},
			kind:  ErrLocked, says: []string{"home/assay/config.toml:1", "etc/config.toml:1"},
		},
		"locked at its default, changed by a flag": {
			files: map[string]string{"etc/conf.d/1.toml": "locked = ['offline']"}, flags: map[string]string{KeyOffline: "true"},
			kind: ErrLocked, says: []string{"--offline", "conf.d/1.toml:1"},
		},
		"locked, changed by the environment": {
			files: map[string]string{"etc/config.toml": "locked = ['cache_dir']"}, env: []string{"ASSAY_CACHE_DIR=/x"},
			kind: ErrLocked, says: []string{"ASSAY_CACHE_DIR"},
		},
		"repositories locked": {
			files: map[string]string{"etc/config.toml": "locked = ['repositories']", "home/assay/config.toml": repo},
			kind:  ErrLocked, says: []string{"repositories.acme", "etc/config.toml:1"},
		},
		"unknown lock": {files: map[string]string{"etc/config.toml": "locked = ['ofline']"}, kind: ErrUnknown, says: []string{`"offline"`, "config.toml:1"}},

		"project adds a repository": {files: map[string]string{"work/assay.toml": "# hi\n" + repo}, kind: ErrProject, says: []string{"assay.toml:3", "cannot add trust", "assay trust add"}},
		"project, an empty table":   {files: map[string]string{"work/assay.toml": "[repositories.acme]\n"}, kind: ErrProject, says: []string{"assay.toml:1"}},
		"project, in other case":    {files: map[string]string{"work/assay.toml": "Mirrors = ['x']\n"}, kind: ErrProject, says: []string{"assay.toml:1"}},
		"project moves the cache":   {files: map[string]string{"work/assay.toml": "cache_dir = '/tmp'"}, kind: ErrProject, says: []string{"cache_dir"}},
		"project names a profile":   {files: map[string]string{"work/assay.toml": "profiles.x.issuer = 'y'"}, kind: ErrProject, says: []string{"profiles"}},
		"project goes online":       {files: map[string]string{"work/assay.toml": "offline = false"}, kind: ErrProject, says: []string{"only name tools"}},
		"project stays offline":     {files: map[string]string{"work/assay.toml": "offline = true"}, kind: ErrProject, says: []string{"assay.toml:1", "only name tools"}},
		"project's platform":        {files: map[string]string{"work/assay.toml": "platform = 'windows/amd64'"}, kind: ErrProject, says: []string{"only name tools"}},
		"project, misspelt":         {files: map[string]string{"work/assay.toml": "[tols]\nx = 'y'"}, kind: ErrUnknown, says: []string{"assay.toml", "tols"}},
		"project, no selector":      {files: map[string]string{"work/assay.toml": "[tools]\nhello = ''"}, kind: ErrValue, says: []string{"assay.toml:2", "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, options := tree(t, test.files)
			options.Env, options.Flags = test.env, test.flags
			c, err := Load(options)
			if c != nil || !errors.Is(err, ErrConfig) {
				t.Fatalf("got %v, %v, want an ErrConfig", c, err)
			}
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("got %v, want %v", err, test.kind)
			}
			for _, words := range test.says {
				if !strings.Contains(filepath.ToSlash(err.Error()), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
		})
	}
}

func TestLocksAllowTheSame(t *testing.T) {
	_, options := tree(t, map[string]string{
		"etc/config.toml":        "locked = ['offline', 'repositories.acme']\noffline = true",
		"home/assay/config.toml": "offline = true",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if got := value(t, c, KeyOffline); !got.Locked || got.Value != "true" {
		t.Errorf("offline: %+v", got)
	}
	if value(t, c, KeyPlatform).Locked {
		t.Error("platform is not locked")
	}
}

func TestNoHome(t *testing.T) {
	c, err := Load(LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.NeedDirs(); !errors.Is(err, ErrNoHome) || !errors.Is(err, ErrConfig) {
		t.Errorf("got %v, want ErrNoHome", err)
	}
	t.Setenv("HOME", "")
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"} {
		t.Setenv(name, "")
	}
	if dirs := UserDirs(); runtime.GOOS != "windows" && dirs != (Dirs{}) {
		t.Errorf("without a home there are %+v", dirs)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"offline", "platform", "quiet", "q"}
	for word, want := range map[string]string{
		"ofline": "offline", "offlien": "offline", "plattform": "platform", "quite": "quiet",
		"x": "q", "verbose": "", "": "", strings.Repeat("o", 65): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
