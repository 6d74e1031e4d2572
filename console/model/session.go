package model

import "time"

// SessionState is where a session stands.
type SessionState string

const (
	SessionOpening SessionState = "opening"
	SessionWaiting SessionState = "waiting_consent"
	SessionOpen    SessionState = "open"
	SessionRefused SessionState = "refused"
	SessionEnded   SessionState = "ended"
)

// Session is a live connection of a technician to a machine.
type Session struct {
	ID           ID
	Organisation ID
	Machine      ID
	Ticket       ID
	Kind         string // terminal
	State        SessionState
	Refusal      string
	RefusalText  string
	Reason       string
	By           Actor
	Credential   ID // the sign-in or API token that opened it; zero where nobody knows
	Node         ID // that splices it
	Columns      int
	Rows         int
	CreatedAt    time.Time
	OpenedAt     time.Time
	EndedAt      time.Time
	EndedText    string
	EndedBy      Actor // who closed it from the console; without an id
	Told         bool  // the machine was asked to open it
	Closing      bool  // the machine is still to be told that it is over
	Recording    int64 // bytes
	Version      int64
}

// Over tells whether the session has ended.
func (s *Session) Over() bool { return s.State == SessionRefused || s.State == SessionEnded }

// Open records that the machine has dialled in.
func (s *Session) Open(at time.Time) error {
	if s.State != SessionOpening && s.State != SessionWaiting {
		return Problemf(CodeState, "state", "This session is %s; it opens once.", s.State)
	}
	s.State, s.OpenedAt = SessionOpen, at
	return nil
}

// Refuse records that the machine, or its person, said no.
func (s *Session) Refuse(code, text string, at time.Time) error {
	if s.State != SessionOpening && s.State != SessionWaiting {
		return Problemf(CodeState, "state", "This session is %s.", s.State)
	}
	s.State, s.Refusal, s.RefusalText, s.EndedAt = SessionRefused, code, text, at
	return nil
}

// End records that it is over.
func (s *Session) End(text string, at time.Time) error {
	if s.Over() {
		return Problemf(CodeState, "state", "This session has ended already.")
	}
	s.State, s.EndedText, s.EndedAt = SessionEnded, text, at
	return nil
}

// Close ends a session from the console's side: its machine is to be told.
func (s *Session) Close(by Actor, text string, at time.Time) error {
	told := s.Told || s.State == SessionOpen
	if err := s.End(text, at); err != nil {
		return err
	}
	s.EndedBy, s.Closing = by, told
	return nil
}
