package sign

import (
	"fmt"
	"time"
)

// words are what the desk says, in English and Polish.
var words = map[string][2]string{
	"yes":      {"yes", "tak"},
	"type yes": {"To sign this, type %s:", "Aby to podpisać, wpisz %s:"},

	"founding":      {"You are about to found the trust of an organisation.", "Zakładasz zaufanie organizacji."},
	"daily":         {"First a daily key. It lies in %s, under a passphrase of your choice.", "Najpierw klucz na co dzień. Leży w pliku %s, chroniony hasłem, które wybierzesz."},
	"passphrase":    {"Passphrase:", "Hasło:"},
	"again":         {"The same again:", "Jeszcze raz to samo:"},
	"too short":     {"At least 8 characters.", "Co najmniej 8 znaków."},
	"not the same":  {"That was not the same. Once more.", "To nie było to samo. Spróbuj jeszcze raz."},
	"paper":         {"Now the paper key. Write these 24 words down, by hand, and keep them where you keep contracts.\nWhoever has them can decide who may do what on all your computers; without them a lost daily key is lost.", "Teraz klucz papierowy. Zapisz ręcznie te 24 słowa i przechowuj je tam, gdzie umowy.\nKto je ma, decyduje, kto co może na wszystkich komputerach; bez nich utracony klucz na co dzień przepada."},
	"word":          {"Word %d:", "Słowo %d:"},
	"not that word": {"That is not word %d. Look at your paper once more.", "To nie jest słowo %d. Spójrz jeszcze raz na kartkę."},
	"founded":       {"Founded. The seven words of your root are\n\n  %s\n\nNote them: whoever adds a computer compares them. The trust file is %s.\nTake it to the console by opening\n\n%s", "Założone. Siedem słów Twojego korzenia zaufania to\n\n  %s\n\nZanotuj je: kto dodaje komputer, ten je porównuje. Plik zaufania to %s.\nPrzekażesz go konsoli, otwierając\n\n%s"},
	"signed":        {"Signed. Take it to the console by opening\n\n%s", "Podpisane. Przekażesz to konsoli, otwierając\n\n%s"},
	"kept":          {"Signed, in %s.", "Podpisane, w pliku %s."},
	"24 words":      {"The 24 words of the paper key:", "24 słowa klucza papierowego:"},

	"organisation": {"organisation", "organizacja"},
	"person":       {"person", "osoba"},
	"console":      {"console", "konsola"},
	"holds":        {"holds", "ważne"},
	"from to":      {"%s to %s", "od %s do %s"},
	"id":           {"id", "identyfikator"},
	"may":          {"may sign", "może podpisywać"},
	"key":          {"key", "klucz"},
	"hardware":     {"on hardware", "sprzętowy"},
	"needs":        {"must agree", "musi się zgodzić"},
	"one person":   {"one person is enough for everything", "do wszystkiego wystarcza jedna osoba"},
	"needs n":      {"%d to a new trust file, %d to a safe script, %d to a disruptive one, %d to a destructive one, %d to a version of the agent", "%d na nowy plik zaufania, %d na skrypt bezpieczny, %d na przerywający pracę, %d na niszczący, %d na wersję agenta"},
	"epoch":        {"epoch", "epoka"},
	"new":          {"new", "nowe"},
	"gone":         {"no longer", "już nie"},
	"script":       {"script", "skrypt"},
	"script n":     {"%s, version %d, %s", "%s, wersja %d, %s"},
	"hash":         {"its bytes", "jego bajty"},
	"author":       {"author", "autor"},
	"runs":         {"runs", "działa"},
	"runs n":       {"on %s, as %s", "na %s, jako %s"},
	"value":        {"value", "wartość"},
	"dry run":      {"only tells what it would do", "tylko mówi, co by zrobił"},
	"machine":      {"computer", "komputer"},
	"machines":     {"computers", "komputery"},
	"ticket":       {"ticket", "zgłoszenie"},
	"wave":         {"wave %d", "fala %d"},
	"wave n":       {"%d computers, %s after the beginning", "komputery: %d, po upływie %s od początku"},
	"root of plan": {"list of computers", "lista komputerów"},
	"takes back":   {"takes back", "cofa"},
	"door":         {"opens", "otwiera"},
	"door n":       {"%s as %s, for %d minutes", "%s jako %s, na minut: %d"},
	"challenge":    {"answer to", "odpowiedź na"},
	"version":      {"version", "wersja"},
	"build":        {"program", "program"},

	"trust":      {"TRUST FILE %d: who may say what, to all computers", "PLIK ZAUFANIA %d: kto co może, na wszystkich komputerach"},
	"approval":   {"APPROVAL: these scripts may run", "ZATWIERDZENIE: te skrypty mogą działać"},
	"withdrawal": {"WITHDRAWAL %d: this counts no more", "COFNIĘCIE %d: to już się nie liczy"},
	"order":      {"ORDER: run this script now", "POLECENIE: uruchom ten skrypt teraz"},
	"plan":       {"PLAN: run this script on many computers", "PLAN: uruchom ten skrypt na wielu komputerach"},
	"grant":      {"GRANT: let me into a computer", "WEJŚCIE: wpuść mnie na komputer"},
	"release":    {"RELEASE %d: computers may change to this version of the agent", "WYDANIE %d: komputery mogą przejść na tę wersję agenta"},
}

func (d *Desk) say(id string, parts ...any) string {
	text := words[id][0]
	if d.Lang == "pl" {
		text = words[id][1]
	}
	if len(parts) == 0 {
		return text
	}
	return fmt.Sprintf(text, parts...)
}

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
