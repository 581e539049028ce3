# The two commands: make demo, make test. make help lists the others.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Flags of the demonstration, for example: make demo DEMO_FLAGS="--help"
DEMO_FLAGS ?=
# Where the demonstration keeps the placement table: etcd, consul, redis or opensearch.
STORE ?= etcd

# As the container's image is built, so that what is compiled for one is there for the other.
# The race detector needs cgo: what has it says so.
export CGO_ENABLED := 0
export GOFLAGS     := $(filter-out -trimpath,$(shell go env GOFLAGS 2>/dev/null)) -trimpath

# Tools are pinned here, built once, and kept beside Go's own cache.
STATICCHECK_VERSION := v0.8.2
GOVULNCHECK         := golang.org/x/vuln/cmd/govulncheck@v1.9.0
CACHE               := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sluice
STATICCHECK         := $(CACHE)/tools/staticcheck-$(STATICCHECK_VERSION)

# benchstat's module has no releases.
BENCHSTAT_VERSION   := v0.0.0-20260908200009-22c9c6c9d4da
BENCHSTAT           := $(CACHE)/tools/benchstat-$(BENCHSTAT_VERSION)

PROMTOOL_VERSION    := v0.316.0
PROMTOOL            := $(or $(shell command -v promtool),$(CACHE)/tools/promtool-$(PROMTOOL_VERSION))

.PHONY: help demo build test test-quick test-redis lint fuzz model soak soak-proxy soak-sim mutants cover-sim bench bench-scale bench-pause bench-micro bench-quick bench-fleet bench-copy bench-draining bench-fresh bench-stores bench-flood bench-copying bench-proxy stores-page endpoints-page errors-page docs-site console config-page commands-page manual container clients-page doctor-page metrics-page receipt-schema fleet-schema openapi client clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## move a tenant between two real OpenSearch clusters, under load (STORE=etcd|consul|redis|opensearch)
	@.ci/check-tools $(if $(filter redis,$(STORE)),tests,engines)
	@$(MAKE) --no-print-directory build
	bin/sluice demo$(if $(filter-out etcd,$(STORE)), --store $(STORE))$(if $(DEMO_FLAGS), $(DEMO_FLAGS))

build: ## build bin/sluice
	@.ci/check-tools go
	go build -o bin/sluice ./cmd/sluice

test: $(PROMTOOL) ## everything: lint, then all tests with the race detector, real engines included
	@.ci/check-tools tests
	@$(MAKE) --no-print-directory lint
	@PROMTOOL=$(PROMTOOL) .ci/test all

test-quick: ## what needs no engine: vet and the other packages' tests
	@.ci/check-tools go
	go vet ./...
	@.ci/test quick

test-redis: ## the Redis driver's tests; REDIS=valkey-server is another server than the first that is there
	@.ci/check-tools stores
	$(if $(REDIS),SLUICE_REDIS_SERVER='$(REDIS)') CGO_ENABLED=1 go test -race -count=1 -v -parallel 3 -timeout 35m ./store/redisstore

lint: $(STATICCHECK) ## gofmt, vet, staticcheck, go.mod, import rules, known vulnerabilities
	@.ci/check-tools go
	@.ci/lint $(STATICCHECK) $(GOVULNCHECK)

$(STATICCHECK):
	@echo "== building staticcheck $(STATICCHECK_VERSION), once"
	@mkdir -p $(@D)
	GOBIN=$(@D)/new go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	@mv $(@D)/new/staticcheck $@

$(BENCHSTAT):
	@echo "== building benchstat $(BENCHSTAT_VERSION), once"
	@mkdir -p $(@D)
	GOBIN=$(@D)/new go install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION)
	@mv $(@D)/new/benchstat $@

# Unless the machine has one. Without what discovers targets in clouds, which is most of it.
$(PROMTOOL):
	@echo "== building promtool $(PROMTOOL_VERSION), once"
	@mkdir -p $(@D)
	GOBIN=$(@D)/new go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool@$(PROMTOOL_VERSION)
	@mv $(@D)/new/promtool $@

FUZZTIME ?= 30s
FUZZ     ?= .
fuzz: ## let every fuzz target look for new failures, FUZZTIME=30s each; FUZZ=Step chooses those with such a name
	@.ci/check-tools go
	@.ci/fuzz '$(FUZZTIME)' '$(FUZZ)'

SIZE ?= full
model: ## check the protocol's models exhaustively, full sizes; make test searches SIZE=quick
	@.ci/check-tools model
	SLUICE_SPEC=$(SIZE) go test -count=1 -v -timeout 30m -run 'TestHolds|TestMutants' ./spec

# Where the receipts of soak and soak-proxy go.
RESULTS ?= bench/results
soak: SOAK ?= 30m
soak: ## kill, stop and cut off real processes under load for SOAK=30m, with a new SEED; the receipt is in bench/results/chaos.json
	@.ci/check-tools engines
	@mkdir -p $(RESULTS)
	go test -count=1 -v -timeout 0 -run 'TestChaos$$' ./internal/chaos -chaos.for=$(SOAK) $(if $(SEED),-chaos.seed=$(SEED)) -chaos.receipt=$(abspath $(RESULTS))/chaos.json

soak-proxy: SOAK ?= 10m
soak-proxy: ## load a real proxy in every way for SOAK=10m: no growth of memory, goroutines, files; the receipt is in bench/results/soak-proxy.json
	@.ci/check-tools engines
	@mkdir -p $(RESULTS)
	go test -count=1 -v -timeout 0 -run 'TestSoak$$' ./internal/soak -soak.for=$(SOAK) -soak.receipt=$(abspath $(RESULTS))/soak-proxy.json

soak-sim: SOAK ?= 10m
soak-sim: ## simulate new seeds for SOAK=10m
	go test -count=1 -v -timeout 0 -run 'TestSeeds$$' ./internal/sim -sim.soak=$(SOAK) -sim.first=$$(date +%s)000

mutants: ## the simulation against the code without each of its rules: each must be found out; make test does it too
	go test -count=1 -v -timeout 0 -run 'TestMutants$$' ./internal/sim -sim.mutants

COVER ?= 600
cover-sim: ## which code of the protocol COVER=600 seeds of the simulation run, and which they do not
	go test -count=1 -v -timeout 0 -run 'TestCoverage$$' ./internal/sim -sim.cover=$(COVER) -sim.blocks

TABLES ?=
bench: ## every table below but bench-quick, one after the other, in about 110 minutes on two idle processors; TABLES="copy pause" chooses; bench/README.md says how long each takes
	@.ci/bench $(TABLES)

PAUSE ?=
bench-pause: ## how long a move holds writes, three proxies and an etcd: PAUSE="-moves 50" and the like; the result is in bench/results
	@.ci/check-tools engines
	@$(MAKE) --no-print-directory build
	go run ./bench/pause -out bench/results $(PAUSE)
	@$(MAKE) --no-print-directory performance-page

FLEET ?=
bench-fleet: ## how fast fleets acknowledge a cutover, and moves that only flip: FLEET="-rounds 20" and the like; the result is in bench/results
	@.ci/check-tools engines
	go run ./bench/fleet -out bench/results $(FLEET)
	@$(MAKE) --no-print-directory performance-page

COPY ?=
bench-copy: ## copies by scan and by snapshot beside remote _reindex, elasticdump, opensearch-py and a plain load: COPY="-size 4096" and the like; the result is in bench/results
	@.ci/check-tools tests
	@$(MAKE) --no-print-directory build
	go run ./bench/copy -out bench/results $(COPY)
	@$(MAKE) --no-print-directory performance-page

MICRO ?=
bench-micro: ## the gate, its replica, cursors, envelopes, and a move's transitions, each against its target; about five minutes; MICRO="-rounds 2" for a try
	@.ci/check-tools go
	go run ./bench/micro -out bench/results $(MICRO)
	@$(MAKE) --no-print-directory performance-page

BASE ?=
bench-quick: $(BENCHSTAT) ## what has changed in the micro-benchmarks of the gate and the codecs since the last release, or since BASE=
	@.ci/check-tools go
	@.ci/bench-quick $(BENCHSTAT) $(BASE)
FRESH ?=
bench-fresh: ## what fresh reads add with etcd, beside leased and a round trip: FRESH="-fresh-rounds 5" and the like; the result is in bench/results
	@.ci/check-tools engines
	go run ./bench/stores -fresh -out bench/results $(FRESH)
	@$(MAKE) --no-print-directory performance-page

DRAINING ?=
bench-draining: ## what journaling costs while a tenant drains: DRAINING="-rounds 20" and the like; the result is in bench/results
	@.ci/check-tools engines
	@$(MAKE) --no-print-directory build
	go run ./bench/draining -out bench/results $(DRAINING)
	@$(MAKE) --no-print-directory performance-page

STORES  ?= memory,etcd,redis,consul,opensearch
ENTRIES ?= 0
bench-stores: ## a table of ENTRIES (0: up to a million) entries in each of STORES, and what fresh reads cost; results and docs page are rewritten
	@.ci/check-tools tests
	@code=0; go run ./bench/stores -stores $(STORES) -entries $(ENTRIES) || code=$$?; \
	$(MAKE) --no-print-directory stores-page; exit $$code

FLOOD ?=
bench-flood: ## what a tenant feels of one that floods, with and without the limits; FLOOD="-rounds 20" and the like; the result is in bench/results
	@.ci/check-tools engines
	go run ./bench/flood -out bench/results $(FLOOD)
	@$(MAKE) --no-print-directory performance-page

COPYING ?=
bench-copying: ## what a tenant feels of the copy of its own move, with the throttle and without; COPYING="-rounds 20" and the like; the result is in bench/results
	@.ci/check-tools engines
	@$(MAKE) --no-print-directory build
	go run ./bench/copying -out bench/results $(COPYING)
	@$(MAKE) --no-print-directory performance-page

PROXY ?=
bench-proxy: ## the proxy beside nginx, haproxy and Go's ReverseProxy, before a stub and before an OpenSearch, loaded by wrk (apt-get install wrk nginx-light haproxy); PROXY="-rounds 1 -only GET" and the like; the result is in bench/results
	@.ci/check-tools engines
	@$(MAKE) --no-print-directory build
	go run ./bench/proxy -out bench/results $(PROXY)
	@$(MAKE) --no-print-directory performance-page

bench-scale: ## the tables of docs/scale.md, calculated and simulated from what was measured; printed only
	go run ./bench/scale

performance-page: ## write docs/performance.md from bench/results/*.result.json
	@go run ./bench/report/page -out docs/performance.md bench/results/*.result.json

stores-page: ## write docs/stores/measured.md from bench/results/stores-*.json
	@go run ./bench/stores -page docs/stores/measured.md bench/results/stores-*.json

endpoints-page: ## write docs/endpoints.md from the table of the proxy
	go generate ./proxy

console: ## build the page at /ui from console/src into console/dist, which the program embeds
	@.ci/console write

manual: ## run the commands that README.md, docs and the help show, on real clusters and stores; make test does it too
	@.ci/check-tools tests
	CI=true go test -count=1 -v -timeout 30m -run 'TestManualRuns$$|TestTutorial$$|TestExamplesRun$$' ./cmd/sluice

container: ## build the image of deploy/container/Containerfile and run what it holds; as root, with buildah; PULL=yes pulls the golang image in place of a stand-in
	@.ci/check-tools go
	@PULL=$(PULL) .ci/container

errors-page: ## write docs/errors.md from the catalogue of errors
	go generate ./internal/catalog

docs-site: ## build the manual as a site into dist/site, with a search that needs no server, and check its links; make test does it too
	@.ci/docs-site

config-page: ## write docs/configuration.md from the table of keys
	go generate ./internal/config

commands-page: ## write docs/commands.md from the program's commands
	go generate -run TestCommandsPage ./cmd/sluice

clients-page: ## write docs/clients.md from the table of what clients see differ
	go generate ./internal/clients

doctor-page: ## write docs/doctor.md from the table of what the doctor finds
	go generate ./control/checkup

metrics-page: ## write docs/metrics.md from what a proxy and a controller register
	go generate -run TestMetricsPage ./cmd/sluice

receipt-schema: ## write docs/receipt.schema.json from the receipt's type
	go generate ./control

fleet-schema: ## write docs/fleet.schema.json from the types of the files that sluice apply takes
	go generate ./internal/fleetfile

openapi: ## write docs/openapi.yaml from the operations of the API, and the client from that
	go generate ./api
	@$(MAKE) --no-print-directory client

client: ## write client/generated.go from docs/openapi.yaml
	go generate ./client

clean: ## remove what was built here; engines and tools stay in the cache
	rm -rf bin dist
