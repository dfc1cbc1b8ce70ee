package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(program(os.Args[1:], os.Stderr))
}

// options is what the command line asks for.
type options struct {
	subject subject
	modules string // the module cache
	goroot  string // for the licence of Go's own library
	notices string // a list of modules: write their licence texts
	out     string
}

var errUsage = errors.New("usage")

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var created string
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.subject.Name, "name", "assay", "`name` of what is released")
	flags.StringVar(&o.subject.Version, "version", "", "its `version`, without a leading v")
	flags.StringVar(&o.subject.License, "license", noAssertion, "its licence, as an SPDX `expression`")
	flags.StringVar(&o.subject.Supplier, "supplier", noAssertion, "the `organization` that gives it out")
	flags.StringVar(&created, "created", "", "the `time` in the document, as RFC 3339: that of the commit")
	flags.StringVar(&o.modules, "modules", "", "the module cache, a `folder`")
	flags.StringVar(&o.goroot, "go", "", "GOROOT, a `folder`, for the notices")
	flags.StringVar(&o.notices, "notices", "", "write the licence texts of the modules in this `file`, of lines PATH VERSION")
	flags.StringVar(&o.out, "o", "", "the `file` to write")
	if err := flags.Parse(args); err != nil {
		return o, errUsage // flag has said what is wrong
	}
	switch {
	case o.out == "" || o.modules == "":
		return o, fmt.Errorf("%w: expected -o and -modules", errUsage)
	case o.notices != "" && (o.goroot == "" || flags.NArg() != 0):
		return o, fmt.Errorf("%w: expected -go and no argument with -notices", errUsage)
	case o.notices != "":
		return o, nil
	case flags.NArg() != 1 || o.subject.Version == "":
		return o, fmt.Errorf("%w: expected -version and one archive, found %d arguments", errUsage, flags.NArg())
	}
	at, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return o, fmt.Errorf("%w: -created: expected a time like 2026-11-01T00:00:00Z, found %q", errUsage, created)
	}
	o.subject.Created, o.subject.Archive = at, flags.Arg(0)
	return o, nil
}

func program(args []string, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if err == nil {
		err = o.write()
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, "sbom:", err)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "sbom:", err)
		return exitFailed
	}
}

// write makes the document as a whole before the file has a byte of it.
func (o options) write() error {
	licenses := licenseReader{modules: o.modules}
	var data []byte
	var err error
	if o.notices != "" {
		data, err = notices(o.notices, licenses, o.goroot)
	} else {
		data, err = bill(o.subject, licenses)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, data, 0o644)
}
