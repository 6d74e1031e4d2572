// Package protocol is the conversation between an agent and its console.
//
// # The line
//
// The agent dials the console over TLS 1.3 and asks for a WebSocket. Every
// binary frame is one message: a CBOR array of two elements, the kind (an
// unsigned integer) and the body (a map with integer keys). Sizes are checked
// before anything is allocated; indefinite lengths, doubled keys and nesting
// beyond [MaxNesting] are refused. A kind or a field that the reader does not
// know is skipped, so either end may be newer; a signed statement is the
// opposite, see package trust.
//
// # Saying who one is
//
// The certificate of the line proves nothing here: both ends prove themselves
// inside it, bound to it. The agent begins with [Hello] and a nonce. The
// console answers with [Identify]: its own nonce, its identity key, the
// certificate of its stamp key, and a signature over the [Transcript], which
// holds both nonces, both versions and capabilities, the machine, and the
// exporter of this very TLS connection (RFC 9266). The agent accepts only an
// identity key that its organisation's trust file names, or that it learned at
// enrolment where there is no such file, then signs the same transcript in
// [Proof]. Hello says which trust file is the machine's newest: a console that
// is not named there shows those since, which may name it, and nothing else. A relay that opens the line has another exporter and fails at both
// ends.
//
// A machine that is not enrolled names no machine in Hello and sends [Enrol]
// instead of Proof: the secret of its token, its new public key and a signature
// by it. The console answers [Enrolled], and both hang up; the machine comes
// back under its own name.
//
// # Being welcome
//
// [Welcome] tells the clock of the console and the marks: for each class of
// durable messages the last number that is committed. An agent whose next
// number is not above its mark was restored from an older image: it starts a
// new epoch and says hello again. Welcome also asks for the facts sections
// whose hash the console does not have. [Refused] says why not, in a code and a
// sentence, and when to come back.
//
// # What must not be lost
//
// The agent keeps durable messages on its disk until they are acknowledged.
// Logs (transition, result, change, journal) count one by one: each class has
// its own numbers, sent in order. States (a section of facts, an open history
// row) count only in their latest revision. Many travel together in a [Batch];
// [Ack] answers with the highest committed number of each class and the
// revisions of states, after the commit and never before it. A second copy is
// acknowledged and has no effect.
//
// # What may be lost
//
// [Beat] shows that the agent is alive and not just its kernel: it is sent by
// the same loop that reads the machine. [Live] carries a reading a second while
// somebody looks. [Answer], [Output], [Opened] and [Ended] belong to something
// the console asked for; whoever asked asks again.
//
// # What people signed
//
// [Trust] brings trust files and withdrawals as they came from whoever signed
// them; they need no stamp, for they speak for themselves (package trust). The
// machine answers with [Trusted], and tells the same in each Proof.
//
// # What acts
//
// Everything that makes a machine do something comes as [Stamped]: the inner
// kind and body, the machine, an id and an end, signed by the console's stamp
// key. The stamp proves the way, not the authority: package trust has the
// statements of people, and the agent's gate decides. Kinds inside a stamp are
// [Work], [Cancel], [Ask], [Watch], [Checks], [OpenSession], [EndSession],
// [CheckNow] and [Settings].
//
// # Further sockets
//
// A session has its own WebSocket, so that a large copy cannot delay a beat.
// It begins with the same hello, naming the session and its single-use token in
// Proof; after Welcome its frames are those of package stream.
package protocol
