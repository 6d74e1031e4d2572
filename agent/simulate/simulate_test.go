package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/deskside/deskside/protocol/expression"
)

func TestPeople(t *testing.T) {
	all := people(7, 3000)
	if diff := cmp.Diff(all, people(7, 3000), cmp.AllowUnexported(workstation{})); diff != "" {
		t.Errorf("one seed, two fleets: %s", diff)
	}
	form := regexp.MustCompile(`^(LAP-[A-Z]{3}-\d{4}|WKS-[A-Z]{2,3}-\d{2})$`)
	names, families := map[string]bool{}, map[string]int{}
	for _, w := range all {
		if !form.MatchString(w.name) || names[w.name] || !regexp.MustCompile(`^[a-z]+\.[a-z]+$`).MatchString(w.person) {
			t.Fatalf("%+v", w)
		}
		names[w.name] = true
		families[w.family]++
	}
	if families["windows"] < 1000 || families["linux"] < 500 || families["darwin"] < 100 || len(families) != 3 {
		t.Errorf("%v", families)
	}
}

// TestFaults: each kind is seen in the readings, and gone after its repair or clear.
func TestFaults(t *testing.T) {
	for _, w := range []workstation{{"LAP-KRK-0001", "linux", "a.b"}, {"WKS-HR-01", "windows", "a.b"}, {"LAP-WAW-0002", "darwin", "a.b"}} {
		m := newMachine(1, 0, w)
		ill := func() string {
			r := m.read(context.Background(), true)
			for _, name := range expression.Sections() {
				if _, _, ok := r.Section(name); !ok {
					t.Errorf("%s has no section %s", w.name, name)
				}
			}
			var out []string
			if r.Filesystems[0].Used.Or(0) >= 0.95 {
				out = append(out, "filesystem")
			}
			if r.Processes[0].CPU.Or(0) >= 0.9 {
				out = append(out, "cpu")
			}
			if r.Services[0].State == "failed" {
				out = append(out, "service")
			}
			return strings.Join(out, " ")
		}
		if got := ill(); got != "" {
			t.Errorf("a well machine has %s", got)
		}
		for _, kind := range []string{"filesystem", "cpu", "service"} {
			if !m.set(kind) || m.set(kind) {
				t.Errorf("%s: set once is once", kind)
			}
		}
		if got := ill(); got != "filesystem cpu service" {
			t.Errorf("ill with %q", got)
		}
		var out bytes.Buffer
		m.repair(uuid.New(), "free-disk-space", map[string]string{"MOUNT": m.mount}, true, &out)
		if got := ill(); got != "filesystem cpu service" || !strings.Contains(out.String(), "would have") {
			t.Errorf("after a dry run ill with %q: %s", got, out.String())
		}
		a := m.repair(uuid.New(), "free-disk-space", map[string]string{"MOUNT": m.mount}, false, &out)
		b := m.repair(uuid.New(), "restart-service", map[string]string{"SERVICE": m.services[0]}, false, &out)
		c := m.repair(uuid.New(), "format-everything", nil, false, &out)
		if got := ill(); a != 0 || b != 0 || c == 0 || got != "cpu" || !strings.Contains(out.String(), "deskside: freed_bytes=") {
			t.Errorf("exits %d %d %d, ill with %q", a, b, c, got)
		}
		if !m.set("clear") || m.set("clear") || ill() != "" {
			t.Error("not cleared")
		}
	}
}

func TestOrders(t *testing.T) {
	var o orders
	for _, good := range []string{"cpu=3@60", "filesystem=0@1.5"} {
		if err := o.Set(good); err != nil {
			t.Error(err)
		}
	}
	if len(o) != 2 || o[0] != (order{"filesystem", 0, 1500 * time.Millisecond}) {
		t.Errorf("%v", o)
	}
	for _, bad := range []string{"", "cpu", "cpu=3", "cpu=@1", "fire=1@1", "cpu=-1@1", "cpu=1@-1", "cpu=1@NaN", "cpu=1@1s"} {
		if err := o.Set(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	s := &simulation{options: options{seed: 1}}
	for i, p := range people(1, 10) {
		s.machines = append(s.machines, newMachine(1, i, p))
	}
	s.machines[3].welcomed.Store(5)
	s.machines[4].welcomed.Store(6)
	for query, want := range map[string]string{"after=4": "2", "after=5": "1", "after=6": "0", "": "after is a moment in microseconds"} {
		w := httptest.NewRecorder()
		s.tellBack(w, httptest.NewRequest("GET", "/back?"+query, nil))
		if got := strings.TrimSpace(w.Body.String()); got != want {
			t.Errorf("%q: %s", query, got)
		}
	}
	held := httptest.NewRecorder()
	tellHeld(held, nil)
	var has struct {
		HeapBytes  int64 `json:"heap_bytes"`
		Goroutines int
	}
	if err := json.Unmarshal(held.Body.Bytes(), &has); err != nil || has.HeapBytes < 1<<10 || has.Goroutines < 1 {
		t.Errorf("held: %v, %s", err, held.Body)
	}
	for _, tc := range []struct {
		kind, body string
		code       int
	}{
		{"application/json", `{"kind":"cpu","count":3}`, 200}, {"text/plain", `{"kind":"cpu","count":3}`, 415},
		{"application/json", `{"kind":"fire"}`, 400}, {"application/json", `{"kind":"cpu","count":-1}`, 400}, {"application/json", `{"kind":"cpu","from":-1}`, 400},
		{"application/json", `{"kind":"cpu","machines":["x"]}`, 400}, {"application/json", strings.Repeat(" ", 5000) + `{}`, 400},
	} {
		r := httptest.NewRequest("POST", "/fault", strings.NewReader(tc.body))
		r.Header.Set("Content-Type", tc.kind)
		w := httptest.NewRecorder()
		s.takeFault(w, r)
		if w.Code != tc.code {
			t.Errorf("%.40s: %d %s", tc.body, w.Code, w.Body)
		}
	}
	if got := len(s.fault("cpu", 0, 0)); got != 7 {
		t.Errorf("%d machines more, of ten with three", got)
	}
	reached := map[string]bool{}
	for from := 0; from < 10; from += 3 { // each time the ones that follow, and at the end the first again
		for _, name := range s.fault("offline", 3, from) {
			reached[name] = true
		}
		s.fault("clear", 0, 0)
	}
	if len(reached) != 10 {
		t.Errorf("%d of 10 machines are reached", len(reached))
	}
	for _, address := range []string{"0.0.0.0:1", "localhost", ":0", "192.0.2.1:80"} {
		if err := s.serve(t.Context(), address); err == nil {
			t.Errorf("control on %s", address)
		}
	}
}

// TestFleet runs machines against a real console: all come online, they say
// goodbye, and with --data they come back as themselves.
func TestFleet(t *testing.T) {
	dir := t.TempDir()
	program, data := filepath.Join(dir, "console"), filepath.Join(dir, "data")
	if out, err := exec.Command("go", "build", "-o", program, "../../console").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	console := exec.Command(program, "serve", "--data", data, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-level", "error")
	stdout, err := console.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := console.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		console.Process.Signal(syscall.SIGTERM)
		console.Wait()
	})
	var ready struct{ URL, HTTP string }
	if err := json.NewDecoder(stdout).Decode(&ready); err != nil {
		t.Fatal(err)
	}
	tool := func(find string, args ...string) string {
		t.Helper()
		out, err := exec.Command(program, append(args, "--data", data)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return regexp.MustCompile(find).FindString(string(out))
	}
	const fleet = 20
	enrolment := tool(`dse1_[\w-]+`, "enrolment", "create", "--uses", fmt.Sprint(fleet))
	tool("", "person", "add", "Ala", "--role", "admin")
	key := tool(`dsk_\S+`, "token", "create", "--person", "Ala")
	presence := func() map[string]int {
		t.Helper()
		r, err := http.NewRequest("GET", ready.HTTP+"/api/v1/machines?limit=200", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var list struct {
			Items []struct {
				Presence string
				Reason   string `json:"offline_reason"`
			}
		}
		if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		for _, m := range list.Items {
			out[strings.TrimSpace(m.Presence+" "+m.Reason)]++
		}
		return out
	}
	// The console writes presence down in batches, after it has answered.
	await := func(want string) {
		t.Helper()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		limit := time.After(30 * time.Second)
		for got := presence(); got[want] != fleet; got = presence() {
			select {
			case <-tick.C:
			case <-limit:
				t.Fatalf("not all %s: %v", want, got)
			}
		}
	}
	for range 2 { // the second time there is no use of the token left
		ctx, stop := context.WithCancel(t.Context())
		r, w := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := run(ctx, options{console: ready.URL, token: enrolment, machines: fleet, seed: 3, data: filepath.Join(dir, "fleet"), out: w})
			w.CloseWithError(err)
			ended <- err
		}()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^{"online":20,"seconds":[\d.]+}\n$`).MatchString(line) {
			t.Errorf("%q", line)
		}
		await("online")
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		await("offline shut_down")
	}
}
