//go:build !linux

package session

import "github.com/charmbracelet/x/xpty"

// interrupts: here a Ctrl-C waits until the program has read what stands before it.
func interrupts(xpty.Pty) bool { return false }
