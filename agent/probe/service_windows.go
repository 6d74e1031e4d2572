package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/deskside/deskside/protocol/expression"
)

// manager is the service control manager, asked with no more rights than to
// list: the package mgr of x/sys wants to be an administrator.
type manager struct {
	path func(string) string
}

func (m *manager) close() {}

func (m *manager) all(context.Context) ([]expression.Service, error) {
	scm, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return nil, fmt.Errorf("the service manager does not answer: %w", err)
	}
	defer windows.CloseServiceHandle(scm)
	var needed, count uint32
	buf := make([]byte, 64<<10)
	for {
		var resume uint32
		err = windows.EnumServicesStatusEx(scm, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_STATE_ALL,
			&buf[0], uint32(len(buf)), &needed, &count, &resume, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, windows.ERROR_MORE_DATA) || len(buf) > 4<<20 {
			return nil, fmt.Errorf("the service manager does not answer: %w", err)
		}
		buf = make([]byte, len(buf)+int(needed))
	}
	list := []expression.Service{}
	if count == 0 {
		return list, nil
	}
	for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buf[0])), count) {
		list = append(list, expression.Service{
			Name: clean(windows.UTF16PtrToString(s.ServiceName)), DisplayName: clean(windows.UTF16PtrToString(s.DisplayName)),
			State: stateOfService(s.ServiceStatusProcess.CurrentState, s.ServiceStatusProcess.Win32ExitCode),
		})
	}
	return list, nil
}

// some picks from the whole list: one call brings it.
func (m *manager) some(ctx context.Context, names []string) ([]expression.Service, error) {
	all, err := m.all(ctx)
	return slices.DeleteFunc(all, func(s expression.Service) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, string(s.Name)) })
	}), err
}

func stateOfService(state, exit uint32) expression.Text {
	switch state {
	case windows.SERVICE_RUNNING:
		return "running"
	case windows.SERVICE_START_PENDING, windows.SERVICE_CONTINUE_PENDING:
		return "starting"
	case windows.SERVICE_STOP_PENDING, windows.SERVICE_PAUSE_PENDING:
		return "stopping"
	case windows.SERVICE_PAUSED:
		return "paused"
	case windows.SERVICE_STOPPED:
		const never = 1077 // ERROR_SERVICE_NEVER_STARTED
		if exit != 0 && exit != never {
			return "failed"
		}
		return "stopped"
	}
	return ""
}
