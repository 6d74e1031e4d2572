package model

import "time"

// Settings of an organisation.
type Settings struct {
	Beat             time.Duration // between two beats of an agent
	OfflineAfter     time.Duration // a line that stays lost so long makes a machine offline
	UploadEvery      time.Duration // of the open history row
	JoinWindow       time.Duration // later alerts of a family join a ticket for so long
	AutoResolveAfter time.Duration // an untouched ticket resolves so long after its last alert
	StormMachines    int           // so many machines with one check within the window are one ticket
	StormWindow      time.Duration
	Watched          []string // services that must run
	Version          int64
}

// DefaultSettings are those of a new organisation.
func DefaultSettings() Settings {
	return Settings{
		Beat: 30 * time.Second, OfflineAfter: time.Minute, UploadEvery: 15 * time.Minute,
		JoinWindow: 10 * time.Minute, AutoResolveAfter: 0,
		StormMachines: 20, StormWindow: 5 * time.Minute, Version: 1,
	}
}
