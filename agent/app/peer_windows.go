package app

import (
	"errors"
	"net"
)

// peerOf cannot be had of a local socket on Windows: nobody gets a link in
// somebody else's name, nor a journal that is not theirs, so nobody gets one.
func peerOf(net.Conn) (peer, error) {
	return peer{}, errors.New("on Windows it cannot be seen yet who asks: the help page is opened from the notification area, " +
		"which is not there yet, and the journal and the policy are shown while the service is stopped")
}
