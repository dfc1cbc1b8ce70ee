# The commands of the README and of CI are these; nothing else builds assay.

GO ?= go
# Versions of the tools that lint and bench run; they are no part of go.mod.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.8.0
# Not its newest: the ones after it need a newer Go than ours.
GORELEASER_AT = github.com/goreleaser/goreleaser/v2@v2.15.0
comma = ,
BENCHSTAT   = golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

.PHONY: all build size test regions interop soak lint bench fuzz mutants release release-check demo clean

all: build

build: ## the binary, in bin/
	$(GO) build -trimpath -o bin/ ./cmd/assay

size: export CGO_ENABLED = 0
size: export GOOS = linux
size: ## what the binary is made of, by module, and how large it is stripped: the table of docs/benchmarks.md
	$(GO) build -trimpath -o bin/size/full ./cmd/assay
	$(GO) build -trimpath -ldflags '-s -w' -o bin/size/stripped ./cmd/assay
	@GOOS= GOARCH= $(GO) run ./internal/size bin/size/full
	@wc -c bin/size/stripped

test: ## every test; RACE=1 with the race detector
	$(GO) test $(if $(RACE),-race -timeout 25m) ./...

regions: ## two regions and their mirrors, of which one is cut off and comes back, told as it happens
	$(GO) test -count=1 -v -run '^TestRegions$$' ./cmd/assay

interop: ## a mirror against the clients of others, publishing with the tools of others; installs python-tuf and tuf-on-ci for the time of the test
	ASSAY_INTEROP=install $(GO) test -count=1 -v ./mirror/interop ./docs/examples

soak: ## the tests of faults at length, some twenty-five minutes: 9,000 kills, each syscall failing, a flaky network
	ASSAY_FAULTS=soak $(GO) test -count=1 -timeout 60m -v -run 'KilledAtRandom|Killed$$|EachSyscallFails|FlakyNetwork' ./cache ./fetch/install ./fetch/transfer ./mirror

lint: ## what CI refuses
	@unformatted="$$(gofmt -l .)"; if [ -n "$$unformatted" ]; then echo "gofmt: not formatted:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# Memory-backed files, where there are some, keep the disk out of the figures.
BENCHDIR ?= $(if $(wildcard /dev/shm/.),/dev/shm,/tmp)
bench: ## every figure of docs/benchmarks.md; PEER_1M=1 with the peer that takes minutes and 6 GB, GETTER=PROGRAM with go-getter
	TMPDIR=$(BENCHDIR) SCALE_PEER_1M=$(PEER_1M) BENCH_GETTER=$(abspath $(GETTER)) $(GO) test -run '^$$' -bench . -benchtime 1x -count $(or $(COUNT),6) -timeout 120m ./cmd/assay ./trust ./trust/proof ./cache ./mirror ./mirror/serve ./mirror/interop > bench.out; failed=$$?; cat bench.out; exit $$failed
	$(GO) run $(BENCHSTAT) bench.out

FUZZTIME ?= 20s
fuzz: ## each fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; \
		done; \
	done

MUTANTS ?= # those that decide what is believed, see internal/mutants
mutants: export ASSAY_FAULTS = none
mutants: ## each check of the packages in MUTANTS switched off in turn: a test must fail
	$(GO) run ./internal/mutants $(MUTANTFLAGS) $(MUTANTS)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip -files prove.go,held.go,standing.go,identify.go,exact.go ./fetch)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./fetch/wire)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) ./fetch/mirrors)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./fetch/unpack)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./fetch/install)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./fetch/lockfile)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./fetch/transfer ./fetch/pinned/cloud)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip -files resume.go,spans.go,buffer.go,stage.go,hashing.go,commit.go ./cache)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./cache/archive)
	$(if $(MUTANTS),,$(GO) run ./internal/mutants $(MUTANTFLAGS) -kind check,skip ./mirror)

# docs/releasing.md has both.
release: ## a release of the tag that is checked out, in dist/; signed where ASSAY_SIGN_KEY or ASSAY_SIGN_KEYLESS is set
	$(or $(GORELEASER),$(GO) run $(GORELEASER_AT)) release --clean --skip=publish,announce$(if $(ASSAY_SIGN_KEY)$(ASSAY_SIGN_KEYLESS),,$(comma)sign)

release-check: ## builds a release twice and compares; installs it, runs it, removes it. GORELEASER=PROGRAM spares minutes
	GORELEASER_AT=$(GORELEASER_AT) bash packaging/check.sh

demo:
	$(GO) run ./cmd/assay demo

clean:
	rm -rf bin dist bench.out
