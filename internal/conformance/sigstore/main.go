package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxMessage is the most bytes of an error that are printed.
const maxMessage = 4000

var errUsage = errors.New("usage")

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stderr))
}

// run does one step and returns the exit code of the protocol.
func run(args []string, getenv func(string) string, stderr io.Writer) int {
	o, err := parse(args)
	if err == nil {
		err = o.verify(getenv)
	}
	if err != nil {
		fmt.Fprintln(stderr, "sigstore:", printable(err.Error()))
		return 1
	}
	return 0
}

// options are the command line.
type options struct {
	staging          bool
	bundle           string
	identity, issuer string
	key              string
	trustedRoot      string
	artifact         string // a file's name, or sha256:HEX
}

// parse reads the command line, in which nothing may be left over.
func parse(args []string) (options, error) {
	var o options
	if len(args) == 0 || args[0] != "verify-bundle" {
		return o, fmt.Errorf("%w: expected verify-bundle, found %.80q", errUsage, strings.Join(args[:min(1, len(args))], ""))
	}
	flags := flag.NewFlagSet("sigstore", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.staging, "staging", false, "")
	flags.StringVar(&o.bundle, "bundle", "", "")
	flags.StringVar(&o.identity, "certificate-identity", "", "")
	flags.StringVar(&o.issuer, "certificate-oidc-issuer", "", "")
	flags.StringVar(&o.key, "key", "", "")
	flags.StringVar(&o.trustedRoot, "trusted-root", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return o, fmt.Errorf("%w: %w", errUsage, err)
	}
	o.artifact = flags.Arg(0)
	switch {
	case flags.NArg() != 1:
		return o, fmt.Errorf("%w: expected one file or digest, found %d", errUsage, flags.NArg())
	case o.bundle == "":
		return o, fmt.Errorf("%w: verify-bundle needs --bundle", errUsage)
	case o.key != "" && o.identity+o.issuer != "":
		return o, fmt.Errorf("%w: expected --key or an identity, found both", errUsage)
	case o.key == "" && (o.identity == "" || o.issuer == ""):
		return o, fmt.Errorf("%w: expected --certificate-identity and --certificate-oidc-issuer, or --key", errUsage)
	}
	return o, nil
}

// printable bounds a message, in which there may be words of the bundle, and
// takes from it what a terminal would obey.
func printable(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, message)
}
