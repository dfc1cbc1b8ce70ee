//go:build race

package trust_test

// raceDetector: everything takes some ten times as long.
const raceDetector = true
