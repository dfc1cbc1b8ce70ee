package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/internal/stricttoml"
	"assay/trust/policy"
)

// projectDocument is what a project's file may say: which tools the project
// uses, and what they must show beyond what the user asks for.
type projectDocument struct {
	Tools  map[string]string `toml:"tools"`
	Policy []policy.Rule     `toml:"policy"`
}

// userKeys are the user's alone, too: a cloned folder must not keep this machine
// from learning of a revocation, nor choose another platform's bytes for it, nor
// take its line, nor say which mirrors it asks, nor which channel is meant outside
// of it.
var userKeys = []string{KeyOffline, KeyPlatform, KeyTransfer, KeyRegion, KeyChannel, KeyChannels}

// trustKeys are keys that would widen trust, or lead writes elsewhere. A folder
// that somebody cloned must not be able to do either.
var trustKeys = []string{
	KeyRepositories, "repository", "mirrors", "mirror", "mirrors_only", "roots", "root", "root_sha256",
	"certificates", "certificate", "ca", KeyProfiles, "profile", "identities", "keys", "signers",
	KeyBuilders, KeyAdvisories, "advisory",
	KeyAgreement, "agreements", "mapping", "mappings", "map", "threshold",
	"locked", KeyCacheDir, KeyStateDir, KeyDataDir, KeyBinDir, "proxy", "credentials",
	KeyHosts, "host", "netrc", "token", "token_file", "token_command",
}

// project reads the nearest project file.
func (b *builder) project(options LoadOptions) error {
	if path := findProject(options.WorkDir); path != "" {
		b.projectFile = path
		return b.readProject(path)
	}
	return nil
}

// readProject takes what a project's file says.
func (b *builder) readProject(path string) error {
	f, err := readFile(Project, path, true)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(f.lines)) {
		if err := f.refuseTrust(key, f.lines[key]); err != nil {
			return err
		}
	}
	var doc projectDocument
	if err := f.decode(&doc); err != nil {
		// A table without keys has no line above.
		var unknown *stricttoml.Error
		if errors.As(err, &unknown) {
			if refusal := f.refuseTrust(unknown.Key, unknown.Line); refusal != nil {
				return refusal
			}
		}
		return err
	}
	return b.takeProject(f, doc)
}

// refuseTrust is the error of a key that would widen trust, or that is otherwise
// the user's alone, else nil.
func (f *file) refuseTrust(key string, line int) error {
	first, _, _ := strings.Cut(strings.ToLower(key), ".")
	refusal := &Error{Origin: Origin{Kind: f.kind, File: f.path, Line: line}, Key: first, Kind: ErrProject}
	switch {
	case first == KeyLimits || first == "limit":
		refusal.Detail = "a project's file cannot set limits; set them in the user's configuration"
	case slices.Contains(trustKeys, first):
		refusal.Detail = "a project's file cannot add trust; add a repository with `assay trust add NAME URL`, and set the rest in the user's configuration"
	case slices.Contains(userKeys, first):
		refusal.Detail = "a project's file can only name tools and tighten the policy; set it in the user's configuration"
	default:
		return nil
	}
	return refusal
}

func (b *builder) takeProject(f *file, doc projectDocument) error {
	for _, name := range slices.Sorted(maps.Keys(doc.Tools)) {
		tool := Tool{Name: name, Selector: doc.Tools[name], Origin: f.origin(KeyTools + "." + name)}
		if tool.Origin.Line == 0 {
			tool.Origin.Line = f.lines[KeyTools]
		}
		if _, err := artifact.ParseRef(name + "@" + tool.Selector); err != nil {
			return &Error{Origin: tool.Origin, Key: KeyTools + "." + name, Kind: ErrValue, Detail: fmt.Sprintf("expected a selector like \"stable\" or \"^1.4\", found %q", clip(tool.Selector)), Err: err}
		}
		b.tools = append(b.tools, tool)
	}
	return b.addRules(doc.Policy, f)
}

// findProject looks for a project's file from dir upward. A folder that holds
// .git is the last one looked at.
func findProject(dir string) string {
	for dir != "" {
		path := filepath.Join(dir, projectName)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return ""
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
	return ""
}
