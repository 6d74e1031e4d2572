// Package trust has the statements that people sign and machines obey.
//
// A statement is {kind, organisation, id, not before, expires, trust version,
// body}, encoded as deterministic CBOR. A [Signed] statement carries those very
// bytes and any number of proofs; each proof is a COSE_Sign1 over the detached
// bytes with the external data "deskside/1/<kind>", so a grant can never pass
// for an approval. Algorithm and key id stand in the protected header; there is
// no unprotected one, and a critical header is refused.
//
// Statements are not forward-compatible, on purpose: a field that the reader
// does not know is a refusal, because what is signed must be understood whole.
//
// Proofs are verified one by one, in any order, and counted in people: two keys
// of one person are one yes. [Signed.Count] does this and nothing else; which
// people count, and how many it takes, is for the caller to know.
//
// The kinds:
//
//	trust       the people of an organisation, their keys, thresholds, console identities
//	approval    approvers allow a script, by hash
//	withdrawal  approvers take an approval back
//	order       a technician has one script run on up to ten machines
//	plan        approvers have one script run on many machines, in waves
//	grant       a technician opens one door on one machine
//	release     the project signs a version of the agent
//
// This package does no input or output.
package trust
