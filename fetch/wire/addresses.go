package wire

import (
	"net"
	"net/netip"
)

// Addresses are those of this machine, without loopback and link-local ones. No
// request is made; what can't be found out is left out.
func Addresses() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, a := range found {
		prefix, err := netip.ParsePrefix(a.String())
		if addr := prefix.Addr().Unmap(); err == nil && !isLocal(addr.String()) {
			list = append(list, addr)
		}
	}
	return list
}
