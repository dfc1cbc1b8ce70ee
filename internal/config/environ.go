package config

import (
	"fmt"
	"strings"
)

// The variables. There is none for the system's directory: what an
// administrator has set is not for the environment to replace.
const (
	envPrefix   = "ASSAY_"
	envConfig   = "ASSAY_CONFIG"
	envCacheDir = "ASSAY_CACHE_DIR"
	envStateDir = "ASSAY_STATE_DIR"
	envDataDir  = "ASSAY_DATA_DIR"
	envBinDir   = "ASSAY_BIN_DIR"
	envOffline  = "ASSAY_OFFLINE"
	envPlatform = "ASSAY_PLATFORM"
	envRegion   = "ASSAY_REGION"
)

var variables = []struct{ name, key string }{
	{envConfig, ""},
	{envPlatform, KeyPlatform}, {envOffline, KeyOffline},
	{envCacheDir, KeyCacheDir}, {envStateDir, KeyStateDir}, {envDataDir, KeyDataDir}, {envBinDir, KeyBinDir},
	{envRegion, KeyRegion},
}

// environment takes the ASSAY_ variables. An empty one counts as not set. An
// unknown one is an error: it is a misspelt setting more often than a stranger. A
// directory that is not absolute is one, too: it would be another one in each folder
// that assay runs in, and what was installed, or protects from rollback, would be
// missed.
func (b *builder) environment(options LoadOptions) error {
	var known []string
	for _, variable := range variables {
		known = append(known, variable.name)
	}
	for _, entry := range options.Env {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		key, ok := keyOfVariable(name)
		if !ok {
			return &Error{
				Origin: Origin{Kind: Environment, Name: clip(name)}, Kind: ErrUnknown,
				Detail: fmt.Sprintf("assay knows no such variable%s", suggest(name, known)),
			}
		}
		if key == "" {
			continue
		}
		if err := b.set(key, value, Origin{Kind: Environment, Name: name}); err != nil {
			return err
		}
	}
	return nil
}

func keyOfVariable(name string) (key string, ok bool) {
	for _, variable := range variables {
		if variable.name == name {
			return variable.key, true
		}
	}
	return "", false
}

// lookup finds a variable; as in a process's own environment, the last wins.
func lookup(env []string, name string) (value string) {
	for _, entry := range env {
		if have, text, ok := strings.Cut(entry, "="); ok && have == name {
			value = text
		}
	}
	return value
}
