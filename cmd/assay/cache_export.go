package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/cache/archive"
	"assay/fetch"
	"assay/internal/durable"
	"assay/trust/proof"
)

func cacheExportCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write blobs into a file, for another machine",
		ArgsUsage: "FILE [" + whatUsage + "…]",
		Description: "Writes all that is held, or what is named, into a tar, with what it was fetched\n" +
			"for and the receipts of its judgements; - is stdout. The same content gives the\n" +
			"same bytes. Each blob is hashed again on its way.\n" + whatHelp +
			examples(
				"assay cache export all.tar",
				"assay cache export hello.tar hello@1.4.2",
				"assay cache export - hello | ssh other assay cache import -"),
		Action: a.cacheExport,
	}
}

type cacheExportDoc struct {
	Changed bool              `json:"changed"`
	File    string            `json:"file"`
	Bytes   int64             `json:"bytes"` // of the blobs
	Blobs   []artifact.Digest `json:"blobs"`
}

func (a *app) cacheExport(c *cli.Context) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	if args[0] == "-" && a.out.json {
		return usagef("- writes the archive to stdout: expected it without --json")
	}
	s, err := a.store(c)
	if err != nil {
		return err
	}
	entries, err := s.cache.List(c.Context)
	if err == nil && len(args) > 1 {
		entries, err = heldAs(entries, args[1:])
	}
	if err != nil {
		return err
	}
	doc := cacheExportDoc{Changed: true, File: args[0], Blobs: []artifact.Digest{}}
	var items []archive.Item
	prover, err := a.prover(s)
	if err != nil {
		return err
	}
	for _, e := range entries {
		evidence, err := a.evidenceOf(c.Context, prover, e.Digest)
		if err != nil {
			return err
		}
		items = append(items, archive.Item{Entry: e, Evidence: evidence})
		doc.Blobs, doc.Bytes = append(doc.Blobs, e.Digest), doc.Bytes+e.Length
	}
	watch := a.watch("export")
	write := func(w io.Writer) error { return archive.Write(c.Context, w, s.cache, items, watch.at) }
	if args[0] == "-" {
		err = write(lineWriter{a.out})
	} else {
		err = writeNew(a.path(args[0]), write)
	}
	watch.done(err)
	if err != nil {
		return err
	}
	a.out.talk("%s, %s, in %s", blobsText(len(doc.Blobs)), bytesText(doc.Bytes), args[0])
	return a.out.result("cache.export", doc)
}

// writeNew makes a file that was not there. It gets its name when it is whole.
func writeNew(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return withHint(fmt.Errorf("%w: %s", fetch.ErrExists, path), "move the file away, or name another")
	}
	file, err := durable.Create(path, 0o644)
	if err != nil {
		return mark(fetch.ErrOutput, err)
	}
	defer file.Abort()
	buffered := bufio.NewWriterSize(file, 256<<10)
	if err := write(buffered); err != nil {
		return err
	}
	// Crash here: a hidden temporary file beside the name, that nothing reads.
	err = buffered.Flush()
	if err == nil {
		err = file.CommitNew()
	}
	if errors.Is(err, fs.ErrExist) {
		return withHint(fmt.Errorf("%w: %s", fetch.ErrExists, path), "move the file away, or name another")
	}
	return mark(fetch.ErrOutput, err)
}

// evidenceOf gathers the receipts of a blob; nil: there are none. Verdicts are left
// out: what they spare the next judgement counts on this machine alone.
func (a *app) evidenceOf(ctx context.Context, prover *proof.Prover, d artifact.Digest) ([]byte, error) {
	names, err := prover.ReceiptsOf(ctx, d)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var texts []json.RawMessage
	for receipt, err := range prover.Receipts(ctx, names) {
		if errors.Is(err, proof.ErrReceipt) {
			a.out.warn("%v: it is left out", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		receipt.Verdicts = nil
		text, err := encodeJSON(receipt)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	evidence, err := archive.Evidence(d, texts)
	if errors.Is(err, archive.ErrInvalid) {
		a.out.warn("%v: it is left out", err)
		return nil, nil
	}
	return evidence, err
}

// importQuota is how much an archive may hold where nothing else is said.
const importQuota = 64 << 30

func cacheImportCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "take in blobs that another machine exported",
		ArgsUsage: "FILE",
		Description: "Reads what `assay cache export` wrote; - is stdin. Each blob gets in only when\n" +
			"its bytes have its digest; of an archive that is damaged or ends early those\n" +
			"before stay, and reading it again goes on from there. What an archive claims of\n" +
			"its blobs is shown and counts for nothing: `assay get` proves each against\n" +
			"signed metadata, without fetching it again." +
			examples("assay cache import all.tar", "assay cache import huge.tar --max-size 500GiB"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagMaxSize, Usage: "refuse an archive with more than `SIZE`: 64 GiB if not said"},
		},
		Action: a.cacheImport,
	}
}

type importedDoc struct {
	Digest artifact.Digest `json:"digest"`
	Length int64           `json:"length"`
	Held   bool            `json:"held"` // before
	Names  []cache.Name    `json:"names"`
	Claims []archive.Claim `json:"claims"` // of whoever made the archive; no proof
}

type cacheImportDoc struct {
	Changed bool          `json:"changed"`
	Bytes   int64         `json:"bytes"` // of the blobs that came in
	Blobs   []importedDoc `json:"blobs"`
}

func (a *app) cacheImport(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	opts := archive.Options{Quota: importQuota}
	size, err := sizeFlag(c, flagMaxSize)
	if err != nil {
		return err
	}
	if size != nil {
		opts.Quota = *size
	}
	s, err := a.bareStore(c)
	if err != nil {
		return err
	}
	from := a.stdin
	if args[0] != "-" {
		file, err := openRegular(a.path(args[0]))
		if err != nil {
			return fileError(err)
		}
		defer file.Close()
		from = bufio.NewReaderSize(file, 256<<10)
	}
	watch := a.watch("import")
	opts.Progress = watch.at
	imported, err := archive.Read(c.Context, from, s.cache, opts)
	watch.done(err)
	// What came in is there, whatever came then.
	if failed := a.tellImported(imported); err == nil {
		err = failed
	}
	return err
}

func (a *app) tellImported(imported []archive.Imported) error {
	doc, claimed := cacheImportDoc{Blobs: []importedDoc{}}, false
	for _, one := range imported {
		how := "held already"
		if !one.Held {
			how = "added"
			doc.Bytes += one.Length
			doc.Changed = true
		}
		a.out.line("%s  %s", how, blobLine(cache.Entry{Digest: one.Digest, Length: one.Length, Names: one.Names}))
		for _, claim := range one.Claims {
			claimed = true
			a.out.line("  claimed: %s as %s %s, %s", clip(claim.Outcome), clip(claim.Repository), clip(claim.Target), claim.At.UTC().Format("2006-01-02"))
		}
		names, claims := one.Names, one.Claims
		if names == nil {
			names = []cache.Name{}
		}
		if claims == nil {
			claims = []archive.Claim{}
		}
		doc.Blobs = append(doc.Blobs, importedDoc{one.Digest, one.Length, one.Held, names, claims})
	}
	if claimed {
		a.out.talk("what is claimed here is no proof: `assay get` proves each blob against signed metadata")
	}
	a.out.talk("%s in the archive, %s added", blobsText(len(imported)), bytesText(doc.Bytes))
	return a.out.result("cache.import", doc)
}
