package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
	"assay/internal/config"
	"assay/internal/testrepo"
)

const flagKeep = "keep"

func demoCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show it all on a repository made for the purpose",
		Description: "Makes a signed repository, serves it on loopback, and runs assay against it:\n" +
			"what works, and four attacks that are refused. Every command is really run,\n" +
			"with folders of its own: what this user has is neither read nor changed. It\n" +
			"takes some seconds and needs no network." +
			examples("assay demo", "assay demo --keep ./play    leave everything there to play with"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagKeep, Usage: "keep repository, cache and state in `DIR`, a new folder"},
		},
		Action: func(c *cli.Context) error { return a.demo(c) },
	}
}

// frozenFor is how long the timestamp of the freeze attack lives: long enough
// to be accepted, short enough to be waited for.
const frozenFor = 2 * time.Second

// demo is one showing.
type demo struct {
	app      *app
	dir      string
	repo     *testrepo.Repo
	signer   *testrepo.Sigstore
	server   *testrepo.Server
	platform []string // what to type so that there is an artifact for this machine
	kept     string   // the folder to keep, as it was named; empty: none
	steps    []demoStep
}

// demoStep is a command that was run, and what came of it.
type demoStep struct {
	Command  string `json:"command"`
	Exit     int    `json:"exit"`
	Expected int    `json:"expected"`
	Requests int    `json:"requests"`
	Bytes    int64  `json:"bytes"` // that the mirror sent
	Output   string `json:"output"`
}

type demoDoc struct {
	Steps []demoStep `json:"steps"`
	Kept  string     `json:"kept,omitempty"`
}

func (a *app) demo(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	if c.Bool(flagOffline) {
		return usagef("the demo needs loopback, and nothing else: expected no --offline")
	}
	dir, done, err := a.demoDir(c.String(flagKeep))
	if err != nil {
		return err
	}
	defer done()
	d := &demo{app: a, dir: dir}
	if d.signer, err = testrepo.NewSigstore(a.now); err != nil {
		return fmt.Errorf("make signers: %w", err)
	}
	signing := testrepo.Signing{Sigstore: d.signer, Checksums: true}
	if d.repo, d.server, err = testrepo.ServeSample(testrepo.Options{Signing: &signing}); err != nil {
		return fmt.Errorf("make a repository: %w", err)
	}
	defer d.server.Close()
	if host := artifact.Host(); !slices.ContainsFunc(testrepo.DefaultArtifacts(), func(t testrepo.Artifact) bool { return t.OS == host.OS && t.Arch == host.Arch }) {
		d.platform = []string{"--platform", "linux/amd64"}
	}
	d.kept = c.String(flagKeep)
	if err := d.show(c.Context); err != nil {
		return err
	}
	if d.kept != "" {
		d.playOn()
	}
	return a.out.result("demo", demoDoc{Steps: d.steps, Kept: d.kept})
}

// demoDir is a new folder: a temporary one, or the one to keep.
func (a *app) demoDir(keep string) (dir string, done func(), err error) {
	if keep == "" {
		dir, err = os.MkdirTemp("", "assay-demo-")
		return dir, func() { _ = os.RemoveAll(dir) }, mark(fetch.ErrOutput, err)
	}
	dir = a.path(keep)
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, mark(errUsage, fmt.Errorf("--keep: %w", err))
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, usagef("--keep: expected the name of a new folder in one that exists: %v", err)
	}
	return dir, func() {}, nil
}

// show runs the whole story. It ends at the first command that ends otherwise
// than it should.
func (d *demo) show(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		d.install, d.again, d.judged, d.flippedByte, d.frozenTimestamp, d.olderSnapshot, d.keep, d.strangersBuild,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.say("Every byte that got a name was proven, and every lie was refused.")
	return nil
}

func (d *demo) install(ctx context.Context) error {
	d.say("A publisher signs releases; a mirror, that nobody needs to trust, serves them at\n%s.\nThe one thing to know beforehand is the digest of the publisher's root:", d.server.URL)
	if err := d.run(ctx, 0, "trust", "add", "acme", d.server.URL, "--root-sha256", d.repo.RootSHA256()); err != nil {
		return err
	}
	if err := d.run(ctx, 0, "versions", "hello"); err != nil {
		return err
	}
	d.say("By product alone the newest release in stable is meant, for this platform:")
	return d.run(ctx, 0, append([]string{"get", "hello"}, d.platform...)...)
}

func (d *demo) again(ctx context.Context) error {
	d.say("The same again: no byte of it moves. Offline: nothing is asked at all.")
	if err := d.run(ctx, 0, append([]string{"get", "hello"}, d.platform...)...); err != nil {
		return err
	}
	return d.run(ctx, 0, append([]string{"get", "hello", "--offline"}, d.platform...)...)
}

func (d *demo) flippedByte(ctx context.Context) error {
	d.say("First attack: the mirror changes one byte of an artifact.")
	d.server.FlipByte(".tar.gz$")
	defer d.server.Clear()
	file := filepath.Join(d.dir, "old.tgz")
	if err := d.run(ctx, 13, append([]string{"get", "hello@1.4.2", "-o", "old.tgz"}, d.platform...)...); err != nil {
		return err
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("unproven bytes got the name %s", file)
	}
	return nil
}

func (d *demo) frozenTimestamp(ctx context.Context) error {
	d.say("Second attack: the mirror freezes, so that nobody learns of newer releases. Its\ntimestamp lives for %s here; we wait for that.", frozenFor)
	if err := d.repo.SetExpiry("timestamp", frozenFor); err != nil {
		return err
	}
	if err := d.repo.Publish(); err != nil {
		return err
	}
	d.server.Freeze()
	defer d.server.Thaw()
	if err := d.run(ctx, 0, "trust", "refresh", "acme"); err != nil {
		return err
	}
	select {
	case <-time.After(frozenFor + time.Second):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return d.run(ctx, 11, append([]string{"get", "hello"}, d.platform...)...)
}

func (d *demo) olderSnapshot(ctx context.Context) error {
	d.say("Third attack: after a newer state was seen, the mirror serves an older one.")
	if err := d.repo.SetExpiry("timestamp", 24*time.Hour); err != nil {
		return err
	}
	if err := d.repo.Publish(); err != nil {
		return err
	}
	if err := d.run(ctx, 0, "trust", "refresh", "acme"); err != nil {
		return err
	}
	d.server.ServeGeneration(1)
	defer d.server.ServeGeneration(0)
	return d.run(ctx, 12, append([]string{"get", "hello"}, d.platform...)...)
}

// say tells the story on stdout: here it is the result.
func (d *demo) say(format string, args ...any) {
	d.app.out.line("\n%s", styled(fmt.Sprintf(format, args...)))
}

// run runs a command as it would be typed, in the demo's own folders, and
// prints what came back.
func (d *demo) run(ctx context.Context, expected int, args ...string) error {
	step := demoStep{Command: "assay " + strings.Join(args, " "), Expected: expected}
	d.app.out.line("\n%s", d.app.out.style(d.app.out.stdout, bold, "$ "+step.Command))
	var output strings.Builder
	shown := io.Writer(&output)
	if !d.app.out.json {
		shown = io.MultiWriter(&output, indented{d.app.out})
	}
	d.server.ResetCounters()
	step.Exit = d.child(shown).run(ctx, args)
	step.Requests, step.Bytes, step.Output = len(d.server.Requests()), d.server.BytesServed(), output.String()
	d.steps = append(d.steps, step)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err := d.app.out.broken(); err != nil {
		return err
	}
	d.app.out.line("%s", d.app.out.faint(fmt.Sprintf("  exit %d; the mirror was asked %d times and sent %s", step.Exit, step.Requests, bytesText(step.Bytes))))
	if step.Exit != expected {
		return fmt.Errorf("`%s`: expected exit %d, found %d", step.Command, expected, step.Exit)
	}
	return nil
}

// child is the program once more, with folders of its own and nothing of this
// user's configuration.
func (d *demo) child(output io.Writer) *app {
	return &app{
		stdin: strings.NewReader(""), stdout: output, stderr: output, workDir: d.dir,
		systemDir: filepath.Join(d.dir, "etc"), now: d.app.now,
		dirs: config.Dirs{Config: filepath.Join(d.dir, "config"), Cache: filepath.Join(d.dir, "cache"), State: filepath.Join(d.dir, "state")},
	}
}

// indented writes what a command printed two columns to the right.
type indented struct{ out *printer }

func (w indented) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		w.out.line("  %s", strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}
