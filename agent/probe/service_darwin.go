package probe

import (
	"bufio"
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"

	"github.com/deskside/deskside/protocol/expression"
)

// manager is launchd, as launchctl tells of it.
type manager struct {
	path func(string) string
}

func (m *manager) close() {}

func (m *manager) all(ctx context.Context) ([]expression.Service, error) {
	out, err := exec.CommandContext(ctx, "/bin/launchctl", "list").Output()
	if err != nil {
		return nil, err
	}
	list := []expression.Service{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		// PID or -, status of the last exit, label
		f := strings.Fields(s.Text())
		if len(f) != 3 || f[0] == "PID" {
			continue
		}
		one := expression.Service{Name: clean(f[2]), State: "running"}
		if f[0] == "-" {
			one.State = "stopped"
			if f[1] != "0" {
				one.State = "failed"
			}
		}
		list = append(list, one)
	}
	return list, nil
}

func (m *manager) some(ctx context.Context, names []string) ([]expression.Service, error) {
	all, err := m.all(ctx)
	return slices.DeleteFunc(all, func(s expression.Service) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, string(s.Name)) })
	}), err
}
