// Command go-tuf publishes releases for assay with go-tuf's metadata API. It is an
// example, run by a test, and small enough to be copied and changed; docs/publishing.md
// explains it.
//
//	publish init REPO KEYS ROLE…          a new repository, with these roles delegated
//	publish add REPO KEYS FILES [ROLE…]   promise what lies below FILES, all or those roles' part
//	publish online REPO KEYS              snapshot and timestamp: what was added is seen from now on
//	publish rotate REPO KEYS ROLE         other keys for a role, and its metadata signed anew
//
// REPO is what a web server serves: metadata/ and targets/. KEYS holds private keys,
// ROLE.N.pem, and need hold only those of the roles that a step signs.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const day = 24 * time.Hour

// expiry is for how long each role's signature counts. A mirror can hold the past back
// for as long as the timestamp counts, and a role that needs a person outlives a holiday.
var expiry = map[string]time.Duration{
	metadata.ROOT:      365 * day,
	metadata.TARGETS:   365 * day,
	metadata.SNAPSHOT:  7 * day,
	metadata.TIMESTAMP: 1 * day,
}

const expiryOfDelegated = 90 * day

// quorum is how many keys a role has, and how many of them have to sign.
var quorum = map[string]struct{ keys, threshold int }{metadata.ROOT: {3, 2}}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "publish:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: publish init|add|online|rotate REPO KEYS …; expected at least three words")
	}
	r, rest := repository{dir: args[1], keys: args[2], now: time.Now()}, args[3:]
	switch {
	case args[0] == "init" && len(rest) > 0:
		return r.init(rest)
	case args[0] == "add" && len(rest) > 0:
		return r.add(rest[0], rest[1:])
	case args[0] == "online" && len(rest) == 0:
		return r.online()
	case args[0] == "rotate" && len(rest) == 1:
		return r.rotate(rest[0])
	}
	return fmt.Errorf("%s: expected init ROLE…, add FILES [ROLE…], online or rotate ROLE", args[0])
}
