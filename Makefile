# Lockstep's commands. `make` alone prints them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
GO ?= go
TIME ?= 60m
PART ?=
DATA ?= data
ROWS ?= 10000000
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

export LOCKSTEP_SHARED ?= $(abspath ../shared)

.PHONY: help
help: ## print these targets
	@echo "Lockstep: an XDR, a SIEM workspace, and the connector that keeps the two in step."
	@echo
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make test-long TIME=15m           share 15 minutes out among the long parts"
	@echo "  make test-long PART=browser       one part alone, in full"

.PHONY: run
run: build ## fetch, build and start Lockstep with the sample tenant replaying into it, then keep serving
	./bin/lockstep serve --data $(DATA) --sample

.PHONY: build
build: tools web ## build bin/lockstep with the portal in it
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/lockstep ./cmd/lockstep

.PHONY: tools
tools: # say what is missing before anything fails half-way
	@./tools/need go gcc node npm

.PHONY: web
web: web/dist/index.html.gz ## build the portal's pages into web/dist

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

web/node_modules/.stamp: web/package-lock.json web/package.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html.gz: web/node_modules/.stamp $(WEB_SOURCES)
	cd web && npm run --silent build

.PHONY: check
check: tools web/node_modules/.stamp ## vet, laws, the engines' tests, the pages' types (≤ 60 s)
	$(GO) vet ./...
	$(GO) test ./tools/laws ./fault/... ./schema/... ./security/... ./kql/... ./connector/... ./xdr/correlation/...
	cd web && npx tsc --noEmit

.PHONY: test
test: tools web ## the gate: everything that must pass before a change lands
	$(GO) vet ./...
	$(GO) test -timeout 10m ./...
	$(GO) run ./tools/simulate -histories 5000
	cd web && npm run --silent check

# ClickHouse's engine, a shared library of 566 MB that tests alone open; the version and its checksum are in the lock file.
CHDB := kql/kqltest/chdb

.PHONY: clickhouse
clickhouse: $(CHDB)/node_modules/.stamp # install ClickHouse's engine for the tests of its dialect

$(CHDB)/node_modules/.stamp: $(CHDB)/package-lock.json $(CHDB)/package.json
	@./tools/need npm
	cd $(CHDB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: test-long
test-long: build ## long simulations, fuzzers, kills, browsers, vendor clients: TIME=60m in all, PART=name alone
	$(GO) run ./tools/testlong -time $(TIME) -part "$(PART)"

.PHONY: bench
bench: ## the benchmarks, with their peers in the same run
	$(GO) test -run '^$$' -bench . -benchtime 2s ./...

.PHONY: bench-kql
bench-kql: ## KQL beside SQL written by hand over 10 million rows: each construct's ratio (ROWS=… for fewer)
	$(GO) run ./tools/benchkql -max 1.15 -rows $(ROWS)

.PHONY: bench-sync
bench-sync: build ## edits and new incidents over the HTTP APIs: how long until the other side shows them
	$(GO) run ./tools/benchsync -p50 15ms -p99 80ms

.PHONY: clean
clean: ## remove what was built; data stays
	rm -rf bin web/dist/assets web/dist/*.gz web/dist/.vite web/node_modules $(CHDB)/node_modules
