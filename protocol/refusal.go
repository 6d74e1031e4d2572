package protocol

// Codes with which a connection or an act is refused. They are final: programs
// on both sides depend on them. The sentence that goes with a code is written
// where the refusal happens; the console's pages have one of their own for each
// code of the gate, in the reader's language.
const (
	// At the door of the console.
	CodeBadHello     = "bad_hello"
	CodeVersion      = "version"
	CodeUnknownKey   = "unknown_key"
	CodeBadProof     = "bad_proof"
	CodeWrongOrg     = "wrong_organisation"
	CodeTokenWrong   = "token_wrong"
	CodeTokenSpent   = "token_spent"
	CodeTokenExpired = "token_expired"
	CodeNewerLine    = "newer_connection"
	CodeNewEpoch     = "new_epoch"
	CodeBusy         = "busy"
	CodeMalformed    = "malformed"
	CodeRevoked      = "revoked"

	// At the gate of the agent.
	CodeStamp        = "stamp_invalid"
	CodeWrongMachine = "wrong_machine"
	CodeExpired      = "expired"
	CodeTooEarly     = "too_early"
	CodeSeen         = "already_seen"
	CodeClock        = "clock_in_doubt"
	CodePolicy       = "policy"
	CodePolicyBroken = "policy_broken"
	CodeProof        = "proof_missing"
	CodeProofInvalid = "proof_invalid"
	CodeConsent      = "consent_missing"
	CodeLimit        = "limit_reached"
	CodeUnknown      = "unknown_kind"
	CodeNoScript     = "unknown_script"
	CodeScript       = "script_differs"
	CodeNotApproved  = "not_approved"
	CodeRisk         = "risk"
	CodeNoCause      = "no_check_firing"
	CodeParameters   = "parameters_invalid"
	CodeProtected    = "protected"
	CodePlatform     = "platform"
	CodeExpression   = "expression"
	CodeUnsupported  = "unsupported"
)
