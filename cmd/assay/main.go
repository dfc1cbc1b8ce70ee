// Command assay gets software that it can prove: it fetches a release and
// hands it out only after signed metadata has vouched for every byte.
//
// main parses, wires and prints; what is right is decided by the packages
// trust, fetch and cache. These rules hold for every command:
//
//   - stdout holds results, or with --json exactly one JSON document; talk,
//     progress and errors go to stderr.
//   - Flags may stand before or after arguments and commands. A flag that is
//     not known is an error; none is ever taken for an argument. After "--"
//     nothing is a flag.
//   - The exit code tells the cause; exit.go has the table.
//   - Text from outside loses its control characters before it is printed.
//   - No flag, variable or hint switches a check off.
package main

import (
	"context"
	"os"
	"runtime/debug"
)

// softMemory is from where on the collector works harder, in bytes. What is
// large here are a few flat buffers, of metadata with a million targets say, that
// cost it nothing to look at: waiting for twice as much would only cost memory.
const softMemory = 256 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	ctx, stop := withSignals(context.Background())
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	stop()
	os.Exit(code)
}
