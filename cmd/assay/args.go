package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/internal/config"
)

// commandLine is what was typed, taken apart: urfave/cli would take a flag
// behind an argument for an argument, and not say so.
type commandLine struct {
	path   []*cli.Command // from the top of the tree to the command
	shared map[string]string
	// platforms is each value of --platform: shared has the last one, and lock takes
	// them all.
	platforms []string
	own       []string // the command's own flags, as --name=value
	args      []string
	help      bool
	topic     []string // behind `assay help`, where it is about exit codes
	version   bool
}

// command is the one that was named last.
func (l *commandLine) command() *cli.Command { return l.path[len(l.path)-1] }

// has reports whether a shared switch is on.
func (l *commandLine) has(flag string) bool { return l.shared[flag] == "true" }

// argv is the line in the order that urfave/cli wants: shared flags, command,
// its flags, "--", arguments.
func (l *commandLine) argv() []string {
	argv := []string{"assay"}
	for name, value := range l.shared {
		argv = append(argv, "--"+name+"="+value)
	}
	for _, c := range l.path[1:] {
		argv = append(argv, c.Name)
	}
	argv = append(argv, l.own...)
	return append(append(argv, "--"), l.args...)
}

// parseLine takes the arguments apart. Where it fails, the line holds what was
// understood before, so that the error is printed as was asked for.
func parseLine(tree *cli.Command, args []string) (*commandLine, error) {
	l := &commandLine{path: []*cli.Command{tree}, shared: map[string]string{}}
	// An error must come as JSON even if --json stands behind the mistake.
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if arg == "--json" {
			l.shared[flagJSON] = "true"
		}
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case arg == "--":
			for _, rest := range args {
				if err := l.operand(rest); err != nil {
					return l, err
				}
			}
			return l, nil
		case len(arg) > 1 && arg[0] == '-':
			args, err = l.flag(arg, args)
		default:
			err = l.operand(arg)
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

// operand takes a word without a dash: a command's name, or an argument.
func (l *commandLine) operand(word string) error {
	here := l.command()
	if len(here.Subcommands) == 0 {
		l.args = append(l.args, word)
		return nil
	}
	if word == "help" && len(l.topic) == 0 {
		l.help = true
		return nil
	}
	if len(l.topic) > 0 || l.help && len(l.path) == 1 && isErrorTopic(word) {
		l.topic = append(l.topic, word)
		return nil
	}
	if next := here.Command(word); next != nil {
		l.path = append(l.path, next)
		return nil
	}
	var known []string
	for _, sub := range here.Subcommands {
		known = append(known, sub.Names()...)
	}
	return withHint(usagef("%s has no command %q%s", pathName(l.path), clip(word), didYouMean(config.Nearest(word, known))),
		"`"+pathName(l.path)+" --help` lists the commands")
}

// flag takes a word with a dash, and its value from the rest where it has one.
func (l *commandLine) flag(word string, rest []string) ([]string, error) {
	name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
	double := strings.HasPrefix(word, "--")
	switch {
	case name == "help" && double || name == "h" && !double:
		l.help = true
		return rest, nil
	case name == "version" && double && len(l.path) == 1:
		l.version = true
		return rest, nil
	}
	found, shared := l.find(name, double)
	if found == nil {
		return nil, l.unknownFlag(word, name)
	}
	shown := strings.SplitN(word, "=", 2)[0]
	switch {
	case !takesValue(found):
		if !hasValue {
			value = "true"
		}
		if value != "true" && value != "false" {
			return nil, usagef("%s: expected no value, true or false, found %q", shown, clip(value))
		}
	case !hasValue:
		// "-" is a value, that of -o for one; another flag is not.
		if len(rest) == 0 || len(rest[0]) > 1 && rest[0][0] == '-' {
			return nil, usagef("%s: expected a value behind it, found none", shown)
		}
		value, rest = rest[0], rest[1:]
	}
	if takesValue(found) && value == "" {
		return nil, usagef("%s: expected a value, found an empty one", shown)
	}
	if shared {
		l.shared[found.Names()[0]] = value
		if name == flagPlatform {
			l.platforms = append(l.platforms, value)
		}
	} else {
		l.own = append(l.own, "--"+found.Names()[0]+"="+value)
	}
	return rest, nil
}

// find looks a flag up: long names take two dashes, one-letter names one.
func (l *commandLine) find(name string, double bool) (found cli.Flag, shared bool) {
	if double != (len(name) > 1) {
		return nil, false
	}
	for i, c := range l.path {
		for _, f := range c.Flags {
			if slices.Contains(f.Names(), name) {
				return f, i == 0
			}
		}
	}
	return nil, false
}

func (l *commandLine) unknownFlag(word, name string) error {
	var known []string
	for _, c := range l.path {
		for _, f := range c.Flags {
			known = append(known, f.Names()...)
		}
	}
	near := ""
	if len(name) > 1 {
		if near = config.Nearest(name, known); near != "" {
			near = dashed(near)
		}
	}
	word, _, _ = strings.Cut(word, "=")
	err := usagef("%s has no flag %q%s", pathName(l.path), clip(word), didYouMean(near))
	return withHint(err, "`"+pathName(l.path)+" --help` lists the flags; behind -- nothing is a flag")
}

// digestOperand reads an argument that may be a digest among other things. One
// that begins as a digest is meant as one, so that a mistake in it is told; a file
// of such a name is called ./NAME.
func digestOperand(word string) (digest artifact.Digest, is bool, err error) {
	algorithm, _, found := strings.Cut(word, ":")
	if !found || artifact.Algorithm(algorithm).Size() == 0 {
		return artifact.Digest{}, false, nil
	}
	if digest, err = artifact.ParseDigest(word); err != nil {
		return artifact.Digest{}, false, mark(errUsage, err)
	}
	return digest, true, nil
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return "; did you mean " + word + "?"
}

func pathName(path []*cli.Command) string {
	var names []string
	for _, c := range path {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ")
}

// settings are the shared flags that decide how things are printed.
func (l *commandLine) settings(env []string) printSettings {
	return printSettings{
		json: l.has(flagJSON), quiet: l.has(flagQuiet),
		color: l.shared[flagColor], plain: getenv(env, "NO_COLOR") != "" || getenv(env, "TERM") == "dumb",
	}
}

// getenv finds a variable in the environment that was handed in.
func getenv(env []string, name string) (value string) {
	for _, entry := range env {
		if have, text, ok := strings.Cut(entry, "="); ok && have == name {
			value = text
		}
	}
	return value
}
