package probe

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/deskside/deskside/protocol/expression"
)

// Classes of WTSQuerySessionInformation, as wtsapi32.h numbers them.
const (
	wtsUserName    = 5
	wtsDomainName  = 7
	wtsSessionInfo = 24
)

// readPeople asks the terminal services who has a session.
func (p *Prober) readPeople(context.Context) (result, error) {
	if !p.options.Collect.People {
		return held("people")
	}
	var first *windows.WTS_SESSION_INFO
	var count uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &first, &count); err != nil {
		return result{}, fmt.Errorf("the terminal services do not answer: %w", err)
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(first)))
	query := windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSQuerySessionInformationW")
	if err := query.Find(); err != nil {
		return result{}, err
	}
	ask := func(session uint32, class uintptr) (unsafe.Pointer, uint32, bool) {
		var data unsafe.Pointer
		var size uint32
		ok, _, _ := query.Call(0, uintptr(session), class, uintptr(unsafe.Pointer(&data)), uintptr(unsafe.Pointer(&size)))
		return data, size, ok != 0 && data != nil
	}
	list := []expression.Person{}
	for _, s := range unsafe.Slice(first, count) {
		data, _, ok := ask(s.SessionID, wtsUserName)
		if !ok {
			continue
		}
		name := windows.UTF16PtrToString((*uint16)(data))
		windows.WTSFreeMemory(uintptr(data))
		if name == "" { // the services' own session, and the sign-in screen
			continue
		}
		if data, _, ok := ask(s.SessionID, wtsDomainName); ok {
			if domain := windows.UTF16PtrToString((*uint16)(data)); domain != "" {
				name = domain + `\` + name
			}
			windows.WTSFreeMemory(uintptr(data))
		}
		one := expression.Person{Name: clean(name), Terminal: clean(windows.UTF16PtrToString(s.WindowStationName))}
		// WTSINFOW ends with five times of 8 bytes; the fourth is the sign-in.
		if data, size, ok := ask(s.SessionID, wtsSessionInfo); ok {
			if size >= 40 {
				at := *(*int64)(unsafe.Add(data, size-16)) // 100 ns since 1601
				if at > 116444736000000000 {
					one.Since = expression.Time((at - 116444736000000000) / 10)
				}
			}
			windows.WTSFreeMemory(uintptr(data))
		}
		list = append(list, one)
	}
	return result{apply: func(m *expression.Machine) { m.People = list }}, nil
}
