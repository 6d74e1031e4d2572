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

func (m *manager) all(ctx context.Context) ([]expression.Service, error) {
	return m.list(ctx, func(string) bool { return true })
}

// some picks from the whole list: one call brings it.
func (m *manager) some(ctx context.Context, names []string) ([]expression.Service, error) {
	return m.list(ctx, func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	})
}

func (m *manager) list(_ context.Context, wanted func(name string) bool) ([]expression.Service, error) {
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
		name := windows.UTF16PtrToString(s.ServiceName)
		if !wanted(name) {
			continue
		}
		list = append(list, expression.Service{
			Name: clean(name), DisplayName: clean(windows.UTF16PtrToString(s.DisplayName)),
			State: stateOfService(s.ServiceStatusProcess.CurrentState, s.ServiceStatusProcess.Win32ExitCode),
			Start: startOfService(scm, s.ServiceName),
		})
	}
	return list, nil
}

// startOfService says how a service is started; "" for one that may not be asked.
func startOfService(scm windows.Handle, name *uint16) expression.Text {
	service, err := windows.OpenService(scm, name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return ""
	}
	defer windows.CloseServiceHandle(service)
	buf := make([]byte, 8<<10) // the most that the system writes
	var needed uint32
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buf[0]))
	if err := windows.QueryServiceConfig(service, config, uint32(len(buf)), &needed); err != nil {
		return ""
	}
	switch config.StartType {
	case windows.SERVICE_AUTO_START, windows.SERVICE_BOOT_START, windows.SERVICE_SYSTEM_START:
		return "auto"
	case windows.SERVICE_DEMAND_START:
		return "manual"
	case windows.SERVICE_DISABLED:
		return "disabled"
	}
	return ""
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
