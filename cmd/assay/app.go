package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"assay/fetch"
	"assay/fetch/mirrors"
	"assay/internal/config"
)

// commands are the commands in the order of `assay help`. To add one: write its
// constructor in a file of its own, with Name, Usage, ArgsUsage, a Description
// that ends in examples(…), Flags and an Action, and put it here. The Action
// gets its arguments from operands, its work from a.session and prints through
// a.out; any error that it returns gets its exit code in exit.go.
func commands() []func(*app) *cli.Command {
	return []func(*app) *cli.Command{
		trustCommand,
		productsCommand,
		channelsCommand,
		versionsCommand,
		getCommand,
		installCommand,
		upgradeCommand,
		outdatedCommand,
		listCommand,
		holdCommand,
		unholdCommand,
		rollbackCommand,
		uninstallCommand,
		whichCommand,
		execCommand,
		lockCommand,
		syncCommand,
		verifyCommand,
		explainCommand,
		lintCommand,
		draftCommand,
		findCommand,
		policyCommand,
		waiveCommand,
		auditCommand,
		cacheCommand,
		mirrorCommand,
		configCommand,
		doctorCommand,
		demoCommand,
		completionCommand,
		manCommand,
		versionCommand,
	}
}

// systemConfig is where an administrator's configuration lies.
const systemConfig = "/etc/assay"

// app is one run of the program: what is outside of it, handed in.
type app struct {
	stdin     io.Reader
	stdout    io.Writer
	stderr    io.Writer
	env       []string
	workDir   string // empty: not known
	systemDir string
	dirs      config.Dirs
	now       func() time.Time

	tree      *cli.Command // the commands
	platforms []string     // as --platform was given, each time
	out       *printer
	progress  *progress
	memory    *mirrors.Memory // of this run; nil: none was needed
	// start starts the program of exec; nil: become.
	start func(ctx context.Context, path string, argv []string) error
}

// run is the whole program but for signals: it never exits, and returns the
// exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	a := &app{
		stdin: stdin, stdout: stdout, stderr: stderr, env: env,
		systemDir: systemConfig, dirs: config.UserDirs(), now: time.Now,
	}
	// Without a working directory there is no project's file; whatever needs
	// the directory says so itself.
	if dir, err := os.Getwd(); err == nil {
		a.workDir = dir
	}
	return a.run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	a.tree = a.grow()
	if len(args) > 0 && args[0] == completeWord {
		a.complete(ctx, args[1:])
		return 0
	}
	line, err := parseLine(a.tree, args)
	a.platforms = line.platforms
	a.out = newPrinter(a.stdout, a.stderr, line.settings(a.env))
	a.progress = newProgress(a.out, line.has(flagNoProgress), getenv(a.env, "TERM") == "dumb")
	if err == nil {
		err = a.execute(ctx, line)
	}
	a.progress.close()
	a.forgetNothing()
	var program *programEnded
	if errors.As(err, &program) {
		return program.code
	}
	if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errInterrupted) || errors.Is(cause, errTerminated)) {
		err = cause
	}
	code := a.out.finish(err)
	if line.command().Name == execName {
		code = execCode(code)
	}
	return code
}

// grow makes the tree of commands.
func (a *app) grow() *cli.Command {
	tree := &cli.Command{Name: "assay", Usage: "get software that can be proven", Flags: sharedFlags()}
	for _, construct := range commands() {
		tree.Subcommands = append(tree.Subcommands, construct(a))
	}
	return tree
}

// execute does what the line says.
func (a *app) execute(ctx context.Context, line *commandLine) error {
	switch when := line.shared[flagColor]; {
	case !slices.Contains([]string{"", "auto", "always", "never"}, when):
		return usagef("--color: expected auto, always or never, found %q", when)
	case line.version:
		return a.printVersion(false)
	case len(line.topic) > 0:
		return a.out.errorHelp(line.topic)
	case line.help || len(line.command().Subcommands) > 0:
		return a.out.help(line.path)
	}
	shell := &cli.App{
		Name: "assay", Flags: a.tree.Flags, Commands: a.tree.Subcommands,
		HideHelp: true, HideVersion: true, DisableSliceFlagSeparator: true,
		// Everything was checked; what urfave/cli may still have to say about
		// a value comes back as an error, is printed once, and exits once.
		Writer: io.Discard, ErrWriter: io.Discard,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   onUsageError,
	}
	each(a.tree, func(c *cli.Command) { c.HideHelp, c.OnUsageError = true, onUsageError })
	return shell.RunContext(ctx, line.argv())
}

func onUsageError(_ *cli.Context, err error, _ bool) error { return mark(errUsage, err) }

// each visits a command and all below it.
func each(c *cli.Command, visit func(*cli.Command)) {
	visit(c)
	for _, sub := range c.Subcommands {
		each(sub, visit)
	}
}

// operands are the arguments of a command that takes from least to most of
// them (most < 0: any number).
func operands(c *cli.Context, least, most int) ([]string, error) {
	args := c.Args().Slice()
	usage := "assay " + c.Command.FullName()
	if c.Command.HelpName != "" {
		usage = c.Command.HelpName
	}
	if c.Command.ArgsUsage != "" {
		usage += " " + c.Command.ArgsUsage
	}
	switch {
	case len(args) < least:
		return nil, usagef("expected another argument: %s", usage)
	case most >= 0 && len(args) > most:
		return nil, usagef("expected no further argument, found %q: %s", clip(args[most]), usage)
	}
	return args, nil
}

// config reads the configuration for this run.
func (a *app) config(c *cli.Context) (*config.Config, error) {
	flags := map[string]string{}
	if c.Bool(flagOffline) {
		flags[config.KeyOffline] = "true"
	}
	if c.IsSet(flagPlatform) {
		flags[config.KeyPlatform] = c.String(flagPlatform)
	}
	return config.Load(config.LoadOptions{
		SystemDir: a.systemDir, Dirs: a.dirs, ConfigFlag: c.String(flagConfig),
		WorkDir: a.workDir, Env: a.env, Flags: flags,
	})
}

// The program's own words must fit what fetch asks of a progress display.
var _ fetch.Progress = (*progress)(nil)
