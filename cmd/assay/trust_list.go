package main

import (
	"strconv"

	"github.com/urfave/cli/v2"
)

func trustListCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the repositories; asks no network",
		Description: "Lists those of `trust add` and those that the configuration declares, with the\n" +
			"root that trust in them began with, and which of them must agree on what." +
			examples("assay trust list", "assay trust list --json"),
		Action: a.trustList,
	}
}

type repositoryDoc struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	MetadataURL string `json:"metadata_url,omitempty"`
	TargetsURL  string `json:"targets_url,omitempty"`
	RootVersion int64  `json:"root_version"`
	RootSHA256  string `json:"root_sha256,omitempty"`
	Origin      string `json:"origin"`
}

func (r *repository) doc() repositoryDoc {
	return repositoryDoc{
		Name: r.name, URL: r.url, MetadataURL: r.metadataURL, TargetsURL: r.targetsURL,
		RootVersion: r.rootVersion, RootSHA256: r.rootSHA256, Origin: r.origin,
	}
}

func (a *app) trustList(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	s, err := a.store(c)
	if err != nil {
		return err
	}
	docs, rows := []repositoryDoc{}, [][]string{}
	for _, r := range s.repositories {
		docs = append(docs, r.doc())
		rows = append(rows, []string{r.name, strconv.FormatInt(r.rootVersion, 10), short(r.rootSHA256), r.origin, r.url})
	}
	if len(rows) == 0 {
		a.out.talk("no repository is trusted yet; next: assay trust add NAME URL --root-sha256 HEX")
	} else {
		a.out.table([]string{"NAME", "ROOT", "SHA256", "FROM", "URL"}, rows)
	}
	agreements := s.agreements("")
	if len(agreements) > 0 {
		a.out.line("")
		a.tableOf(agreements)
	}
	return a.out.result("trust.list", struct {
		Repositories []repositoryDoc `json:"repositories"`
		Agreements   []agreementDoc  `json:"agreements"`
	}{docs, agreements})
}

// short is the beginning of a digest, to be recognised by.
func short(hex string) string { return hex[:min(12, len(hex))] }
