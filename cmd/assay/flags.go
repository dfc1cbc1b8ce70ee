package main

import "github.com/urfave/cli/v2"

// The flags that every command has. They belong to the top of the tree alone:
// args.go moves them there from wherever they were typed, so that no command
// shadows them (urfave/cli would read false from the nearer one).
const (
	flagJSON       = "json"
	flagOffline    = "offline"
	flagQuiet      = "quiet"
	flagPlatform   = "platform"
	flagNoProgress = "no-progress"
	flagConfig     = "config"
	flagColor      = "color"
)

func sharedFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: flagJSON, Usage: "print one JSON document on stdout, and nothing else"},
		&cli.BoolFlag{Name: flagOffline, Usage: "ask no network; use what is held"},
		&cli.BoolFlag{Name: flagQuiet, Aliases: []string{"q"}, Usage: "no talk on stderr, only errors and warnings"},
		&cli.StringFlag{Name: flagPlatform, Usage: "choose for `OS/ARCH` instead of this machine"},
		&cli.BoolFlag{Name: flagNoProgress, Usage: "no progress bars"},
		&cli.StringFlag{Name: flagConfig, Usage: "read `FILE` in place of the user's configuration"},
		&cli.StringFlag{Name: flagColor, Usage: "colour `WHEN`: auto, always or never", Value: "auto"},
	}
}

// takesValue reports whether a flag is followed by a value.
func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}
