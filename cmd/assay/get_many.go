package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"assay/fetch"
)

// manyAtOnce is how many targets are under way at once, from the look at the
// metadata to the note in the audit log. How many of them are fetched at the same
// time is for the client to say; the others wait for the disk, together.
const manyAtOnce = 64

// manyGet is several targets of one repository, got at once.
type manyGet struct {
	app        *app
	c          *cli.Context
	repository string
	paths      []string // each once
	folder     string   // that files are written to, with its separator; not with --print

	session *session
	log     *auditor
	shown   *batch
	items   []manyItem
	hints   map[string]bool // that were told
	// afterwards has the results wait for the end: they and the bars would write
	// over each other on one terminal.
	afterwards bool
}

// manyItem is one of the targets, and what came of it.
type manyItem struct {
	ended bool // false: it was not come to, or given up with the command
	doc   getDoc
	err   error
}

// manyDoc is the result of get for several targets.
type manyDoc struct {
	Changed    bool   `json:"changed"` // of any
	Repository string `json:"repository"`
	Wanted     int    `json:"wanted"`
	Got        int    `json:"got"`
	Failed     int    `json:"failed"`
	Moved      int64  `json:"moved"` // bytes that came over sources
	Items      []any  `json:"items"` // in the order asked: a getDoc or a failedDoc each
}

// failedDoc is a target that could not be got.
type failedDoc struct {
	Target   string     `json:"target"`
	Error    *errorPart `json:"error"`
	Evidence any        `json:"evidence,omitempty"` // of one that was refused
}

// manyError is that some of several targets could not be got. Its cause is the
// first of them, in the order in which they were asked for.
type manyError struct {
	got, wanted int
	first       error
}

func (e *manyError) Error() string {
	return fmt.Sprintf("%d of %d got; the first that was not: %v", e.got, e.wanted, e.first)
}

func (e *manyError) Unwrap() error { return e.first }

// getMany gets several targets of one repository. What is wrong with the command,
// or with what stands where files are to be, is an error before anything is
// fetched; what is wrong with one target is told, and the others are got.
func (a *app) getMany(c *cli.Context, args []string) (err error) {
	g := &manyGet{app: a, c: c, repository: args[0], hints: map[string]bool{}}
	if err := g.checkFlags(args); err != nil {
		return err
	}
	if g.paths, err = g.readPaths(args[1:]); err != nil {
		return err
	}
	if err := g.checkFiles(); err != nil {
		return err
	}
	g.session, err = a.asking(c, g.repository)
	if errors.Is(err, errNoRepository) && !c.IsSet(flagPathsFrom) {
		return withHint(err, "of several arguments the first is a repository, and the others are paths of targets; products are got one by one; `assay trust list` lists the repositories")
	}
	if err != nil {
		return err
	}
	view, err := g.session.client.View(c.Context, g.repository)
	if err != nil { // what keeps all from being got is told once
		return a.noteRefusal(c.Context, g.session, asked{repository: g.repository}, err)
	}
	if g.log, err = a.auditor(c.Context, g.session); err != nil {
		return err
	}
	began := a.now()
	g.run(c.Context)
	return g.finish(c.Context, staleness(view.Evidence()), a.now().Sub(began))
}

// run gets all targets, and tells of each as soon as all before it have ended.
func (g *manyGet) run(ctx context.Context) {
	g.items = make([]manyItem, len(g.paths))
	g.shown = g.app.progress.batch(len(g.paths))
	g.afterwards = g.app.progress.bars && isTerminal(g.app.stdout)
	ended := make(chan int)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(manyAtOnce, len(g.paths)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(g.paths) {
					return
				}
				g.items[i].doc, g.items[i].err = g.get(ctx, g.paths[i])
				ended <- i
			}
		})
	}
	go func() {
		workers.Wait()
		close(ended)
	}()
	told := 0
	for i := range ended {
		item := &g.items[i]
		item.ended = item.err == nil || ctx.Err() == nil
		g.shown.ended()
		for ; told < len(g.items) && g.items[told].ended; told++ {
			g.tell(told)
		}
	}
	for ; told < len(g.items); told++ { // the command was given up
		g.tell(told)
	}
	g.shown.close()
	for i := range g.items {
		if g.afterwards {
			g.print(&g.items[i])
		}
	}
}

// get gets one target, and writes down what was done.
func (g *manyGet) get(ctx context.Context, target string) (getDoc, error) {
	client, what := g.session.client, asked{repository: g.repository, target: target}
	selection, err := client.SelectTarget(ctx, g.repository, target)
	if err != nil {
		return getDoc{}, g.app.refusedBy(ctx, g.session, g.log, what, err)
	}
	var held fetch.Held
	wrote, file, detail := false, "", "into the cache"
	if g.c.IsSet(flagPrint) {
		held, err = client.GetSelected(ctx, selection)
	} else {
		file = g.folder + path.Base(target)
		detail = "into " + file
		held, wrote, err = client.GetInto(ctx, selection, g.app.path(file), false)
	}
	if err != nil {
		return getDoc{}, g.app.refusedBy(ctx, g.session, g.log, what, err)
	}
	doc := newHeldDoc(held)
	doc.File, doc.Changed = file, doc.Changed || wrote
	if doc.Changed {
		if err := g.log.noteGet(ctx, held, detail); err != nil {
			return getDoc{}, err
		}
	}
	if !g.app.out.json {
		doc.Evidence = nil // ten thousand of them are some memory
	}
	return doc, nil
}

// tell prints what came of a target, once all before it were told of.
func (g *manyGet) tell(i int) {
	item, out := &g.items[i], g.app.out
	switch {
	case !item.ended:
	case item.err != nil:
		message, _, hint := describe(item.err)
		if name := clean(g.paths[i]); !strings.Contains(message, name) {
			message = name + ": " + message
		}
		if hint != "" && !g.hints[hint] { // ten thousand times the same helps nobody
			g.hints[hint] = true
			message += "\n  hint: " + hint
		}
		out.tell(string(out.style(out.stderr, red, "assay:")) + " " + message)
	case !g.afterwards:
		g.print(item)
	}
}

// print prints the result of a target that was got.
func (g *manyGet) print(item *manyItem) {
	switch out := g.app.out; {
	case !item.ended || item.err != nil:
	case g.c.String(flagPrint) == "path":
		out.line("%s", item.doc.Blob)
	case g.c.String(flagPrint) == "digest":
		out.line("%s", item.doc.Digests.Primary())
	default:
		out.line("%s", item.doc.File)
	}
}

// finish says what came of all.
func (g *manyGet) finish(ctx context.Context, stale string, took time.Duration) error {
	doc := manyDoc{Repository: g.repository, Wanted: len(g.paths), Items: []any{}}
	held := 0
	var first error
	for i, item := range g.items {
		switch {
		case !item.ended:
		case item.err != nil:
			doc.Failed++
			if first == nil {
				first = item.err
			}
			if g.app.out.json {
				message, row, hint := describe(item.err)
				failed := failedDoc{Target: g.paths[i], Error: &errorPart{row.code, row.name, failedCheck(item.err), message, hint}}
				if evidence := evidenceOf(item.err); evidence != nil {
					failed.Evidence = evidence
				}
				doc.Items = append(doc.Items, failed)
			}
		default:
			doc.Got, doc.Moved, doc.Changed = doc.Got+1, doc.Moved+item.doc.Moved, doc.Changed || item.doc.Changed
			if item.doc.Moved == 0 {
				held++
			}
			if g.app.out.json {
				doc.Items = append(doc.Items, item.doc)
			}
		}
	}
	if err := g.app.out.result("get.many", doc); err != nil {
		return err
	}
	g.talk(doc, held, stale, took)
	switch {
	case first != nil:
		return &reported{&manyError{doc.Got, doc.Wanted, first}}
	case doc.Got < doc.Wanted:
		return context.Cause(ctx)
	}
	return nil
}

// talk is the last line: of those that failed, or of what it took to get all.
func (g *manyGet) talk(doc manyDoc, held int, stale string, took time.Duration) {
	out := g.app.out
	text := fmt.Sprintf("%s of %s got", humanize.Comma(int64(doc.Got)), humanize.Comma(int64(doc.Wanted)))
	if doc.Got < doc.Wanted {
		out.tell(text)
		return
	}
	if g.c.IsSet(flagPrint) {
		return
	}
	parts := []string{text, fmt.Sprintf("%s fetched in %s", bytesText(doc.Moved), tookText(took))}
	if held > 0 {
		parts = append(parts, humanize.Comma(int64(held))+" held already")
	}
	parts = append(parts, "each proven")
	if stale != "" {
		parts = append(parts, stale)
	}
	out.talk("%s", strings.Join(parts, ", "))
}

// withSeparator is a folder's name with a separator at its end.
func withSeparator(folder string) string {
	if strings.HasSuffix(folder, string(filepath.Separator)) {
		return folder
	}
	return folder + string(filepath.Separator)
}
