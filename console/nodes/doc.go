// Package nodes connects the consoles that run on one database. They share no
// memory and elect no leader; what one must know of the others is a row. This
// package only makes that fast, and lends a connection from one to another.
//
// # Hints
//
// A hint says "look now" to every node, the one that gives it included:
//
//	work                     a machine has something to do; who holds its line reads the rows
//	asked                    a question waits for machines; who holds their lines reads the rows
//	watch                    somebody looks at a machine until a time; who holds its line streams
//	check                    a person wants a machine to look at itself; who holds its line asks it
//	changed.<organisation>   things look different; browsers that show them fetch again
//	live.<machine>           what a watched machine streams
//
// What a node says it hears itself, at once and whatever becomes of its connection.
// To the others hints travel over NATS, through the server at Options.URL. They are
// never kept, never answered and may be lost, and a lost hint costs delay only:
// whoever acts on them also looks by itself from time to time. When this node may
// have missed some it is told so ([Handlers].Lost).
//
// A hint is authenticated with the secret that the nodes share and is good for
// two minutes, so that reaching NATS is not enough to start a watch or to put
// words into somebody's page. It is not encrypted: a server beyond this machine
// wants a tls:// URL.
//
// # Forwarding
//
// A browser's or a machine's socket must end where its session lives.
// [Nodes.Forward] passes a request, an upgrade to a WebSocket included, to the
// node that it belongs to, as it came; TCP's flow control stays end to end.
// [Nodes.Accept] stands before everything at the other end. It believes what a
// node says about where the request came from ([Origin]) only under a MAC with
// the shared secret over the request and a time, once.
//
// The lease that says which nodes are alive is a row, see package store.
package nodes
