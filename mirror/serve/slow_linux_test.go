package serve_test

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkSlowClients tells what 1,000 clients that read nothing cost: the server's
// peak of memory, and a fast client's throughput with them as a part of what it is
// without.
func BenchmarkSlowClients(b *testing.B) {
	const many, size, requests = 1000, 16 << 20, 100
	var files rlimit
	if files.ensure(2 * many); files.soft < 2*many {
		b.Skipf("it takes %d open files, and %d may be", 2*many, files.soft)
	}
	dir := b.TempDir()
	name := "/r/acme/targets/" + fillFile(b, dir, size)
	server := startOurs(b, dir)
	best := [2]time.Duration{}
	measure := func(i int) {
		for range 3 {
			began := time.Now()
			server.load(b, name, size, requests, 1)
			if took := time.Since(began); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	for b.Loop() {
		measure(0)
		var slow []net.Conn
		for range many {
			c, err := net.Dial("tcp", server.address)
			if err != nil {
				b.Fatal(err)
			}
			c.(*net.TCPConn).SetReadBuffer(4 << 10)
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", name)
			slow = append(slow, c)
		}
		measure(1)
		for _, c := range slow {
			c.Close()
		}
	}
	b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "of-alone")
	b.ReportMetric(float64(server.peak(b))/(1<<20), "MiB-peak")
	b.ReportMetric(0, "ns/op")
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
