package main

import (
	"bytes"
	"encoding/json"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
)

func auditExportCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "print the whole audit log, for keeping elsewhere",
		Description: "Prints one JSON object a line, the oldest first, or with --json all of them in\n" +
			"one document. A line is the canonical form of its entry: without the member\n" +
			"\"hash\" its SHA-256 is that hash. `assay audit verify FILE` checks the lines." +
			examples("assay audit export >audit.jsonl", "assay audit export --json"),
		Action: a.auditExport,
	}
}

type auditExportDoc struct {
	Head    *audit.Head       `json:"head,omitempty"`
	Entries []json.RawMessage `json:"entries"`
}

func (a *app) auditExport(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	log, err := a.auditLog(c)
	if err != nil {
		return err
	}
	if !a.out.json {
		_, err := log.Export(c.Context, lineWriter{a.out})
		return err
	}
	var lines bytes.Buffer
	head, err := log.Export(c.Context, &lines)
	doc := auditExportDoc{Entries: []json.RawMessage{}}
	if head.Seq > 0 {
		doc.Head = &head
	}
	for line := range bytes.Lines(lines.Bytes()) {
		doc.Entries = append(doc.Entries, json.RawMessage(line))
	}
	if failed := a.out.result("audit.export", doc); err == nil {
		err = failed
	}
	return err
}

// lineWriter is stdout for text that needs no cleaning.
type lineWriter struct{ out *printer }

func (w lineWriter) Write(p []byte) (int, error) {
	w.out.raw(string(p))
	if err := w.out.broken(); err != nil {
		return 0, err
	}
	return len(p), nil
}
