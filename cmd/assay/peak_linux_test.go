package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
)

// A process that was started from here inherits, in what the system tells of it
// once it has ended, the peak of this one: it was this one's twin before it
// became another program. So its own peak is looked at while it runs, and what
// is told at the end counts only where it is more than this process ever had.

// peakEvery is how often a process is looked at: what it takes in its last
// moments, and only then, is missed.
const peakEvery = 2 * time.Millisecond

// watchPeak looks at a process until the function it returns is called, which
// gives the most resident memory that was seen, in bytes.
func watchPeak(pid int) (peak func() int64) {
	stop, seen := make(chan struct{}), make(chan int64)
	go func() {
		ticks := time.NewTicker(peakEvery)
		defer ticks.Stop()
		process, most := fmt.Sprint(pid), int64(0)
		for {
			most = max(most, peakOf(process))
			select {
			case <-stop:
				seen <- most
				return
			case <-ticks.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-seen
	}
}

// peakOf is the most resident memory that a process ever had, in bytes, or 0
// where the system does not tell.
func peakOf(process string) int64 {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
