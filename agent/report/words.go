package report

import (
	"fmt"
	"strings"

	"github.com/deskside/deskside/protocol/catalogue"
)

// words returns the text with that name in a language. The names are those of
// the table below; a missing one shows as its name, and a test finds it.
func words(name, lang string) string {
	for _, w := range table() {
		if w.name == name {
			if lang == "pl" {
				return w.pl
			}
			return w.en
		}
	}
	return name
}

type line struct{ name, en, pl string }

func table() []line {
	return []line{
		{"ok", "Nothing to report. This computer is fine.", "Bez uwag. Z tym komputerem wszystko w porządku."},
		{"ok but", "Nothing to report in what could be read.", "Bez uwag w tym, co udało się odczytać."},
		{"found", "{n, plural, one {One thing needs a look.} other {# things need a look.}}",
			"{n, plural, one {Jedna rzecz wymaga uwagi.} few {# rzeczy wymagają uwagi.} many {# rzeczy wymaga uwagi.} other {# rzeczy wymaga uwagi.}}"},
		{"health critical", "critical", "krytyczny"},
		{"health warning", "warning", "ostrzeżenie"},
		{"health unknown", "unknown", "nieznany"},
		{"health ok", "fine", "w porządku"},
		{"now", "Seen just now; an alert opens after {span} of it.", "Stan w tej chwili; alert otwiera się po {span}."},
		{"own", "{check}{has, select, yes { ({instance})} other {}} is {value}; the limit is {limit}.", "{check}{has, select, yes { ({instance})} other {}}: wartość {value}, próg {limit}."},
		{"next", "Next", "Dalej"},

		{"checks", "Checks", "Kontrole"},
		{"vitals", "Vitals", "Bieżące parametry"},
		{"facts", "This computer", "Ten komputer"},
		{"unread", "Not read", "Nie odczytano"},

		{"check filesystem.full", "Disk space", "Miejsce na dyskach"},
		{"check filesystem.inodes", "Room for files", "Miejsce na pliki"},
		{"check memory.pressure", "Memory", "Pamięć"},
		{"check process.cpu", "Busy programs", "Obciążające programy"},
		{"check service.stopped", "Watched services", "Obserwowane usługi"},
		{"none", "none", "brak"},
		{"broken", "cannot be evaluated: {why}", "nie można obliczyć: {why}"},
		{"rows", "{n, plural, one {# looked at} other {# looked at}}", "{n, plural, one {sprawdzono #} few {sprawdzono #} many {sprawdzono #} other {sprawdzono #}}"},
		{"findings", "{n, plural, one {# to look at} other {# to look at}}", "{n, plural, one {# do sprawdzenia} few {# do sprawdzenia} many {# do sprawdzenia} other {# do sprawdzenia}}"},

		{"processor", "Processor", "Procesor"},
		{"load", "load {a} · {b} · {c}", "obciążenie {a} · {b} · {c}"},
		{"memory", "Memory", "Pamięć"},
		{"swap", "Swap", "Wymiana"},
		{"no swap", "none", "brak"},
		{"of", "{a} of {b}", "{a} z {b}"},
		{"free", "{c} free of {b}", "wolne {c} z {b}"},
		{"disk", "Disk {name}", "Dysk {name}"},
		{"net", "Network {name}", "Sieć {name}"},
		{"disk io", "read {a}/s · written {b}/s", "odczyt {a}/s · zapis {b}/s"},
		{"net io", "received {a}/s · sent {b}/s", "odebrane {a}/s · wysłane {b}/s"},
		{"unknown", "unknown", "brak danych"},

		{"system", "System", "System"},
		{"kernel", "kernel {v}", "jądro {v}"},
		{"model", "Computer", "Komputer"},
		{"virtual", "virtual: {v}", "wirtualny: {v}"},
		{"serial", "serial number {v}", "nr seryjny {v}"},
		{"cores", "{n, plural, one {# core} other {# cores}}", "{n, plural, one {# rdzeń} few {# rdzenie} many {# rdzeni} other {# rdzenia}}"},
		{"up", "Up", "Czas pracy"},
		{"since", "since {at}", "od {at}"},
		{"people", "Signed in", "Zalogowane"},
		{"nobody", "nobody", "nikt"},
		{"network", "Network", "Sieć"},
		{"down", "not connected", "bez połączenia"},
		{"services", "Services", "Usługi"},
		{"services n", "{n, plural, one {# service} other {# services}}, {f, plural, =0 {none failed} one {# failed} other {# failed}}",
			"{n, plural, one {# usługa} few {# usługi} many {# usług} other {# usługi}}, {f, plural, =0 {bez awarii} one {# uległa awarii} few {# uległy awarii} many {# uległo awarii} other {# uległo awarii}}"},
		{"processes", "Programs", "Programy"},
		{"processes n", "{n, plural, one {# process} other {# processes}}", "{n, plural, one {# proces} few {# procesy} many {# procesów} other {# procesu}}"},
		{"busiest", "busiest", "najbardziej zajęte"},
		{"largest", "largest", "największe"},

		// Sections and fields that may be missing.
		{"what os", "system", "system"},
		{"what hardware", "hardware", "sprzęt"},
		{"what hardware.vendor", "maker", "producent"},
		{"what hardware.serial", "serial number", "numer seryjny"},
		{"what filesystems", "drives", "dyski"},
		{"what network", "network", "sieć"},
		{"what people", "people", "osoby"},
		{"what services", "services", "usługi"},
		{"what processes", "processes", "procesy"},
		{"what processes.cpu", "processor time", "czas procesora"},
		{"what cpu.used", "processor", "procesor"},
		{"what cpu.load_1m", "load", "obciążenie"},
		{"what memory", "memory", "pamięć"},
		{"what swap", "swap", "wymiana"},
		{"what disks", "disk traffic", "ruch na dyskach"},
		{"what network_io", "network traffic", "ruch w sieci"},
		{"what uptime_seconds", "time since the start", "czas pracy"},

		// What the probes say of why. Anything else is the system's own word.
		{"no service manager runs here that Deskside knows (systemd)", "", "nie działa tu menedżer usług, który Deskside zna (systemd)"},
		{"nothing here notes who signs in (neither logind nor utmp)", "", "nic tu nie zapisuje, kto się loguje (ani logind, ani utmp)"},
		{"the firmware does not say who made this computer", "", "oprogramowanie układowe nie podaje producenta"},
		{"the registry does not say who made this computer", "", "rejestr nie podaje producenta"},
		{"only root may read it", "", "może to odczytać tylko root"},
		{"only the processes of this account can be seen", "", "widać tylko procesy tego konta"},
		{"this account may not see the times of all processes", "", "to konto nie widzi czasu wszystkich procesów"},
		{"the policy of this machine does not let them out", "", "zasady lokalne tego nie ujawniają"},
		{"the policy of this machine does not let people out", "", "zasady lokalne tego nie ujawniają"},
		{"the system does not say when it was started", "", "system nie podaje, kiedy został uruchomiony"},
		{"the system does not say how many there are", "", "system nie podaje ich liczby"},
		{"the system answered with nothing", "", "system nic nie odpowiedział"},
		{"the share does not answer", "", "udział sieciowy nie odpowiada"},
		{"has not answered since an earlier round", "", "nie odpowiada od poprzedniego odczytu"},
		{"not implemented yet", "", "niedostępne w tym systemie"},
	}
}

// say renders a text of the table.
func say(lang, name string, args map[string]catalogue.Argument) string {
	return catalogue.Render(lang, words(name, lang), args)
}

// with makes arguments of pairs of a name and a text.
func with(pairs ...string) map[string]catalogue.Argument {
	out := map[string]catalogue.Argument{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = catalogue.Argument{Text: pairs[i+1]}
	}
	return out
}

// count makes the argument n of a number.
func count(lang string, n int) map[string]catalogue.Argument {
	return map[string]catalogue.Argument{"n": {Text: catalogue.FormatNumber(lang, "count", float64(n)), Number: float64(n)}}
}

// reason says why something could not be read, in the reader's language where
// the words are ours.
func reason(lang, why string) string {
	if lang != "pl" {
		return why
	}
	for _, w := range table() {
		if w.en == "" && w.name == why {
			return w.pl
		}
	}
	for _, start := range [][2]string{
		{"did not answer within ", "brak odpowiedzi w ciągu "},
		{"the page files cannot be asked for: ", "nie można zapytać o pliki stronicowania: "},
		{"the service manager does not answer: ", "menedżer usług nie odpowiada: "},
		{"the terminal services do not answer: ", "usługi terminalowe nie odpowiadają: "},
	} {
		if rest, ok := strings.CutPrefix(why, start[0]); ok {
			return start[1] + rest
		}
	}
	var all, listed int
	if n, _ := fmt.Sscanf(why, "there are %d; the first %d are listed", &all, &listed); n == 2 {
		return fmt.Sprintf("jest ich %d, na liście pierwsze %d", all, listed)
	}
	return why
}

// what names a section or field that could not be read.
func what(lang, name string) string {
	if s := words("what "+name, lang); s != "what "+name {
		return s
	}
	if mount, ok := strings.CutPrefix(name, "filesystems."); ok {
		return mount
	}
	return name
}
