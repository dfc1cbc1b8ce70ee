package serve_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkSlowClients tells what 1,000 clients that take 16 KiB a second cost: the
// server's peak of memory, and a fast client's throughput with them as a part of what it
// is without. Both are measured by turns, as the machine is not the same from one second
// to the next, and the median of the turns counts.
func BenchmarkSlowClients(b *testing.B) {
	const many, size, requests, turns = 1000, 16 << 20, 50, 7
	var files rlimit
	if files.ensure(2 * many); files.soft < 2*many {
		b.Skipf("it takes %d open files, and %d may be", 2*many, files.soft)
	}
	dir := b.TempDir()
	name := "/r/acme/targets/" + fillFile(b, dir, size)
	server := startOurs(b, dir)
	fast := func() time.Duration {
		began := time.Now()
		server.load(b, name, size, requests, 1)
		return time.Since(began)
	}
	var kept []float64
	for b.Loop() {
		fast() // what the first ones alone have to do
		for range turns {
			alone := fast()
			end := server.drip(b, name, many)
			time.Sleep(time.Second) // until each has filled what the kernel holds for it
			kept = append(kept, alone.Seconds()/fast().Seconds())
			end()
		}
	}
	slices.Sort(kept)
	b.ReportMetric(kept[len(kept)/2], "of-alone")
	b.ReportMetric(kept[0], "of-alone-least")
	b.ReportMetric(float64(server.peak(b))/(1<<20), "MiB-peak")
	b.ReportMetric(0, "ns/op")
}

// drip has many clients ask for a file and take 16 KiB of it each second, until end: 64
// KiB every four, as what this process does takes from what the machine has for both.
func (p *process) drip(b *testing.B, name string, many int) (end func()) {
	b.Helper()
	slow := make([]*net.TCPConn, many)
	for i := range slow {
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			b.Fatal(err)
		}
		slow[i] = c.(*net.TCPConn)
		slow[i].SetReadBuffer(64 << 10)
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", name)
	}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		buffer, pace := make([]byte, 64<<10), time.NewTicker(4*time.Second/time.Duration(many))
		defer pace.Stop()
		for i := 0; ; i = (i + 1) % many {
			select {
			case <-stop:
				return
			case <-pace.C:
				slow[i].SetReadDeadline(time.Now().Add(time.Millisecond))
				slow[i].Read(buffer)
			}
		}
	})
	return func() {
		close(stop)
		reading.Wait()
		for _, c := range slow {
			c.SetLinger(0)
			c.Close()
		}
	}
}

// peak is the most memory that the process ever had, in bytes.
func (p *process) peak(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kibibytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kibibytes << 10
}
