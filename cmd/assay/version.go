package main

import (
	"github.com/urfave/cli/v2"

	"assay/internal/version"
)

func versionCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version of assay",
		Description: "Prints version, commit, the date of the commit, Go version and platform of this\n" +
			"program; with --json also the modules that are linked into it, with their\n" +
			"versions and sums." +
			examples("assay version", "assay version --json"),
		Action: func(c *cli.Context) error {
			if _, err := operands(c, 0, 0); err != nil {
				return err
			}
			return a.printVersion(true)
		},
	}
}

func (a *app) printVersion(long bool) error {
	info := buildVersion()
	a.out.line("assay %s", info.Version)
	if long {
		if info.Commit != "" {
			modified := ""
			if info.Modified {
				modified = ", modified"
			}
			a.out.line("commit %s%s", info.Commit, modified)
		}
		if info.Date != "" {
			a.out.line("date %s", info.Date)
		}
		a.out.line("%s, %s, %s", info.Go, info.Platform, counted(len(info.Modules), "module"))
	}
	return a.out.result("version", info)
}

// buildVersion is what this program was built from.
func buildVersion() version.Info { return version.Read() }
