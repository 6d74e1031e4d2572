package model

import "time"

// Question is an expression asked of many machines now.
type Question struct {
	ID           ID
	Organisation ID
	Expression   string
	By           Actor
	CreatedAt    time.Time
	EndsAt       time.Time // nobody answers after this
	Asked        int
	Answered     int
	Failed       int
	Offline      []ID
	Version      int64
}

// Done tells whether no further answer will come.
func (q *Question) Done(now time.Time) bool {
	return q.Answered+q.Failed >= q.Asked || !now.Before(q.EndsAt)
}

// Answer is what one machine answered.
type Answer struct {
	From
	Question  ID
	Rows      []byte // JSON: a list of objects
	Error     string
	Truncated bool
	Age       time.Duration
	At        time.Time
}
