package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/pinned"
	"assay/fetch/pinned/cloud"
	"assay/fetch/unpack"
	"assay/trust"
)

const (
	flagSHA256 = "sha256"
	flagSHA512 = "sha512"
	flagName   = "name"
	flagUnpack = "unpack"
)

// pinFlags say which bytes a URL must have.
var pinFlags = []string{flagSHA256, flagSHA512, flagChecksums}

// urlFlags are for a file by its URL: what its digest is, and who must have signed
// it, as with assay verify.
func urlFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: flagSHA256, Usage: "the SHA-256 of what lies at a URL, `HEX`"},
		&cli.StringFlag{Name: flagSHA512, Usage: "its SHA-512, `HEX`; with --sha256 both must hold"},
		&cli.StringFlag{Name: flagName, Usage: "the file's `NAME` here and in the checksums file, where its URL has another"},
		&cli.StringFlag{Name: flagUnpack, Usage: "unpack the archive at a URL, once it is proven, into the new folder `DIR`"},
		&cli.StringFlag{Name: flagMaxSize, Usage: "give up what is longer than `SIZE`, like 500MB; 16GiB if not said"},
	}
	for _, flag := range aloneFlags() {
		if flag.Names()[0] == flagChecksums {
			flag = &cli.StringFlag{Name: flagChecksums, Usage: "a checksums `FILE` that lists the file at a URL; bundles and signature are then over it"}
		}
		flags = append(flags, flag)
	}
	return flags
}

// namesURL reports whether get is asked for a file by its URL, or by a path with a
// digest: no product and no repository has :: or :// in its name.
func namesURL(c *cli.Context, args []string) bool {
	return len(args) == 1 && (isURL(args[0]) || strings.Contains(args[0], "::") || slices.ContainsFunc(pinFlags, c.IsSet))
}

// getURLDoc is the result of get for a URL.
type getURLDoc struct {
	Changed  bool             `json:"changed"` // a file was written, or bytes were moved into the cache
	Source   string           `json:"source"`  // without user, password and query
	Kind     pinned.Kind      `json:"kind"`
	Name     string           `json:"name,omitempty"`
	Length   int64            `json:"length"`         // in bytes
	Digests  artifact.Digests `json:"digests"`        // as they were given, and found
	File     string           `json:"file,omitempty"` // where it was written
	Blob     string           `json:"blob"`           // where the cache has it
	Moved    int64            `json:"moved"`          // bytes that came over a source
	From     string           `json:"from,omitempty"`
	Unpacked *unpackedDoc     `json:"unpacked,omitempty"`
	Evidence *trust.Evidence  `json:"evidence,omitempty"` // of signatures, where some were asked for
}

// urlGet is one file that is got by its URL.
type urlGet struct {
	app     *app
	c       *cli.Context
	source  *pinned.Source
	name    string // empty: the URL has none, and none was given
	list    []byte // the checksums file, read once; nil: none was given
	want    artifact.Digests
	session *session
	log     *auditor
	doc     getURLDoc
}

func (a *app) getURL(c *cli.Context, arg string) error {
	g := &urlGet{app: a, c: c}
	limit, err := a.checkURLFlags(c)
	if err != nil {
		return err
	}
	if err := g.understand(arg); err != nil {
		return err
	}
	if c.IsSet(flagUnpack) {
		if _, is := unpack.FormatOf(g.name); !is {
			return withHint(usagef("--unpack: expected an archive by its name, like tool.tar.gz or tool.zip, found %q", clip(g.name)), "name it with --name NAME")
		}
	}
	if err := g.open(); err != nil {
		return err
	}
	getter, err := pinned.New(pinned.Config{
		Cache: g.session.cache, Dir: filepath.Join(g.session.config.CacheDir, "git"), S3: cloud.S3{Now: a.now}, GCS: cloud.GCS{},
		Mover: g.session.client, MaxSize: limit, Env: a.env, Now: a.now, Offline: g.session.config.Offline,
	})
	if err != nil {
		return err
	}
	if err := g.canWrite(); err != nil {
		return err
	}
	began := a.now()
	got, err := getter.Get(c.Context, g.source, g.want)
	if err == nil {
		g.tell(got)
		err = g.verify(got.Blob)
	}
	if err != nil {
		return g.refused(err)
	}
	if err := g.note(got.Blob); err != nil {
		return err
	}
	return g.handOut(got.Blob, a.now().Sub(began))
}

// file is what is written, and whether it may be replaced.
func (g *urlGet) file() (name string, replace bool, err error) {
	if name := g.c.String(flagOutput); name != "" {
		return name, true, nil
	}
	if g.name == "" {
		return "", false, withHint(usagef("%s: expected a URL that ends in a name that is fit for a file here", g.source), "name one with --name NAME or -o FILE")
	}
	return "." + string(filepath.Separator) + g.name, false, nil
}

// canWrite finds out what is in the way of the file, before anything is fetched.
func (g *urlGet) canWrite() error {
	if g.c.IsSet(flagPrint) || g.c.IsSet(flagUnpack) || g.c.String(flagOutput) == "-" {
		return nil
	}
	name, replace, err := g.file()
	if err != nil {
		return err
	}
	return g.session.client.CanSave(g.c.Context, g.want.Primary(), g.source.String(), g.app.path(name), replace)
}

// checkURLFlags refuses flags that contradict each other, or that would have no
// effect, before any request.
func (a *app) checkURLFlags(c *cli.Context) (limit int64, err error) {
	size, err := sizeFlag(c, flagMaxSize)
	if size != nil {
		limit = *size
	}
	switch {
	case err != nil:
		return 0, err
	case c.IsSet(flagMaxSize) && limit == 0:
		return 0, usagef("--max-size: expected room for a byte at least, found none")
	case !slices.ContainsFunc(pinFlags, c.IsSet):
		return 0, withHint(usagef("a URL says where bytes are, not which: expected --sha256 HEX, --sha512 HEX or --checksums FILE"),
			"ask the publisher for the digest by another way than this network, as in `assay get URL --sha256 HEX`")
	case slices.Contains([]string{"version", "evidence"}, c.String(flagPrint)):
		return 0, usagef("--print: expected path or digest for a URL, found %q", c.String(flagPrint))
	case c.Bool(flagDryRun):
		return 0, usagef("--dry-run tells what would be chosen: expected none with a URL, which names one file")
	case c.IsSet(flagFormat):
		return 0, usagef("--format chooses among the artifacts of a product: expected none with a URL")
	case c.IsSet(flagUnpack) && (c.IsSet(flagOutput) || c.IsSet(flagPrint)):
		return 0, usagef("--unpack makes a folder, -o and --print are for the file: expected one of them")
	}
	if slices.ContainsFunc(aloneFlags(), func(f cli.Flag) bool { return f.Names()[0] != flagChecksums && c.IsSet(f.Names()[0]) }) {
		return limit, checkAloneFlags(c)
	}
	return limit, nil
}

// refuseURLFlags refuses what only a URL can have.
func refuseURLFlags(c *cli.Context) error {
	for _, flag := range urlFlags() {
		if name := flag.Names()[0]; c.IsSet(name) {
			return usagef("--%s is for a file by its URL: expected none here, where a repository says which bytes are right, and who signed them", name)
		}
	}
	return nil
}

// understand reads what was typed, and the checksums file.
func (g *urlGet) understand(arg string) (err error) {
	a := g.app
	if g.source, err = pinned.Parse(arg, a.workDir); err != nil {
		return err
	}
	g.name = g.source.Name()
	if g.c.IsSet(flagName) {
		g.name = g.c.String(flagName)
		if err := artifact.ValidFileName(g.name); err != nil {
			return mark(errUsage, fmt.Errorf("--name: %w", err))
		}
	}
	if path := g.c.String(flagChecksums); path != "" {
		if g.name == "" {
			return withHint(usagef("%s: expected a URL that ends in the name of a file, to look up in the checksums file", g.source), "name it with --name NAME")
		}
		if g.list, err = a.readSmall(path, checksums.MaxBytes); err != nil {
			return err
		}
	}
	if g.want, err = pinned.Pin(g.c.String(flagSHA256), g.c.String(flagSHA512), g.list, g.name); err != nil && g.list != nil {
		err = fmt.Errorf("%s: %w", clip(g.c.String(flagChecksums)), err)
	}
	return err
}

// open makes the session: no repository is asked, or even looked at.
func (g *urlGet) open() (err error) {
	if g.session, err = g.app.bareStore(g.c); err != nil {
		return err
	}
	g.session.client, err = fetch.NewClient(fetch.Config{
		Cache: g.session.cache, Engine: g.session.engine, Now: g.app.now, Offline: g.session.config.Offline,
		Progress: g.app.progress, Transfer: transferOf(g.session.config), Downloads: int(g.session.config.Transfer.Downloads),
		Warn: func(text string) { g.app.out.warn("%s", text) },
	})
	if err != nil {
		return err
	}
	g.log, err = g.app.auditor(g.c.Context, g.session)
	return err
}

// tell writes down what was got.
func (g *urlGet) tell(got pinned.Result) {
	g.doc = getURLDoc{
		Changed: got.Moved > 0, Source: g.source.String(), Kind: g.source.Kind(), Name: g.name, Length: got.Blob.Length(),
		Digests: g.want, Blob: got.Blob.Path(), Moved: got.Moved, From: got.From,
	}
}

// note gives the blob its name in the cache's index.
func (g *urlGet) note(blob cache.Blob) error {
	return g.session.cache.Note(g.c.Context, blob.Digest(), cache.Name{File: g.name, Target: g.source.String()})
}

// handOut prints, pipes or writes what is proven.
func (g *urlGet) handOut(blob cache.Blob, took time.Duration) error {
	a, c := g.app, g.c
	if c.IsSet(flagUnpack) {
		return g.unpack(blob, took)
	}
	if c.IsSet(flagPrint) {
		if g.doc.Changed {
			if err := g.audit("into the cache"); err != nil {
				return err
			}
		}
		a.out.line("%s", map[string]string{"path": blob.Path(), "digest": blob.Digest().String()}[c.String(flagPrint)])
		return a.out.result("get.url", g.doc)
	}
	if c.String(flagOutput) == "-" {
		a.progress.close()
		err := g.session.client.WriteBlob(c.Context, blob, a.stdout)
		if errors.Is(err, fetch.ErrOutput) {
			err = outputError(err)
		}
		if err != nil {
			return err
		}
		g.talk(true, took)
		return g.audit("to standard output")
	}
	file, replace, err := g.file()
	if err != nil {
		return err
	}
	wrote, err := g.session.client.SaveBlob(c.Context, blob, g.source.String(), a.path(file), replace)
	if err != nil {
		return err
	}
	a.progress.close()
	g.doc.File, g.doc.Changed = file, g.doc.Changed || wrote
	if g.doc.Changed {
		if err := g.audit("into " + file); err != nil {
			return err
		}
	}
	g.talk(wrote, took)
	a.out.line("%s", file)
	return a.out.result("get.url", g.doc)
}

// talk says on stderr what was got, and what of it is proven: that it has the
// digests that were given, and nothing of who made it unless that was asked for.
func (g *urlGet) talk(wrote bool, took time.Duration) {
	g.app.out.talk("%s", g.source)
	parts := []string{fmt.Sprintf("%s held already", bytesText(g.doc.Length))}
	if g.doc.Moved > 0 {
		parts[0] = fmt.Sprintf("%s fetched in %s", bytesText(g.doc.Moved), tookText(took))
	}
	if !wrote {
		parts = append(parts, "the file is there already")
	}
	g.app.out.talk("%s, %s", strings.Join(parts, ", "), g.proven())
	if g.doc.Evidence != nil {
		for _, line := range proofLines(g.doc.Evidence) {
			g.app.out.talk("%s", line)
		}
	}
}

// proven says in words what is proven.
func (g *urlGet) proven() string {
	var digests []string
	for _, digest := range g.want {
		digests = append(digests, string(digest.Algorithm())+" "+digest.Hex()[:12]+"…")
	}
	how := "as given"
	if g.list != nil {
		how = "as listed in " + clip(g.c.String(flagChecksums))
	}
	return "pinned: " + strings.Join(digests, ", ") + " " + how
}
