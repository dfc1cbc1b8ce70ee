// Package version says what this program was built from: by the names that the
// release build gave the linker, or else by what the Go command wrote into the
// program.
//
// It promises nothing about the truth of either: who built a program is for its
// signatures to prove.
package version

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"assay/artifact"
)

// What a release build sets, by -ldflags "-X assay/internal/version.release=1.4.2"
// and so on. Nothing else changes them; empty ones are looked up in the build
// information.
var (
	release string // the version, without a leading v
	commit  string // the full id of the revision
	date    string // of the commit, as RFC 3339, so that two builds are alike
)

// Info is what is known about a program.
type Info struct {
	Version  string            `json:"version"`            // without a leading v; (devel) where it has none, unknown where nothing is known
	Commit   string            `json:"commit,omitempty"`   // the full id of the revision
	Date     string            `json:"date,omitempty"`     // of the commit, as RFC 3339
	Modified bool              `json:"modified,omitempty"` // what was built differs from the commit
	Go       string            `json:"go"`
	Platform artifact.Platform `json:"platform"`
	Modules  []Module          `json:"modules"` // sorted by path; the program's own is not among them
}

// Module is a module that is linked into the program.
type Module struct {
	Path    string  `json:"path"`
	Version string  `json:"version"`
	Sum     string  `json:"sum,omitempty"`     // as in go.sum; empty where the module is replaced
	Replace *Module `json:"replace,omitempty"` // what stands in its place; nil: nothing
}

// Read is the information about the program that runs.
func Read() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = nil
	}
	return read(build, release, commit, date)
}

// read joins what the linker was told with the build information, which may be
// nil. The linker's words come first.
func read(build *debug.BuildInfo, release, commit, date string) Info {
	info := Info{
		Version: "unknown", Go: runtime.Version(), Platform: artifact.Host(), Modules: []Module{},
	}
	if build != nil {
		info.Version = cmp.Or(strings.TrimPrefix(build.Main.Version, "v"), "(devel)")
		info.Modules = modules(build.Deps)
		for _, setting := range build.Settings {
			switch setting.Key {
			case "vcs.revision":
				info.Commit = setting.Value
			case "vcs.time":
				info.Date = setting.Value
			case "vcs.modified":
				info.Modified = setting.Value == "true"
			}
		}
	}
	info.Version = cmp.Or(strings.TrimPrefix(release, "v"), info.Version)
	info.Commit = cmp.Or(commit, info.Commit)
	info.Date = plainTime(cmp.Or(date, info.Date))
	return info
}

// plainTime is a time in UTC; what is no time stays as it is.
func plainTime(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format(time.RFC3339)
}

func modules(deps []*debug.Module) []Module {
	list := make([]Module, 0, len(deps))
	for _, dep := range deps {
		if dep == nil {
			continue
		}
		m := Module{Path: dep.Path, Version: dep.Version, Sum: dep.Sum}
		if r := dep.Replace; r != nil {
			m.Replace = &Module{Path: r.Path, Version: r.Version, Sum: r.Sum}
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Module) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	return list
}
