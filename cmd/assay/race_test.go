//go:build race

package main

// raced says that this build carries the race detector, whose own memory is not
// the program's.
const raced = true
