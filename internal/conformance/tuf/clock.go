package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// clockWait is how long the time may take to tell.
const clockWait = 10 * time.Second

var errNoTime = errors.New("the time can't be told")

// askClock asks the program date for the time, in whole seconds; see the package
// documentation for the reason.
func askClock(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, clockWait)
	defer cancel()
	out, err := exec.CommandContext(ctx, "date", "+%s").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: date +%%s: %w", errNoTime, err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("%w: date +%%s: expected seconds since 1970, found %.40q", errNoTime, out)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
