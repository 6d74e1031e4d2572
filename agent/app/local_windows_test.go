package app

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// What these tests show of Windows' own rules is what Wine 8 has of them: it keeps
// the owner and the rights of a pipe but holds nobody to them, where an agent asks
// who is there it shows the agent itself, and it lets two programs create the first
// pipe of one name, unless the first says that there is to be one only.

// foreign are the rights of a pipe that somebody else made. Windows lets nobody
// give a pipe away; Wine does.
const foreign = "O:WDG:WDD:P(A;;GA;;;WD)"

// take holds a pipe's name until the function that it returns is called.
func take(t *testing.T, path string) (free func()) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	rights, err := windows.SecurityDescriptorFromString(foreign)
	if err != nil {
		t.Fatal(err)
	}
	sa := windows.SecurityAttributes{SecurityDescriptor: rights}
	sa.Length = uint32(unsafe.Sizeof(sa))
	h, err := windows.CreateNamedPipe(name, windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_FIRST_PIPE_INSTANCE, windows.PIPE_TYPE_BYTE, 1, 512, 512, 0, &sa)
	if err != nil {
		t.Fatal(err)
	}
	return func() { windows.CloseHandle(h) }
}

func listening(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := listenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	fillFirst(t, path)
	return l
}

// fillFirst takes the place of the first asker until the test ends. Wine 8 lets
// that one in where the library only holds the name of the pipe, and where nobody
// ever listens; Windows lets in nobody before somebody listens.
func fillFirst(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if c, err := winio.DialPipeAccess(ctx, path, mayAsk); err == nil {
		t.Cleanup(func() { c.Close() })
	}
}

// TestForeignPipe: what a pipe says that does not belong to the service is not
// believed.
func TestForeignPipe(t *testing.T) {
	dir := t.TempDir()
	l, err := winio.ListenPipe(localPath(dir), &winio.PipeConfig{SecurityDescriptor: foreign})
	if err != nil {
		t.Fatal(err)
	}
	fillFirst(t, localPath(dir))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		acceptLocal(ctx, l, func(context.Context, peer, string) localAnswer {
			return localAnswer{URL: "https://elsewhere.example.org", Text: "a lie"}
		})
	})
	if got, err := AskForHelp(t.Context(), dir); got != "" || !errors.Is(err, errForeign) || !errors.Is(err, ErrUnreachable) {
		t.Errorf("a foreign pipe gives a link: %q, %v", got, err)
	}
	if text, err := journalOf(t.Context(), dir); text != "" || !errors.Is(err, errForeign) {
		t.Errorf("a foreign pipe gives a journal: %q, %v", text, err)
	}
	stop()
	running.Wait()
	if _, err := askLocal(t.Context(), dir, askHelp, localWait); !errors.Is(err, errNobody) {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestRightsOfPipe: whoever is signed in may ask, and may not answer in the agent's
// place by making a second pipe of its name.
func TestRightsOfPipe(t *testing.T) {
	path := localPath(t.TempDir())
	l := listening(t, path)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		acceptLocal(ctx, l, func(context.Context, peer, string) localAnswer { return localAnswer{} })
	})
	defer running.Wait()
	defer stop()
	c, err := dialLocal(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h, err := handleOf(c)
	if err != nil {
		t.Fatal(err)
	}
	d, err := windows.GetSecurityInfo(h, windows.SE_KERNEL_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	if text := d.String(); !strings.Contains(text, "(A;;0x12019b;;;IU)") || !strings.HasPrefix(text, "D:P(A;;") || strings.Contains(text, "WD") {
		t.Errorf("the rights of the pipe are %s", text)
	}
}

// TestPipeNames: a state has one name, however it is written, and no two have the
// same.
func TestPipeNames(t *testing.T) {
	name := localPath(`C:\ProgramData\Deskside\state`)
	for _, same := range []string{`c:\programdata\deskside\STATE\`, `C:\ProgramData\.\Deskside\x\..\state`} {
		if got := localPath(same); got != name {
			t.Errorf("%s has the name %s, not %s", same, got, name)
		}
	}
	if other := localPath(`C:\ProgramData\Deskside\other`); other == name || !strings.HasPrefix(name, `\\.\pipe\deskside-`) {
		t.Errorf("names %s and %s", name, other)
	}
}

// TestStrangerOfAToken: an account that is neither the agent's, nor SYSTEM, nor an
// administrator's is not trusted.
func TestStrangerOfAToken(t *testing.T) {
	everybody, err := windows.CreateWellKnownSid(windows.WinWorldSid)
	if err != nil {
		t.Fatal(err)
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	var token windows.Token
	if err := windows.DuplicateTokenEx(windows.GetCurrentProcessToken(), windows.TOKEN_QUERY, nil, windows.SecurityIdentification, windows.TokenImpersonation, &token); err != nil {
		t.Fatal(err)
	}
	defer token.Close()
	mine, err := peerWith(token, me.User.Sid)
	if err != nil || !mine.trusted || mine.account != me.User.Sid.String() {
		t.Errorf("the agent's own account is %+v, %v", mine, err)
	}
	elevated, err := administers(token)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := peerWith(token, everybody); err != nil || other.trusted != elevated {
		t.Errorf("to an agent of another account this one, administrator: %t, is %+v, %v", elevated, other, err)
	}
}
