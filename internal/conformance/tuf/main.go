package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
)

// maxMessage is the most bytes of an error that are printed.
const maxMessage = 4000

var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// run does one step and returns the exit code of the protocol.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	o, err := parse(args)
	if err == nil {
		err = o.step(ctx)
	}
	if err != nil {
		fmt.Fprintln(stderr, "tuf:", printable(err.Error()))
		return 1
	}
	return 0
}

// options are the command line.
type options struct {
	metadataDir, metadataURL string
	targetDir, targetURL     string
	targets                  []string
	command                  string
	root                     string // of init: the file
}

// parse reads the command line. Each command needs its own flags, and takes
// no others: a flag that is silently ignored would hide a fault of the driver.
func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("tuf", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.metadataDir, "metadata-dir", "", "")
	flags.StringVar(&o.metadataURL, "metadata-url", "", "")
	flags.StringVar(&o.targetDir, "target-dir", "", "")
	flags.StringVar(&o.targetURL, "target-base-url", "", "")
	flags.Func("target-name", "", func(name string) error {
		o.targets = append(o.targets, name)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("%w: %w", errUsage, err)
	}
	o.command = flags.Arg(0)
	rest := flags.Args()
	if len(rest) > 0 {
		rest = rest[1:]
	}
	return o, o.check(rest)
}

func (o *options) check(rest []string) error {
	needs := map[string]string{
		"init":     "metadata-dir",
		"refresh":  "metadata-dir metadata-url",
		"download": "metadata-dir metadata-url target-dir target-base-url target-name",
	}
	need, known := needs[o.command]
	if !known {
		return fmt.Errorf("%w: expected init, refresh or download, found %.80q", errUsage, o.command)
	}
	given := map[string]bool{
		"metadata-dir": o.metadataDir != "", "metadata-url": o.metadataURL != "",
		"target-dir": o.targetDir != "", "target-base-url": o.targetURL != "", "target-name": len(o.targets) > 0,
	}
	for _, name := range strings.Fields(need) {
		if !given[name] {
			return fmt.Errorf("%w: %s needs --%s", errUsage, o.command, name)
		}
		delete(given, name)
	}
	for name, set := range given {
		if set {
			return fmt.Errorf("%w: %s takes no --%s", errUsage, o.command, name)
		}
	}
	if o.command == "init" && len(rest) == 1 {
		o.root = rest[0]
		return nil
	}
	if o.command == "init" {
		return fmt.Errorf("%w: init takes one file, found %d", errUsage, len(rest))
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %s takes no arguments, found %.80q", errUsage, o.command, rest[0])
	}
	return nil
}

func (o *options) step(ctx context.Context) error {
	if o.command == "init" {
		return initialise(o.metadataDir, o.root)
	}
	now, err := askClock(ctx)
	if err != nil {
		return err
	}
	c, err := openClient(o, now)
	if err != nil {
		return err
	}
	if o.command == "refresh" {
		return c.refresh(ctx)
	}
	return c.download(ctx, o.targets)
}

// printable bounds a message, in which there may be words of the repository,
// and takes from it what a terminal would obey.
func printable(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, message)
}
