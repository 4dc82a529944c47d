# ssm-setup: Go, git and make are all it takes. `make` lists the targets, `make here` builds this machine's programs. The second half of
# the targets has the names of the original's build, and puts its files where that puts them, below bin/.
VERSION ?= 9.1.0.0
TAGS    ?=
OUT     := bin
GO      ?= go
export GO
export CGO_ENABLED := 0
# One way to compile everything, so that programs, tests and checks share what is compiled.
export GOFLAGS += -buildvcs=false -trimpath

STAMP   := -s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=$(VERSION)
# What is packed, and what packs it, is compiled by the release of Go that `ssm-setup build` takes: the one pin.
PINNED  := $(shell sed -n 's/^const Toolchain = "\(.*\)"$$/\1/p' installer/build/compile.go)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
TARGETS := linux/amd64 linux/arm64 linux/386 linux/arm darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386
TREES   := ./agent/... ./updater/... ./installer/... ./manifests/...
LINT    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULN    := golang.org/x/vuln/cmd/govulncheck@v1.9.0
compile  = @scripts/compile.sh $(1) $(2) $(VERSION) $(OUT)/$(1)_$(2)
pack     = @scripts/package.sh $(1) $(VERSION) $(2)

.PHONY: help build here test test-wine-long demo check fmt lint bench attack simulation detection-long model-long soak-long power-long figures-long crash crash-long \
  clean \
  build-release release package pre-build checkstyle quick-integtest quick-test coverage get-tools \
  build-linux build-linux-386 build-arm build-arm64 build-windows build-windows-386 build-darwin build-darwin-386 \
  package-rpm package-rpm-386 package-rpm-arm64 package-deb package-deb-386 package-deb-arm package-deb-arm64 \
  package-win package-win-386 package-linux package-windows package-darwin

help: ## this list; also plain `make`
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{sub(/:.*/, "", $$1); printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: here pre-build build-linux build-linux-386 build-arm build-arm64 build-windows build-windows-386 build-darwin ## this machine's programs into bin/, then all platforms into bin/OS_ARCH/

here: ## the three programs for this machine only, into bin/ (seconds)
	@mkdir -p $(OUT)
	$(GO) build -ldflags '$(STAMP) -X main.commit=$(COMMIT)' -o $(OUT)/ ./cmd/amazon-ssm-agent ./cmd/ssm-agent-worker ./cmd/ssm-setup
	@ln -sf ssm-setup $(OUT)/ssm-setup-cli

test: ## all tests; TAGS=integration,boot adds those that need other programs installed
	$(GO) test -tags '$(TAGS)' -timeout 60m ./...

test-wine-long: ## the tests that CI leaves out under wine (test/boot/testdata/wine-left-out.txt); needs wine, half an hour
	LONG=1 $(GO) test -count=1 -tags boot -timeout 120m -run TestRoomsThatAskTheSystemPassOnWindows -v ./test/boot

demo: here ## the whole story on this machine: install, command, update, refusal, rollback
	@$(OUT)/ssm-setup demo --result

check: ## build every target, vet linux, darwin and windows (minutes when cold)
	@for t in $(TARGETS); do echo "build $$t"; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} GOARM=6 $(GO) build -o /dev/null ./cmd/amazon-ssm-agent ./cmd/ssm-agent-worker ./cmd/ssm-setup 2>&1 || exit 1; done
	@for s in linux darwin windows; do echo "vet $$s"; GOOS=$$s GOARCH=amd64 $(GO) vet -tags integration,boot ./... || exit 1; done
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }

fmt: ## format the source
	gofmt -w $$(git ls-files '*.go')

lint: ## golangci-lint with .golangci.yml (compiles the pinned version when it is not cached: a minute or more)
	$(GO) run $(LINT) run

bench: ## the figures of the README, measured here
	@scripts/bench.sh

attack: ## the local and remote attackers of test/attack/attacks.txt against this build
	@scripts/attack.sh

simulation: ## a million hosts follow a release, and a region fails: the load on each region; JSON and a picture in build
	@mkdir -p build
	@go run ./test/simulation --json build/simulation.json --svg build/simulation.svg

detection-long: ## how long hosts are without an agent while a broken release is on trial: twenty runs a class, two hours; logs in docs/proof
	@scripts/detection.sh

soak-long: ## 1,200 updates back and forth under a load of commands; half an hour, log in docs/proof; SEED, FROM, UPDATES
	@scripts/soak.sh

crash: ## sixty kills at system calls of a good update, by a seed; the host comes to rest all the same
	$(GO) test -count=1 -timeout 30m -v ./test/crash

crash-long: ## the same at every system call; hours; the log goes to docs/proof
	@scripts/crash.sh

power-long: ## a hundred power cuts in updates of booted machines, and in exchanges of Amazon's agent and this one; root, half an hour, log in docs/proof
	@scripts/power.sh

figures-long: ## the figures of updates as a table: ten minutes on a quiet machine
	@scripts/figures.sh

model-long: ## test/model: every kill and power cut of every update it knows, an hour; log in docs/proof
	@scripts/model.sh

clean: ## remove what was built
	rm -rf $(OUT) dist build

build-linux: ## bin/linux_amd64/ with all programs
	$(call compile,linux,amd64)
build-linux-386: ## likewise for 386
	$(call compile,linux,386)
build-arm: ## likewise for 32-bit ARM (GOARM=6)
	$(call compile,linux,arm)
build-arm64: ## likewise for arm64
	$(call compile,linux,arm64)
build-windows: ## bin/windows_amd64/
	$(call compile,windows,amd64)
build-windows-386: ## bin/windows_386/
	$(call compile,windows,386)
build-darwin: ## bin/darwin_amd64/ and bin/darwin_arm64/
	$(call compile,darwin,amd64)
	$(call compile,darwin,arm64)
build-darwin-386:
	@echo "Go has no darwin/386 any more (since 1.15): use build-darwin" >&2; exit 1

pre-build: ## scripts made executable; licence, notice, templates and VERSION into bin/
	@chmod +x scripts/*.sh && mkdir -p $(OUT)
	@cp LICENSE installer/pack/assets/common/NOTICE.md installer/pack/assets/common/*.template $(OUT)/
	@printf '%s' '$(VERSION)' >$(OUT)/VERSION

package-deb: here build-linux ## bin/debian_amd64/amazon-ssm-agent.deb
	$(call pack,deb,linux amd64)
package-deb-386: here build-linux-386 ## bin/debian_386/amazon-ssm-agent.deb
	$(call pack,deb,linux 386)
package-deb-arm: here build-arm ## bin/debian_arm/amazon-ssm-agent.deb
	$(call pack,deb,linux arm)
package-deb-arm64: here build-arm64 ## bin/debian_arm64/amazon-ssm-agent.deb
	$(call pack,deb,linux arm64)
package-rpm: here build-linux ## bin/linux_amd64/amazon-ssm-agent.rpm
	$(call pack,rpm,linux amd64)
package-rpm-386: here build-linux-386 ## bin/linux_386/amazon-ssm-agent.rpm
	$(call pack,rpm,linux 386)
package-rpm-arm64: here build-arm64 ## bin/linux_arm64/amazon-ssm-agent.rpm
	$(call pack,rpm,linux arm64)
package-win: here build-windows ## bin/windows_amd64/windows/package.zip and the MSI
	$(call pack,win,windows amd64)
package-win-386: here build-windows-386 ## bin/windows_386/windows/package.zip and the MSI
	$(call pack,win,windows 386)
package-linux: package-deb package-deb-386 package-deb-arm package-deb-arm64 package-rpm package-rpm-386 package-rpm-arm64 ## all of Linux, and bin/updates/
	$(call pack,binaries,linux amd64 arm64)
	$(call pack,updates,linux amd64 386 arm arm64)
package-windows: package-win package-win-386 ## all of Windows, and bin/updates/
	$(call pack,updates,windows amd64 386)
package-darwin: here build-darwin ## pkg, archives and bin/updates/ of macOS
	$(call pack,darwin,darwin amd64 arm64)
	$(call pack,updates,darwin amd64 arm64)
package: package-linux package-windows package-darwin ## all packages and update archives

checkstyle: ## gofmt and go vet
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
quick-test: ## tests beside the code
	$(GO) test -timeout 20m $(TREES) ./regions/... ./cmd/...
quick-integtest: ## the same with those that need other programs installed
	$(GO) test -tags integration -timeout 20m $(TREES) ./regions/... ./cmd/...
coverage: build-linux ## bin/coverage.html
	@mkdir -p $(OUT)
	$(GO) test -timeout 20m -coverprofile $(OUT)/coverage.out $(TREES)
	$(GO) tool cover -html $(OUT)/coverage.out -o $(OUT)/coverage.html
build-release: clean quick-integtest checkstyle build package ## tests, style, programs, packages
release: clean quick-test checkstyle build package ## the same without integration tests
get-tools: ## golangci-lint and govulncheck
	$(GO) install $(LINT)
	$(GO) install $(VULN)

$(filter package%,$(MAKECMDGOALS)) $(filter release build-release,$(MAKECMDGOALS)): export GOTOOLCHAIN := $(PINNED)
