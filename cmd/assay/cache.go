package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
)

func cacheCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "cache",
		Usage: "what is held on this machine",
		Subcommands: []*cli.Command{
			cacheListCommand(a), cacheVerifyCommand(a), cachePruneCommand(a), cachePinCommand(a), cacheUnpinCommand(a),
			cacheExportCommand(a), cacheImportCommand(a),
		},
	}
}

func cacheListCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the blobs that are held, the last used first",
		Description: "Shows digest, size, when it was last asked for, what for, and what keeps it from\n" +
			"being pruned." + examples("assay cache list", "assay cache list --json"),
		Action: a.cacheList,
	}
}

type blobDoc struct {
	Digest artifact.Digest `json:"digest"`
	Length int64           `json:"length"`
	Added  time.Time       `json:"added"`
	Noted  time.Time       `json:"noted,omitzero"` // when it was last asked for
	Path   string          `json:"path"`
	Names  []cache.Name    `json:"names"`
	KeptBy []referenceDoc  `json:"kept_by"` // whatever is pruned
}

func newBlobDoc(e cache.Entry, refs []cache.Reference) blobDoc {
	names := e.Names
	if names == nil {
		names = []cache.Name{}
	}
	return blobDoc{e.Digest, e.Length, e.Added.UTC(), e.Noted.UTC(), e.Path, names, referenceDocs(refs)}
}

func (a *app) cacheList(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	entries, err := s.cache.List(c.Context)
	if err != nil {
		return err
	}
	refs, err := a.references(c.Context, s.cache)
	if err != nil {
		return err
	}
	held, head := cache.HeldBy(refs), []string{"DIGEST", "SIZE", "USED", "WHAT"}
	if len(held) > 0 {
		head = append(head, "KEPT BY")
	}
	docs, rows, total := []blobDoc{}, [][]string{}, int64(0)
	for _, e := range entries {
		docs = append(docs, newBlobDoc(e, held[e.Digest]))
		row := []string{short(e.Digest.Hex()), bytesText(e.Length), e.Used().UTC().Format("2006-01-02 15:04"), nameText(e.Names)}
		if len(held) > 0 {
			row = append(row, referencesText(held[e.Digest]))
		}
		rows = append(rows, row)
		total += e.Length
	}
	if len(rows) == 0 {
		a.out.talk("the cache is empty: %s", s.config.CacheDir)
	} else {
		a.out.table(head, rows)
		a.out.talk("%d held, %s, in %s", len(rows), bytesText(total), s.config.CacheDir)
	}
	return a.out.result("cache.list", struct {
		Bytes int64     `json:"bytes"`
		Blobs []blobDoc `json:"blobs"`
	}{total, docs})
}

func blobsText(n int) string {
	if n == 1 {
		return "1 blob"
	}
	return fmt.Sprintf("%d blobs", n)
}

// nameText says in a few words what a blob was last fetched for.
func nameText(names []cache.Name) string {
	if len(names) == 0 {
		return "-"
	}
	n, text := names[0], ""
	switch {
	case n.Product != "":
		text = strings.TrimSpace(n.Repository + ":" + n.Product + " " + n.Version + " " + n.Platform)
	case n.Target != "":
		text = n.Repository + " " + n.Target
	default:
		text = n.File
	}
	if more := len(names) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func cacheVerifyCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "hash all that is held again",
		Description: "Reads every blob and sets aside what is not what its name says; that is fetched\n" +
			"again when it is next asked for. Exits with 13 where there was any." +
			examples("assay cache verify"),
		Action: a.cacheVerify,
	}
}

type damagedDoc struct {
	Digest   artifact.Digest `json:"digest"`
	Path     string          `json:"path"`
	SetAside string          `json:"set_aside,omitempty"`
}

type cacheVerifyDoc struct {
	Changed bool              `json:"changed"`
	Checked int               `json:"checked"`
	Bytes   int64             `json:"bytes"`
	Damaged []damagedDoc      `json:"damaged"`
	Missing []artifact.Digest `json:"missing"`
}

func (a *app) cacheVerify(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	watch := a.watch("cache")
	report, err := s.cache.Verify(c.Context, watch.at)
	watch.done(err)
	if err != nil {
		return err
	}
	doc := cacheVerifyDoc{
		Changed: len(report.Damaged)+len(report.Missing) > 0, Checked: report.Checked, Bytes: report.Bytes,
		Damaged: []damagedDoc{}, Missing: append([]artifact.Digest{}, report.Missing...),
	}
	a.out.line("checked %s, %s", blobsText(report.Checked), bytesText(report.Bytes))
	for _, d := range report.Damaged {
		doc.Damaged = append(doc.Damaged, damagedDoc{d.Digest, d.Path, d.Aside})
		a.out.line("%s %s", a.out.bad("damaged"), d.Path)
		if d.Aside != "" {
			a.out.line("  set aside as %s", d.Aside)
		}
	}
	for _, d := range report.Missing {
		a.out.line("%s %s", a.out.bad("missing"), d)
	}
	if err := a.out.result("cache.verify", doc); err != nil {
		return err
	}
	if n := len(report.Damaged); n > 0 {
		return fmt.Errorf("%d of %s: %w; they were set aside and will be fetched again", n, blobsText(report.Checked), cache.ErrDamaged)
	}
	return nil
}
