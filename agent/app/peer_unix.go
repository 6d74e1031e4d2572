//go:build unix

package app

import "os/user"

// accountName is the name of a person, or of their account, or the number itself.
func accountName(uid string) string {
	who, err := user.LookupId(uid)
	if err != nil {
		return "uid " + uid
	}
	if who.Name != "" {
		return who.Name
	}
	return who.Username
}
