package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// The local socket is a named pipe here. Whoever comes first has the name of a
// pipe, so each end makes sure of the other: the agent takes the name only where
// nobody has it and asks Windows who is at the other end, and who asks looks to
// whom the pipe belongs before anything is believed.

// mayAsk are the rights of people who are signed in: to read, to write and to see
// whose the pipe is. GENERIC_WRITE is more than that: by FILE_APPEND_DATA, which
// is FILE_CREATE_PIPE_INSTANCE of a pipe, they could answer in the agent's place.
const mayAsk = (windows.FILE_GENERIC_READ | windows.FILE_GENERIC_WRITE) &^ windows.FILE_APPEND_DATA

// localBuffer holds a question, and the word that there is no place: without it
// each end would wait until the other reads, and the agent for whoever never does.
const localBuffer = 4096

// localPath is the name of the pipe of a state. The names of pipes are no files:
// they are known to everybody, and they hold no backslash.
func localPath(state string) string {
	if whole, err := filepath.Abs(state); err == nil {
		state = whole
	}
	sum := sha256.Sum256([]byte(strings.ToLower(filepath.Clean(state))))
	return fmt.Sprintf(`\\.\pipe\deskside-%x`, sum[:8])
}

// listenLocal takes the name, which must be free (the library creates the first
// pipe with FILE_CREATE, as FILE_FLAG_FIRST_PIPE_INSTANCE does), and lets no other
// computer in. SYSTEM, administrators and the agent's own account may do all, who
// is signed in may ask. An agent of an administrator gives the pipe to all of them,
// so that others who are signed in can believe it too.
func listenLocal(path string) (net.Listener, error) {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("ask who runs this: %w", err)
	}
	owner := me.User.Sid.String()
	administrator, err := administers(0)
	if err != nil {
		return nil, fmt.Errorf("ask whether an administrator runs this: %w", err)
	}
	if administrator {
		owner = "BA"
	}
	return winio.ListenPipe(path, &winio.PipeConfig{
		SecurityDescriptor: fmt.Sprintf("O:%sD:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%s)(A;;%#x;;;IU)", owner, me.User.Sid, mayAsk),
		InputBufferSize:    localBuffer,
		OutputBufferSize:   localBuffer,
	})
}

// errForeign means that something else listens where the agent should.
var errForeign = errors.New("another program has taken the place of the Deskside service on this computer; please tell your help desk")

// dialLocal asks as somebody whom the agent may look at and not act for.
func dialLocal(ctx context.Context, path string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, localWait)
	defer cancel()
	c, err := winio.DialPipeAccessImpLevel(ctx, path, mayAsk, winio.PipeImpLevelIdentification)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", errNobody, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the Deskside service answers only who is signed in at this computer: %w", err)
	case err != nil:
		return nil, fmt.Errorf("ask the Deskside service: %w", err)
	}
	if err := ofService(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// ofService refuses a pipe that does not belong to SYSTEM, to administrators or to
// whoever asks: any program could hand people a link to a page of its own. The
// owner is who made the pipe; Windows lets nobody name another but those who may
// act as everybody.
func ofService(c net.Conn) error {
	h, err := handleOf(c)
	if err != nil {
		return err
	}
	descriptor, err := windows.GetSecurityInfo(h, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("ask whose the pipe of the Deskside service is: %w", err)
	}
	owner, _, err := descriptor.Owner()
	if err != nil || owner == nil {
		return fmt.Errorf("%w: its owner cannot be read", errForeign)
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("ask who runs this: %w", err)
	}
	if owner.IsWellKnown(windows.WinLocalSystemSid) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) || owner.Equals(me.User.Sid) {
		return nil
	}
	return fmt.Errorf("%w: it belongs to %s", errForeign, owner)
}

func handleOf(c net.Conn) (windows.Handle, error) {
	p, ok := c.(interface{ Fd() uintptr })
	if !ok {
		return 0, errors.New("not a named pipe")
	}
	return windows.Handle(p.Fd()), nil
}

// peerOf is the account at the other end of a pipe. It is read from the token that
// Windows keeps with the pipe itself since it was opened; the number of the process
// at the other end would be that of another program once that process has ended.
// Who opens the pipe so that it cannot be seen is refused.
func peerOf(c net.Conn) (peer, error) {
	h, err := handleOf(c)
	if err != nil {
		return peer{}, err
	}
	token, err := clientToken(h)
	if err != nil {
		return peer{}, fmt.Errorf("ask who is there: %w", err)
	}
	defer token.Close()
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return peer{}, fmt.Errorf("ask who runs this: %w", err)
	}
	return peerWith(token, me.User.Sid)
}

// peerWith is the account of a token that can be looked at. An administrator whose
// programs do not run as one now is not trusted.
func peerWith(token windows.Token, me *windows.SID) (peer, error) {
	who, err := token.GetTokenUser()
	if err != nil {
		return peer{}, fmt.Errorf("ask who is there: %w", err)
	}
	administrator, err := administers(token)
	if err != nil {
		return peer{}, fmt.Errorf("ask whether an administrator is there: %w", err)
	}
	sid := who.User.Sid
	return peer{sid.String(), administrator || sid.IsWellKnown(windows.WinLocalSystemSid) || sid.Equals(me)}, nil
}

// administers tells whether a token that can be looked at, or for 0 this program's
// own, has the rights of administrators now.
func administers(token windows.Token) (bool, error) {
	administrators, err := windows.CreateWellKnownSid(windows.WinBuiltinAdministratorsSid)
	if err != nil {
		return false, err
	}
	return token.IsMember(administrators)
}

var impersonateNamedPipeClient = windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")

// clientToken is the token of who opened the other end of a pipe. A thread takes
// that account on for a moment; if it cannot give it back it ends with its
// goroutine, and nothing else of the agent ever runs on it.
func clientToken(pipe windows.Handle) (windows.Token, error) {
	type answer struct {
		token windows.Token
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		runtime.LockOSThread()
		var a answer
		if ok, _, err := impersonateNamedPipeClient.Call(uintptr(pipe)); ok == 0 {
			runtime.UnlockOSThread()
			answers <- answer{err: err}
			return
		}
		// As the agent itself: who is there may have no right to its own token.
		a.err = windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &a.token)
		if err := windows.RevertToSelf(); err == nil {
			runtime.UnlockOSThread()
		}
		answers <- a
	}()
	a := <-answers
	return a.token, a.err
}
