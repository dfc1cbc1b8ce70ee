package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	lineDelay = 50 * time.Millisecond // one way
	lineLoss  = 0.01                  // of the packets that come here
)

// line is a long way to a network of its own: a pair of interfaces, one here and
// one there. Both are gone with the process that lives there and with this one,
// even if killed. The addresses are of the range for benchmarks (RFC 2544).
type line struct {
	near, far   string // interfaces
	here, there string // addresses
}

// needLine finds names and addresses for a line, or skips where this machine does
// not let one be made.
func needLine(b *testing.B) line {
	b.Helper()
	if os.Geteuid() != 0 {
		b.Skip("it takes root to make a network with delay and loss")
	}
	for _, tool := range []string{"ip", "nsenter"} {
		if _, err := findTool(tool); err != nil {
			b.Skipf("it takes %s to make a network with delay and loss: %v", tool, err)
		}
	}
	// Another run of the benchmark may be at work: the number of the process
	// makes both names and addresses its own.
	pid := os.Getpid()
	net := fmt.Sprintf("198.18.%d.", pid>>6&255)
	return line{
		near: fmt.Sprintf("assay%da", pid%1e8), far: fmt.Sprintf("assay%db", pid%1e8),
		here: fmt.Sprint(net, pid&63*4+1), there: fmt.Sprint(net, pid&63*4+2),
	}
}

// join lays the line to the network that a process lives in, and returns by what
// it delays and loses: the kernel's netem, or where that is missing this process.
func (l line) join(b *testing.B, pid int) (how string) {
	b.Helper()
	how = "netem"
	if err := l.layNetem(); err != nil {
		b.Logf("the kernel has no delay and loss to offer (%v): they are emulated by carrying the packets in this process", err)
		how = "emulated"
		if err := l.carry(b); err != nil {
			b.Skipf("a network with delay and loss can't be made here: %v", err)
		}
	}
	steps := []string{
		fmt.Sprintf("ip link set %s netns %d", l.far, pid),
		fmt.Sprintf("ip addr add %s/30 dev %s", l.here, l.near),
		fmt.Sprintf("ip link set %s up", l.near),
	}
	within := []string{
		fmt.Sprintf("ip addr add %s/30 dev %s", l.there, l.far),
		fmt.Sprintf("ip link set %s up", l.far),
		// A machine may be set to take little notice of losses (BBR); most servers of
		// the world are not, and as the slowest of its kind reno is always at hand.
		"echo reno > /proc/sys/net/ipv4/tcp_congestion_control",
	}
	if how == "netem" {
		// A qdisc does not follow its interface into another network.
		within = append(within, fmt.Sprintf("tc qdisc add dev %s root netem delay %s loss %g%% limit 100000", l.far, lineDelay, lineLoss*100))
	}
	for _, step := range within {
		steps = append(steps, fmt.Sprintf("nsenter -t %d -n sh -c '%s'", pid, step))
	}
	for _, step := range steps {
		if err := shell(step); err != nil {
			b.Skipf("a network with delay and loss can't be made here: %v", err)
		}
	}
	return how
}

// layNetem makes the interfaces as a pair, and has the kernel delay what is sent
// from here. Packets are handed over one by one: netem would lose those that
// were sent as one all together.
func (l line) layNetem() error {
	if err := shell(fmt.Sprintf("ip link add %s gso_max_segs 1 type veth peer name %s gso_max_segs 1", l.near, l.far)); err != nil {
		return err
	}
	err := shell(fmt.Sprintf("tc qdisc add dev %s root netem delay %s limit 100000", l.near, lineDelay))
	if err != nil {
		shell("ip link del " + l.near) // the pair; what is left goes with this machine's next start
	}
	return err
}

// shell runs a line of the shell, with the folders of an administrator.
func shell(script string) error {
	c := exec.Command("/bin/sh", "-c", script)
	c.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, strings.TrimSpace(string(output)))
	}
	return nil
}
