package app

import (
	"errors"
	"net"
)

// peerName cannot be had of a local socket on Windows: nobody gets a link in
// somebody else's name, so nobody gets one here yet.
func peerName(net.Conn) (string, error) {
	return "", errors.New("on Windows the help page is opened from the notification area, which is not there yet")
}
