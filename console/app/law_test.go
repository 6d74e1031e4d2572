package app

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/deskside/deskside/"

// law says which rooms each room may call, and why. Arrows go down; rooms of
// one level do not know each other. What must go sideways or up is a row that
// becomes due, or a handler that app sets.
var law = map[string]struct {
	may []string
	why string
}{
	"protocol":            {nil, "the conversation knows nobody"},
	"protocol/expression": {nil, "the language is a library of both sides"},
	"protocol/history":    {nil, "packing is a library of both sides"},
	"protocol/stream":     {nil, "frames are a library of both sides"},
	"protocol/trust":      {nil, "statements are a library of both sides"},
	"protocol/catalogue":  {[]string{"protocol/expression"}, "a check is written in the language"},
	"protocol/uptime":     {nil, "counting time is a library of both sides"},
	"protocol/fuzztest":   {nil, "only fuzz targets call it"},
	"scripts":             {nil, "the catalogue of scripts is data"},

	"agent/state":   {[]string{"protocol"}, "it keeps what is to be told, as it is told"},
	"agent/gate":    {[]string{"agent/state", "protocol", "protocol/catalogue", "protocol/expression", "protocol/trust", "protocol/uptime", "scripts"}, "it reads what asks to be let in, what a question would read, and knows the built-in scripts"},
	"agent/link":    {[]string{"agent/gate", "agent/state", "protocol"}, "it hands everything to the gate, and sends the outbox"},
	"agent/probe":   {[]string{"protocol/expression", "protocol/history"}, "it fills the one shape of facts"},
	"agent/check":   {[]string{"protocol/catalogue", "protocol/expression"}, "it judges facts by the catalogue"},
	"agent/repair":  {[]string{"agent/gate", "agent/state", "protocol", "scripts"}, "it runs what the gate admitted"},
	"agent/session": {[]string{"agent/gate", "agent/state", "protocol", "protocol/stream"}, "it opens what the gate admitted"},
	"agent/report":  {[]string{"agent/check", "protocol/catalogue", "protocol/expression"}, "it tells verdicts; nothing calls it but app"},
	"agent/sign":    {[]string{"protocol/trust"}, "people sign statements, on their own computer"},
	"agent/app":     {[]string{"agent/*", "protocol", "protocol/*", "scripts"}, "it puts the rooms together"},
	"agent":         {[]string{"agent/app"}, "main only starts"},
	"agent/simulate": {[]string{"agent/app", "agent/check", "agent/gate", "agent/link", "agent/probe", "agent/repair", "agent/session",
		"agent/state", "protocol", "protocol/*"}, "pretend workstations: everything real but the probes"},

	"console/model":        {nil, "nouns know nobody"},
	"console/store/schema": {nil, "the list of tables"},
	"console/store":        {[]string{"console/store/schema", "protocol/uptime"}, "the engine has no nouns"},
	"console/nodes":        {nil, "it carries ids and times; what they mean is a row"},
	"console/link":         {[]string{"console/model", "console/store", "protocol", "protocol/expression"}, "the one room that speaks the wire"},
	"console/account":      {[]string{"console/model", "console/store", "protocol/trust"}, "people are rows, and what an organisation has signed"},
	"console/desk":         {[]string{"console/model", "console/store"}, "tickets are rows"},
	"console/fleet": {[]string{"console/model", "console/store", "protocol/catalogue", "protocol/expression"},
		"facts keep their one shape; groups and questions are expressions; a watched service has a name that a check can take"},
	"console/health":  {[]string{"console/desk", "console/fleet", "console/model", "console/store", "protocol/catalogue", "protocol/history"}, "an alert opens a ticket of a machine"},
	"console/repair":  {[]string{"console/desk", "console/fleet", "console/model", "console/store", "scripts"}, "a run belongs to a machine and writes into a ticket"},
	"console/session": {[]string{"console/account", "console/desk", "console/fleet", "console/model", "console/store", "protocol/stream"}, "a session belongs to a machine and to whoever opened it, and writes into a ticket"},
	"console/api": {[]string{"console/account", "console/desk", "console/fleet", "console/health", "console/model", "console/repair", "console/session",
		"console/store", "protocol/catalogue", "protocol/expression", "protocol/history", "protocol/trust", "scripts"}, "it shapes what the rooms answer"},
	"console/seed": {[]string{"console/account", "console/desk", "console/fleet", "console/health", "console/model", "console/store"},
		"it writes long lists as the rooms themselves would"},
	"console/web": {nil, "it serves files"},
	"console/app": {[]string{"console/*", "protocol"}, "it puts the rooms together, and certifies keys"},
	"console":     {[]string{"console/app"}, "main only starts"},
}

// processes says where a program may be started, and why.
var processes = map[string]string{
	"agent/repair":            "it runs scripts",
	"agent/session":           "it runs a shell",
	"agent/app/helpcmd.go":    "it opens the person's own browser, as the person",
	"agent/probe":             "named probes ask the system's own tools where there is no call",
	"console/store/storetest": "tests start PostgreSQL",
}

func TestLaw(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	rooms := map[string]bool{}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(file, root+string(os.PathSeparator)))
		if d.IsDir() {
			if slices.Contains([]string{".git", ".cache", "data", "bin", "tools"}, rel) || d.Name() == "node_modules" || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") || path.Dir(rel) == "console/store/storetest" {
			return nil
		}
		rooms[path.Dir(rel)] = true
		obey(t, file, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range law {
		if !rooms[room] && room != "agent/simulate" {
			t.Errorf("the law speaks of %s, which is not there", room)
		}
	}
}

func obey(t *testing.T, file, rel string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	room := path.Dir(rel)
	rule, known := law[room]
	if !known {
		t.Errorf("%s stands in a room that the law does not know", rel)
		return
	}
	for _, i := range parsed.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		if name == "os/exec" && processes[room] == "" && processes[rel] == "" {
			t.Errorf("%s starts programs; only %v may", rel, processes)
		}
		if name == "github.com/spf13/viper" && room == "agent/gate" {
			t.Errorf("%s reads the policy with viper, which an environment variable can widen", rel)
		}
		called, ours := strings.CutPrefix(name, module)
		if ours && !slices.ContainsFunc(rule.may, func(may string) bool {
			ok, _ := path.Match(may, called)
			return ok
		}) {
			t.Errorf("%s imports %s; %s may import %v: %s", rel, called, room, rule.may, rule.why)
		}
	}
}

// TestLawOfWindows: WINDOWS.md says of every file that is of Windows alone what was
// shown of it, and names no file or test that is not there.
func TestLawOfWindows(t *testing.T) {
	root := filepath.Join("..", "..")
	raw, err := os.ReadFile(filepath.Join(root, "WINDOWS.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, tests := map[string][]string{}, ""
	for line := range strings.Lines(string(raw)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.Contains(cells[1], "_windows.go`") {
			rows[strings.Trim(cells[1], " `")] = cells[2:4]
		}
	}
	there := map[string]bool{}
	for _, top := range []string{"agent", "protocol", "scripts", "console/app"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if strings.HasSuffix(file, "_test.go") {
				source, err := os.ReadFile(file)
				tests += string(source)
				return err
			}
			if strings.HasSuffix(file, "_windows.go") {
				rel, err := filepath.Rel(root, file)
				there[filepath.ToSlash(rel)] = true
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for file := range there {
		cells, named := rows[file]
		if !named || strings.TrimSpace(cells[0]) == "" || strings.TrimSpace(cells[1]) == "" {
			t.Errorf("WINDOWS.md does not say what was shown of %s, and what was not", file)
		}
	}
	for file := range rows {
		if !there[file] {
			t.Errorf("WINDOWS.md speaks of %s, which is not there", file)
		}
	}
	for _, m := range regexp.MustCompile("`(Test[A-Za-z]+)(?:/([a-z_]+))?`").FindAllStringSubmatch(string(raw), -1) {
		if !strings.Contains(tests, "func "+m[1]+"(") || m[2] != "" && !strings.Contains(tests, `t.Run("`+strings.ReplaceAll(m[2], "_", " ")+`"`) {
			t.Errorf("WINDOWS.md speaks of %s, which is not there", m[0])
		}
	}
}
