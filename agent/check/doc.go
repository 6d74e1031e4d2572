// Package check judges, on the machine, what package health answers at the
// console.
//
// [Judge] is the whole of the judgement: a pure function of what was known of
// one instance of a check, what its reading says now, and the time. A [Set]
// holds the checks that this machine judges: it evaluates those that are due
// over what the probes read, lets Judge decide, and returns what changed as
// transitions. [Set.Save] and [Set.Restore] carry what is known over a restart
// of the agent, so that an alert is the same alert afterwards.
//
// [Causes] judges the catalogue's own checks a second time, untouched by what the
// console tuned: only what fires there may be repaired on the console's word.
//
// Unknown is a value of its own all the way: a reading that could not be had
// begins nothing and resolves nothing.
package check
