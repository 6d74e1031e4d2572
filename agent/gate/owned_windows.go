package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/windows"
)

// owned tells whether only SYSTEM, administrators or the account the agent runs
// as can have written the file, or can take it out of its folder.
func owned(path string, _ fs.FileInfo) error {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read who may write it: %w", err)
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("ask who runs this: %w", err)
	}
	return onlyTrusted(descriptor, me.User.Sid)
}

// writes are the rights by which a file is changed or replaced, and a folder's
// contents too.
const writes = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
	windows.GENERIC_WRITE | windows.GENERIC_ALL | fileDeleteChild

const fileDeleteChild = 0x40

// trustedInstaller is the account that owns what Windows itself installs.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

func onlyTrusted(d *windows.SECURITY_DESCRIPTOR, me *windows.SID) error {
	trusted := func(sid *windows.SID) bool {
		return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
			sid.String() == trustedInstaller || me != nil && sid.Equals(me)
	}
	owner, _, err := d.Owner()
	if err != nil || owner == nil {
		return errors.New("its owner cannot be read")
	}
	if !trusted(owner) {
		return fmt.Errorf("it belongs to %s, not to the administrators", owner)
	}
	list, _, err := d.DACL()
	if err != nil || list == nil { // without a list everybody may do everything
		return errors.New("everybody may write it")
	}
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &ace); err != nil {
			return fmt.Errorf("read who may write it: %w", err)
		}
		if ace.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE {
			return fmt.Errorf("its rights hold an entry of the type %d, which is not known here", ace.Header.AceType)
		}
		if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); ace.Mask&writes != 0 && !trusted(sid) {
			return fmt.Errorf("%s may write it; only administrators may", sid)
		}
	}
	return nil
}
