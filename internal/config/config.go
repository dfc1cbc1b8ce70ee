package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
)

// The keys, as files, locks and Values spell them.
const (
	KeyPlatform     = "platform"
	KeyOffline      = "offline"
	KeyCacheDir     = "cache_dir"
	KeyStateDir     = "state_dir"
	KeyDataDir      = "data_dir"
	KeyBinDir       = "bin_dir"
	KeyRepositories = "repositories"
	KeyAgreement    = "agreement"
	KeyLimits       = "limits"
	KeyPolicy       = "policy"
	KeyBuilders     = "builders"
	KeyProfiles     = "profiles"
	KeyAdvisories   = "advisories"
	KeyTransfer     = "transfer"
	KeyHosts        = "hosts"
	KeyTools        = "tools"
	KeyRegion       = "region"
	KeyChannel      = "channel"
	KeyChannels     = "channels"
	KeyMirror       = "mirror"
)

// LoadOptions are the outside of Load.
type LoadOptions struct {
	SystemDir  string            // the system's files; empty: there are none
	Dirs       Dirs              // the user's directories
	ConfigFlag string            // a file in place of the user's, by --config; it must exist
	WorkDir    string            // absolute; the project's file is looked for from here upward; empty: there is none
	Env        []string          // NAME=value
	Flags      map[string]string // by key; only platform and offline
}

// Config is what all layers together say.
type Config struct {
	Platform     artifact.Platform // default: this program's own
	Machine      artifact.Platform // what Platform is without --platform: that of this machine, as far as anybody says
	Offline      bool
	CacheDir     string       // absolute; empty: not known, see NeedDirs
	StateDir     string       // likewise
	DataDir      string       // where releases are installed; likewise
	BinDir       string       // where their programs are linked; likewise
	Repositories []Repository // declared ones, by name
	Agreements   []Agreement  // in the order in which they are asked
	Limits       Limits
	Transfer     Transfer
	Hosts        []Host       // by name
	Rules        []Rule       // of the policy, see Policy
	Builders     []Builder    // the table of builders, of the policy too
	Profiles     []Profile    // declared ones, by name
	Advisories   []Advisories // in the order of the files
	Tools        []Tool       // by name
	Project      string       // path of the project's file; empty: there is none
	Region       string       // of this machine, as mirrors are named; empty: not said
	Channel      Channel      // of a product that is named without a selector; default: stable
	Channels     []Channel    // likewise, of single products, by name
	Daemon       *Daemon      // the mirror daemon; nil: no file has the table [mirror]

	values  map[string]Value
	judges  map[string]judges
	mirrors map[string]Mirrors
	locks   map[string]Origin
}

// Tool is a program that a project uses, and which of its versions.
type Tool struct {
	Name     string // [REPOSITORY:]PRODUCT
	Selector string
	Origin   Origin
}

// Load reads all layers. A file that is not there says nothing, unless it was
// named by ASSAY_CONFIG or --config. Every error is an ErrConfig.
func Load(options LoadOptions) (*Config, error) {
	b := &builder{
		values: map[string]Value{}, locks: map[string]Origin{},
		repositories: map[string]Repository{}, profiles: builtInProfiles(), judges: map[string]judges{}, mirrors: map[string]Mirrors{},
		hosts: map[string]Host{}, channels: map[string]Channel{}, workDir: options.WorkDir,
	}
	for _, step := range []func(LoadOptions) error{b.defaults, b.system, b.user, b.project, b.environment, b.flags} {
		if err := step(options); err != nil {
			return nil, err
		}
	}
	return b.finish()
}

// Values lists every setting by key.
func (c *Config) Values() []Value {
	return slices.SortedFunc(maps.Values(c.values), func(a, b Value) int { return compareKeys(a.Key, b.Key) })
}

// Repository is the declared repository of that name, and whether there is one.
func (c *Config) Repository(name string) (Repository, bool) {
	i := slices.IndexFunc(c.Repositories, func(r Repository) bool { return r.Name == name })
	if i < 0 {
		return Repository{}, false
	}
	return c.Repositories[i], true
}

// LockedBy is where the system's configuration locks a key, or what it is a part of,
// and whether it does.
func (c *Config) LockedBy(key string) (Origin, bool) { return lockOf(c.locks, key) }

// NeedDirs is nil if the cache and the state directory are known, else an
// ErrNoHome that says how to name them.
func (c *Config) NeedDirs() error {
	return needDirs(need{c.StateDir, KeyStateDir, envStateDir}, need{c.CacheDir, KeyCacheDir, envCacheDir})
}

// NeedInstallDirs is NeedDirs for the directories of what is installed.
func (c *Config) NeedInstallDirs() error {
	return needDirs(need{c.DataDir, KeyDataDir, envDataDir}, need{c.BinDir, KeyBinDir, envBinDir})
}

type need struct{ dir, key, variable string }

func needDirs(list ...need) error {
	for _, need := range list {
		if need.dir == "" {
			return &Error{Key: need.key, Kind: ErrNoHome, Detail: "expected a directory, found neither HOME nor a setting; set HOME, or " + need.variable}
		}
	}
	return nil
}

func (b *builder) defaults(options LoadOptions) error {
	b.values[KeyPlatform] = Value{Key: KeyPlatform, Value: artifact.Host().String()}
	b.values[KeyOffline] = Value{Key: KeyOffline, Value: "false"}
	b.values[KeyCacheDir] = Value{Key: KeyCacheDir, Value: own(options.Dirs.Cache)}
	b.values[KeyStateDir] = Value{Key: KeyStateDir, Value: own(options.Dirs.State)}
	b.values[KeyDataDir] = Value{Key: KeyDataDir, Value: own(options.Dirs.Data)}
	b.values[KeyBinDir] = Value{Key: KeyBinDir, Value: options.Dirs.Bin}
	b.values[KeyChannel] = Value{Key: KeyChannel, Value: artifact.DefaultChannel}
	builtIn := DefaultLimits()
	for _, l := range limits {
		b.setLimit(l, *l.field(&builtIn), Origin{})
	}
	moving := DefaultTransfer()
	for _, s := range transfers {
		b.setTransfer(s, *s.field(&moving), Origin{})
	}
	return nil
}

// flags is the last layer.
func (b *builder) flags(options LoadOptions) error {
	b.machine = b.values[KeyPlatform].Value
	for _, key := range slices.Sorted(maps.Keys(options.Flags)) {
		if err := b.set(key, options.Flags[key], Origin{Kind: Flag, Name: "--" + key}); err != nil {
			return err
		}
	}
	return nil
}

// finish turns the texts, each of which was checked when it was set, into a
// Config.
func (b *builder) finish() (*Config, error) {
	if err := b.checkProfiles(); err != nil {
		return nil, err
	}
	if err := b.checkUpstreams(); err != nil {
		return nil, err
	}
	platform, err := artifact.ParsePlatform(b.values[KeyPlatform].Value)
	if err != nil {
		return nil, &Error{Key: KeyPlatform, Kind: ErrValue, Err: err}
	}
	machine, err := artifact.ParsePlatform(b.machine)
	if err != nil {
		return nil, &Error{Key: KeyPlatform, Kind: ErrValue, Err: err}
	}
	offline, err := strconv.ParseBool(b.values[KeyOffline].Value)
	if err != nil {
		return nil, &Error{Key: KeyOffline, Kind: ErrValue, Err: err}
	}
	c := &Config{
		Platform: platform, Machine: machine, Offline: offline, Agreements: b.agreements, Limits: b.limits, Tools: b.tools,
		Project: b.projectFile, values: b.values, locks: b.locks,
		CacheDir: b.values[KeyCacheDir].Value, StateDir: b.values[KeyStateDir].Value,
		DataDir: b.values[KeyDataDir].Value, BinDir: b.values[KeyBinDir].Value,
		Rules: b.rules, Builders: b.builders, Advisories: b.advisories, judges: b.judges, mirrors: b.mirrors,
		Transfer: b.moving, Daemon: b.mirrored, Region: b.values[KeyRegion].Value,
		Channel: Channel{Channel: b.values[KeyChannel].Value, Origin: b.values[KeyChannel].Origin},
	}
	c.showChannels(b)
	for _, name := range slices.Sorted(maps.Keys(b.repositories)) {
		r := b.repositories[name]
		c.Repositories = append(c.Repositories, r)
		c.show(KeyRepositories+"."+name, r.values())
	}
	for i, a := range c.Agreements {
		c.show(agreementKey(i), a.values())
	}
	for _, name := range sortedKeys(b.hosts) {
		c.Hosts = append(c.Hosts, b.hosts[name])
		c.show(KeyHosts+"."+name, b.hosts[name].values())
	}
	c.showProofs(b)
	if c.Daemon != nil {
		c.show(KeyMirror, c.Daemon.values())
	}
	for _, tool := range c.Tools {
		key := KeyTools + "." + tool.Name
		c.values[key] = Value{Key: key, Value: tool.Selector, Origin: tool.Origin}
	}
	for key, value := range c.values {
		if _, value.Locked = b.lockOf(key); value.Locked {
			c.values[key] = value
		}
	}
	return c, nil
}

// show enters values, whose keys are below one.
func (c *Config) show(below string, values []Value) {
	for _, v := range values {
		v.Key = below + "." + v.Key
		c.values[v.Key] = v
	}
}

// showProofs enters what is about proof and mirrors, and sorts the profiles.
func (c *Config) showProofs(b *builder) {
	for i, r := range c.Rules {
		c.show(numbered(KeyPolicy, i), r.values())
	}
	for i, e := range c.Builders {
		c.show(numbered(KeyBuilders, i), e.values())
	}
	for _, name := range sortedKeys(b.profiles) {
		c.Profiles = append(c.Profiles, b.profiles[name])
		c.show(KeyProfiles+"."+name, b.profiles[name].values())
	}
	for name, j := range b.judges {
		c.show(KeyRepositories+"."+name, []Value{{Key: keyProfiles, Value: strings.Join(j.names, ", "), Origin: j.place.origin(keyProfiles)}})
	}
	for name, m := range b.mirrors {
		c.show(KeyRepositories+"."+name, m.values())
	}
	for i, a := range c.Advisories {
		c.show(numbered(KeyAdvisories, i), a.values())
	}
}

// absolute is a file that the environment or a flag names, seen from workDir.
func absolute(workDir, dir string) string {
	if filepath.IsAbs(dir) || workDir == "" {
		return dir
	}
	return filepath.Join(workDir, dir)
}
