# Deskside. "make run" is where to begin; "make help" lists the rest.

SHELL   := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/deskside/deskside/agent/app.Version=$(VERSION) -X github.com/deskside/deskside/console/app.Version=$(VERSION)
GOFLAGS := -trimpath
# The race detector makes the SQLite port five to forty times slower and finds
# nothing of ours there; races in our own code are still caught. Only the
# translated C is left out: a package that uses sync.Map would bring its own copy
# of that map, deaf to the detector, and the linker may take it for everybody.
RACE    := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
WEB     := console/web
# One heavy target at a time, so that two shells do not halve each other.
LOCK    := flock .cache/lock

.PHONY: help run demo dev build web agent console quick test test-go test-web test-browser test-windows test-arm64 test-service test-faults fuzz check fmt openapi shots bench chaos soak clean needs

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: build ## build everything and try it on this machine: http://localhost:8080
	@tools/run

build: web agent console ## build the web application and both programs into bin/

agent:
	@mkdir -p bin
	CGO_ENABLED=0 go build $(GOFLAGS) -ldflags '$(LDFLAGS)' -o bin/deskside-agent ./agent

console:
	@mkdir -p bin
	CGO_ENABLED=0 go build $(GOFLAGS) -ldflags '$(LDFLAGS)' -o bin/deskside-console ./console

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund
	@touch $@

web: $(WEB)/dist/index.html

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(shell find $(WEB)/src $(WEB)/public $(WEB)/index.html -type f 2>/dev/null)
	cd $(WEB) && npm run build
	@touch $@

demo: build ## run, with 50 pretend workstations and a story
	@tools/demo

dev: build ## like run, and rebuilds the web application as it is edited
	@DESKSIDE_DEV=1 tools/run

openapi: ## write the description of the API and the client made from it
	go run ./console openapi > $(WEB)/openapi.json
	cd $(WEB) && npm run codegen

fmt: ## format
	gofmt -w agent console protocol scripts

quick: ## what to run before each commit: under a minute
	@mkdir -p .cache
	@test -z "$$(gofmt -l agent console protocol scripts)" || { echo 'not formatted:'; gofmt -l agent console protocol scripts; exit 1; }
	go vet ./...
	go test -timeout 120s ./protocol/... ./scripts/... ./agent/check ./agent/gate ./agent/link ./agent/report ./agent/state ./console/model
	go test -count=1 -run Law ./console/app

needs: ## install, or name, what the tests need
	@tools/needs

test: needs $(WEB)/dist/index.html ## all tests
	@mkdir -p .cache
	$(LOCK) tools/test

test-go: needs
	go test $(RACE) -timeout 600s ./...

test-web: $(WEB)/node_modules/.package-lock.json
	cd $(WEB) && npm run check && npm test

test-browser: needs build
	cd $(WEB) && npm run test:browser

test-windows: ## the agent's tests as Windows programs, and the agent at a console, under Wine
	@mkdir -p .cache
	@tools/needs windows
	$(LOCK) tools/test-windows

test-arm64: ## the agent's tests as programs of linux/arm64, and the agent at a console, by qemu
	@mkdir -p .cache
	@tools/needs arm64
	$(LOCK) tools/test-arm64

test-service: agent console ## the agent as a service, in a container with systemd (root)
	@mkdir -p .cache
	@tools/needs service
	$(LOCK) tools/test-service

test-faults: ## real faults on this machine: full disks, busy cores (root)
	@mkdir -p .cache
	@tools/needs faults
	$(LOCK) go test -count=1 -v -timeout 600s -tags faults -run Fault ./agent/app

fuzz: ## every decoder against a fuzzer, a minute each: make fuzz FUZZ=10s TARGET=Token
	@mkdir -p .cache
	$(LOCK) tools/fuzz $(or $(FUZZ),60s) '$(TARGET)'

check: ## format, lint, import law, vet on every system
	@mkdir -p .cache
	@test -z "$$(gofmt -l agent console protocol scripts)" || { echo 'not formatted:'; gofmt -l agent console protocol scripts; exit 1; }
	go vet -tags faults,systems ./...
	GOOS=windows go vet ./agent/... ./protocol/... ./scripts/...
	GOOS=darwin go vet ./agent/... ./protocol/... ./scripts/...
	go build -modfile=tools/lint.mod -o .cache/staticcheck honnef.co/go/tools/cmd/staticcheck
	.cache/staticcheck -tags faults,systems ./...
	GOOS=windows .cache/staticcheck ./agent/... ./protocol/... ./scripts/...
	GOOS=darwin .cache/staticcheck ./agent/... ./protocol/... ./scripts/...
	go test -count=1 -run Law ./console/app
	go run ./console openapi | diff -q - $(WEB)/openapi.json >/dev/null || { echo 'console/web/openapi.json is stale: make openapi'; exit 1; }
	cd $(WEB) && npm run check

shots: build ## pictures of the pages, of real consoles
	go build -o bin/simulate ./agent/simulate
	go build -o bin/seed ./console/seed
	cd $(WEB) && npm run shots

bench: build ## weight and speed against their goals: make bench BENCH=name for one
	@mkdir -p .cache
	@tools/needs bench
	go build -o .cache/deskside-simulate ./agent/simulate
	go build -o bin/seed ./console/seed
	go build -o .cache/bench ./tools/bench
	$(LOCK) .cache/bench -row '$(BENCH)'

chaos: build ## break everything on purpose: make chaos ROUNDS=20 SEED=7 SCENE=two
	@mkdir -p .cache
	@tools/needs
	go build -o .cache/deskside-simulate ./agent/simulate
	go build -o .cache/chaos ./tools/chaos
	$(LOCK) .cache/chaos -rounds $(or $(ROUNDS),200) -seed $(or $(SEED),1) -scene '$(SCENE)'

soak: build ## hold what a console keeps against what it keeps later: make soak MINUTES=1440 MACHINES=500 DATABASE=postgres
	@mkdir -p .cache
	@tools/needs
	go build -o .cache/deskside-simulate ./agent/simulate
	go build -o .cache/soak ./tools/soak
	$(LOCK) .cache/soak -minutes $(or $(MINUTES),10) -machines $(or $(MACHINES),2000) -database $(or $(DATABASE),sqlite)

clean:
	rm -rf bin .cache $(WEB)/node_modules $(WEB)/dist/assets $(WEB)/dist/index.html
