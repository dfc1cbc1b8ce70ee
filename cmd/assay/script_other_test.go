//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

// systemCommands are none here: no signals to send, no flock.
func systemCommands() map[string]func(*testscript.TestScript, bool, []string) { return nil }
