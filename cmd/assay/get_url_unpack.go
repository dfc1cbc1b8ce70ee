package main

import (
	"os"
	"time"

	"assay/cache"
	"assay/fetch/unpack"
)

// unpackedDoc tells what an archive has become.
type unpackedDoc struct {
	Folder  string `json:"folder"`
	Files   int    `json:"files"`
	Folders int    `json:"folders"`
	Links   int    `json:"links"`
	Bytes   int64  `json:"bytes"` // written
}

// unpack makes a folder of the archive, that is proven by now, and signed if that
// was asked for. The folder appears whole or not at all; see package unpack.
func (g *urlGet) unpack(blob cache.Blob, took time.Duration) error {
	a, dir := g.app, g.c.String(flagUnpack)
	format, _ := unpack.FormatOf(g.name)
	file, err := os.Open(blob.Path())
	if err != nil {
		return err
	}
	defer file.Close()
	meter := a.progress.Start(g.name, 0)
	report, err := unpack.Into(g.c.Context, unpack.File{ReaderAt: file, Size: blob.Length(), Name: g.name}, format, a.path(dir), unpack.Options{Progress: meter})
	meter.Done(err)
	if err != nil {
		return err
	}
	a.progress.close()
	g.doc.Changed = true
	g.doc.Unpacked = &unpackedDoc{dir, report.Files, report.Folders, report.Links + report.HardLinks, report.Bytes}
	if err := g.audit("unpacked into " + dir); err != nil {
		return err
	}
	g.talk(true, took)
	a.out.talk("unpacked: %d files, %s", report.Files, bytesText(report.Bytes))
	a.out.line("%s", dir)
	return a.out.result("get.url", g.doc)
}
