package main

import (
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"assay/artifact"
)

func versionCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version of assay",
		Description: "Prints version, source revision, Go version and platform of this program." +
			examples("assay version", "assay version --json"),
		Action: func(c *cli.Context) error {
			if _, err := operands(c, 0, 0); err != nil {
				return err
			}
			return a.printVersion(true)
		},
	}
}

type versionDoc struct {
	Version  string            `json:"version"`
	Revision string            `json:"revision,omitempty"`
	Modified bool              `json:"modified,omitempty"`
	Go       string            `json:"go"`
	Platform artifact.Platform `json:"platform"`
}

func (a *app) printVersion(long bool) error {
	doc := buildVersion()
	a.out.line("assay %s", doc.Version)
	if long {
		if doc.Revision != "" {
			a.out.line("revision %s", doc.Revision)
		}
		a.out.line("%s, %s", doc.Go, doc.Platform)
	}
	return a.out.result("version", doc)
}

// buildVersion is what the Go command wrote into this program.
func buildVersion() versionDoc {
	doc := versionDoc{Version: "unknown", Go: runtime.Version(), Platform: artifact.Host()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return doc
	}
	if doc.Version = info.Main.Version; doc.Version == "" {
		doc.Version = "(devel)"
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			doc.Revision = setting.Value
		case "vcs.modified":
			doc.Modified = setting.Value == "true"
		}
	}
	return doc
}
