package gate

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// TestOnlyTrusted: whoever else could write the policy, or take it away, makes it
// doubtful.
func TestOnlyTrusted(t *testing.T) {
	me, err := windows.StringToSid("S-1-5-21-1-2-3-1001")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)":                             true,
		"O:SYD:(A;;FA;;;BA)(A;;FR;;;BU)":                              true,  // everybody may read
		"O:SYD:(A;;FA;;;BA)(D;;FW;;;BU)":                              true,  // a no is not a yes
		"O:BAD:(A;;FA;;;BA)(A;OICIIO;FA;;;CO)":                        true,  // meant for what is made inside
		"O:S-1-5-21-1-2-3-1001D:(A;;FA;;;S-1-5-21-1-2-3-1001)":        true,  // the agent's own account
		"O:S-1-5-21-1-2-3-1002D:(A;;FA;;;BA)":                         false, // somebody else's
		"O:BAD:(A;;FA;;;BA)(A;;FW;;;BU)":                              false,
		"O:BAD:(A;;FA;;;BA)(A;;0x40;;;BU)":                            false, // may take it away
		"O:BAD:(A;;FA;;;BA)(A;;WD;;;AU)":                              false, // may change the rights
		"O:BAD:(A;;FA;;;BA)(A;CI;0x6;;;BU)":                           false, // the folder of all programs' data
		"O:BA":                                                        false, // no list: everybody
		"O:BAD:(A;;FA;;;BA)(A;;FA;;;S-1-5-21-1-2-3-1002)(A;;FR;;;WD)": false,
	} {
		d, err := windows.SecurityDescriptorFromString(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := onlyTrusted(d, me); (got == nil) != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestOwnedFile: the rights are those of the file itself.
func TestOwnedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nprofile: locked\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	allow := func(text string) {
		t.Helper()
		d, err := windows.SecurityDescriptorFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := d.DACL()
		if err != nil {
			t.Fatal(err)
		}
		if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil); err != nil {
			t.Fatal(err)
		}
	}
	allow("D:P(A;;FA;;;SY)(A;;FA;;;BA)")
	if err := owned(path, nil); err != nil {
		t.Errorf("a file of administrators: %v", err)
	}
	allow("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;WD)")
	if err := owned(path, nil); err == nil {
		t.Error("a file that everybody may write is the administrator's")
	}
	if err := owned(path+".none", nil); err == nil {
		t.Error("a file that is not there is the administrator's")
	}
}
