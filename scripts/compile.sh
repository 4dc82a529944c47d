#!/bin/sh
# scripts/compile.sh OS ARCH VERSION DIR: the programs for one platform, static and stripped, the same bytes wherever the same Go
# is installed, and the names that the original's build leaves beside them: links to the program that plays that role.
set -eu
cd "$(dirname "$0")/.."
os=$1 arch=$2 version=$3 dir=$4
exe='' more=''
if [ "$os" = windows ]; then exe=.exe more=./cmd/amazon-ssm-agent-setup; fi
mkdir -p "$dir"
stamp="-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=$version"
go=${GO:-go}
toolchain=$(sed -n 's/^const Toolchain = "\(.*\)"$/\1/p' installer/build/compile.go) # the one pin; where it is not installed, go fetches it
set -- GOENV=off # what `go env -w` wrote decides nothing but where things lie and come from
for name in GOCACHE GOMODCACHE GOPATH GOPROXY GOPRIVATE GONOPROXY GONOSUMDB GOSUMDB GOINSECURE; do set -- "$@" "$name=$("$go" env $name)"; done
env "$@" CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN="${toolchain:?}" GOWORK=off GOEXPERIMENT= GODEBUG= GOFIPS140=off GOOS="$os" GOARCH="$arch" \
	GOAMD64=v1 GO386=sse2 GOARM=6 GOARM64=v8.0 \
	"$go" build -mod=readonly -trimpath -buildvcs=false -ldflags "$stamp" -o "$dir/" \
	./cmd/amazon-ssm-agent ./cmd/ssm-agent-worker ./cmd/ssm-setup $more
cd "$dir"
for name in ssm-cli ssm-document-worker ssm-session-worker ssm-session-logger; do ln -f "amazon-ssm-agent$exe" "$name$exe"; done
ln -f "ssm-agent-worker$exe" "updater$exe"
ln -f "ssm-setup$exe" "ssm-setup-cli$exe"
