package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// carry makes the two interfaces of a line as tunnels whose packets this process
// carries from one to the other, late, and some never. The kernel's own TCP is at
// both ends: what is emulated is the way, not how a connection fares on it.
func (l line) carry(b *testing.B) error {
	near, err := openTunnel(l.near)
	if err != nil {
		return err
	}
	b.Cleanup(func() { near.Close() }) // ends the carrying, and the interface
	far, err := openTunnel(l.far)
	if err != nil {
		return err
	}
	b.Cleanup(func() { far.Close() })
	go carryPackets(near, far, 0)
	go carryPackets(far, near, lineLoss)
	return nil
}

// packet is on its way.
type packet struct {
	due  time.Time
	data []byte
}

// carryPackets takes packets from one tunnel, loses some, and puts the others
// into another tunnel after lineDelay. It ends when the first is closed.
func carryPackets(from, to *os.File, loss float64) {
	way := make(chan packet, 100_000) // at 1500 bytes, 150 MB under way: never full
	defer close(way)
	go func() {
		for p := range way {
			time.Sleep(time.Until(p.due))
			to.Write(p.data) // what does not arrive is sent again, as on any way
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if rand.Float64() < loss {
			continue
		}
		way <- packet{due: time.Now().Add(lineDelay), data: append([]byte(nil), buffer[:n]...)}
	}
}

// openTunnel makes an interface whose packets are read and written by a file. It
// is gone when the file is closed.
func openTunnel(name string) (*os.File, error) {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	request := struct { // struct ifreq of the kernel
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_TUN | syscall.IFF_NO_PI}
	copy(request.name[:syscall.IFNAMSIZ-1], name)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		syscall.Close(fd)
		return nil, fmt.Errorf("make the interface %s: %w", name, errno)
	}
	return os.NewFile(uintptr(fd), name), nil
}
