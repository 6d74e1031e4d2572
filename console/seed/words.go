package main

import (
	"fmt"

	"github.com/deskside/deskside/console/desk"
	"github.com/deskside/deskside/console/model"
)

var (
	first = []string{"Maria", "Piotr", "Ola", "Jan", "Łucja", "Bartłomiej", "Ewa", "Żaneta", "Michał", "Anna"}
	last  = []string{"Nowak", "Zając", "Bąk", "Król", "Wiśniewska-Dąbrowska", "Smith", "Lis", "Gęś", "Śliwa", "Kowalczyk", "Żak"}
	towns = []string{"KRK", "WAW", "GDA", "POZ", "WRO", "LUB"}
	kinds = []string{"LAP", "PC", "WS"}
	away  = []model.OfflineReason{model.OfflineAsleep, model.OfflineShutDown, model.OfflineLinkLost, model.OfflineCrashed}
	works = []model.CanWork{model.WorkNo, model.WorkDifficulty, model.WorkYes, model.WorkUnknown}
	says  = []string{
		"Nie drukuje od rana, a do dwunastej muszę oddać listy płac",
		"The VPN drops every ten minutes when I am at home",
		"OneDrive stoi na 41 plikach i nic się nie dzieje",
		"Please give me access to the invoices folder",
		"Laptop bardzo się grzeje i wentylator nie przestaje szumieć",
		"Outlook keeps asking for my password",
		"Nowa osoba w księgowości zaczyna w poniedziałek i potrzebuje konta, laptopa oraz dostępu do systemu płacowego",
		"My second screen stays black after lunch",
		"Nie mogę zalogować się do systemu kadrowego",
		"Teams does not hear me",
	}
	systems = []model.OS{
		{Family: "linux", Name: "Debian GNU/Linux 13 (trixie)", Version: "13.2", Kernel: "6.12.57", Arch: "amd64"},
		{Family: "windows", Name: "Windows 11 Pro", Version: "24H2", Kernel: "10.0.26100", Arch: "amd64"},
		{Family: "linux", Name: "Ubuntu 24.04.3 LTS", Version: "24.04", Kernel: "6.8.0", Arch: "amd64"},
		{Family: "darwin", Name: "macOS", Version: "15.7", Kernel: "24.6.0", Arch: "arm64"},
	}
)

type hello struct {
	name, agent string
	os          model.OS
}

func computer(i int) hello {
	return hello{name: fmt.Sprintf("%s-%s-%05d", kinds[i%len(kinds)], towns[i/7%len(towns)], i+1), agent: "0.1.0", os: systems[i/3%len(systems)]}
}

// trouble is a check that fires: many kinds, so that not all are one storm.
func trouble(i int) model.Transition {
	t := model.Transition{State: model.AlertFiring, Severity: model.SeverityWarning}
	if i%3 == 0 {
		t.Severity = model.SeverityCritical
	}
	switch i / 20 % 3 {
	case 0:
		t.Check, t.Instance = "filesystem.full", "/home"
		t.Values = map[string]float64{"value": 0.97, "used": 0.97, "free": 3.1e9, "size": 1.1e11}
		t.Texts = map[string]string{"mount": "/home"}
	case 1:
		t.Check, t.Instance = "process.cpu", "backup:4711"
		t.Values = map[string]float64{"value": 0.99, "cpu": 0.99, "pid": 4711}
		t.Texts = map[string]string{"program": "backup", "name": "backup"}
	default:
		t.Check, t.Instance = "service.stopped", "cups"
		t.Texts = map[string]string{"service": "cups", "name": "cups"}
	}
	return t
}

func call(i int) desk.NewTicket {
	return desk.NewTicket{Says: says[i%len(says)], CanWork: works[i/3%len(works)], Language: "pl",
		Requester: model.Actor{Kind: model.ByPerson, ID: model.NewID(), Name: first[i%len(first)] + " " + last[i/len(first)%len(last)]}}
}
