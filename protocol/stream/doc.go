// Package stream is what travels on a session's own socket, between the agent
// and the browser, with the console in the middle: it reads kind and offset of
// a frame and hands the payload on unread.
//
// One WebSocket binary message is one [Frame]:
//
//	1 byte    kind
//	8 bytes   offset, big-endian
//	n bytes   payload, at most MaxPayload
//
//	kind      from     offset                        payload
//	1 output  agent    of its first byte in all      bytes of the terminal
//	                   output of the session
//	2 input   browser  the same, of all input        bytes typed
//	3 resize  browser  0                             columns, rows: 2 x 2 bytes, big-endian
//	4 ack     both     bytes of the other side's     empty
//	                   data consumed so far
//	5 exit    agent    all output there was          exit code: 4 bytes, big-endian
//	6 notice  both     0                             UTF-8 text for the person
//
// Kinds that a reader does not know are skipped. A sender has at most [Window]
// bytes on their way that are not acknowledged, so that a slow browser slows
// the program in the terminal and nothing in between grows.
//
// [Sender] and [Receiver] keep the offsets of one direction, at either end.
// Neither is safe for concurrent use.
package stream
