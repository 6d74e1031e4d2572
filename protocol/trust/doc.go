// Package trust is what people say to machines, in a form that no courier can change:
// statements, who signed them, and the file that tells whose signature counts.
//
// A statement says one of seven things. A trust file names the people of an
// organisation, their keys, and how many of them must say what. An approval lets scripts
// run, a withdrawal takes approvals back. An order is one technician's act on a few
// machines, a plan is an act on many, a grant opens one door of one machine once. A
// release is a version of the agent.
//
// What is signed is the statement's deterministic CBOR, under a context that names its
// kind, so that no signature over one kind holds for another. Nothing in it may be
// unknown here: a machine that does not understand all of a statement refuses it. The
// digest of these bytes is the statement's; signatures are not part of it.
//
// Signatures are verified one by one and counted in people: two keys of one person are
// one voice, the author of a script is none of its approvers, and a key says only what
// its person may. Three schemes:
//
//	ed25519   a key in a file, or 24 words on paper
//	ssh       OpenSSH's signatures (sshsig) in the namespace deskside/1/<kind>; of a
//	          hardware key only with a touch, and for a root or an approver only after
//	          its PIN too
//	passkey   WebAuthn assertions; what counts for a root or an approver is made on the
//	          signing desk's own page, never on a page of a console
//
// A trust file begins a chain: version n+1 holds when as many people as n asks for, and
// as many as n+1 asks for, signed it. A machine walks each version in order and never
// goes back. The first one is the root; its digest stands in enrolment tokens and is read
// aloud as seven words.
//
// The package does no input and output and knows no machine; who holds a [Trust] keeps
// it, and asks [Trust.Heard] what a statement is worth now.
package trust
