# ssm-setup: Go, git and make are all it takes. `make help` lists the targets.
VERSION ?= 9.1.0.0
TAGS    ?=
OUT     := bin
GO      ?= go
export CGO_ENABLED := 0
export GOFLAGS += -buildvcs=false

STAMP   := -s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=$(VERSION)
TARGETS := linux/amd64 linux/arm64 linux/386 linux/arm darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386

.PHONY: build help test demo check fmt lint bench clean

build: ## the three binaries for this machine, into bin/
	@mkdir -p $(OUT)
	$(GO) build -trimpath -ldflags '$(STAMP)' -o $(OUT)/ ./cmd/...

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: ## all tests; TAGS=integration,boot adds those that need other programs installed
	$(GO) test -tags '$(TAGS)' -timeout 30m ./...

demo: build ## the whole story on this machine: install, command, update, refusal, rollback
	@$(OUT)/ssm-setup demo

check: ## build every target, vet linux, darwin and windows (minutes when cold)
	@for t in $(TARGETS); do echo "build $$t"; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -trimpath -o /dev/null ./cmd/amazon-ssm-agent ./cmd/ssm-agent-worker ./cmd/ssm-setup 2>&1 || exit 1; done
	@for s in linux darwin windows; do echo "vet $$s"; GOOS=$$s GOARCH=amd64 $(GO) vet -tags integration,boot ./... || exit 1; done
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }

fmt: ## format the source
	gofmt -w $$(git ls-files '*.go')

lint: ## golangci-lint, if it is installed
	golangci-lint run

bench: ## the figures of the README, measured here
	@scripts/bench.sh

clean: ## remove what was built
	rm -rf $(OUT) dist build
