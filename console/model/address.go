package model

import (
	"net"
	"net/netip"
)

// Neighbourhood is what counts as one caller: an address, with or without a port,
// or for IPv6 the network of 64 bits, of which one computer may use all addresses.
func Neighbourhood(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
