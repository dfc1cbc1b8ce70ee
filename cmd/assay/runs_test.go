package main

import (
	"strings"
	"testing"

	"assay/artifact"
)

func TestRunsOn(t *testing.T) {
	for wanted, want := range map[string]bool{
		"linux/amd64 linux/amd64": true, "linux/amd64 linux/386": true, "linux/386 linux/amd64": false,
		"linux/amd64 linux/arm64": false, "linux/amd64 darwin/amd64": false, "linux/amd64 windows/amd64": false,
		"darwin/arm64 darwin/amd64": true, "darwin/amd64 darwin/arm64": false, "windows/arm64 windows/amd64": true,
		"linux/arm linux/arm/v7": true, "linux/arm/v6 linux/arm/v7": true, "linux/arm64 linux/arm/v7": true, "linux/amd64 linux/amd64/musl": true,
		"linux/amd64 any": true, "linux/amd64 linux/any": true, "linux/amd64 darwin/any": false, "linux/amd64 any/arm64": false,
	} {
		here, there, _ := strings.Cut(wanted, " ")
		machine, errA := artifact.ParsePlatform(here)
		platform, errB := artifact.ParsePlatform(there)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got := runsOn(machine, platform); got != want {
			t.Errorf("%s: expected %t, found %t", wanted, want, got)
		}
	}
}
