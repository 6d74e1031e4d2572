// Package expression holds what is known of a machine, and the one small
// language in which it is asked about.
package expression
