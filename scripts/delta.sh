#!/bin/sh
# How small deltas are: seven pairs of commits of this history, the agent's program of each built as releases are, and the delta against
# the compressed package of the newer one. Besides: zstd's way with a dictionary, the memory and time that applying takes, and other
# flags of the linker. ROWS='50|dependency' measures only pairs with such names. Needs the whole history, zstd and GNU time; the log goes to docs/proof/delta.log. 10 to 30 minutes.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 GOFLAGS=
here=$PWD work=$(mktemp -d)
trap 'git worktree remove --force "$work/tree" >/dev/null 2>&1; rm -rf "$work"' EXIT
# what it is, the older commit, the newer one
pairs="stamp-only f533a3f f533a3f
1-apart f533a3f~1 f533a3f
1-apart-large 4863a40~1 4863a40
5-apart f533a3f~5 f533a3f
20-apart 4863a40~20 4863a40
50-apart f533a3f~50 f533a3f
150-apart f533a3f~150 f533a3f
1-apart-and-a-dependency f533a3f~1 f533a3f"
pairs=$(echo "$pairs" | grep -E "${ROWS:-.}")
git worktree add --detach "$work/tree" f533a3f >/dev/null 2>&1
go test -c -o "$work/delta.test" ./installer/delta
build() { # commit, version, name, further flags of the linker, module@version
  cd "$work/tree" && git checkout -q --force --detach "$1"
  if [ -n "${5:-}" ]; then go get "$5" >/dev/null 2>&1 && go mod tidy >/dev/null 2>&1; fi
  for program in amazon-ssm-agent ssm-agent-worker; do
    mkdir -p "$work/$3"
    GOOS=${OS:-linux} GOARCH=${ARCH:-amd64} go build -mod=readonly -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=$2 $4" -o "$work/$3/$program" "./cmd/$program"
  done
  git checkout -q --force . && cd "$here"
}
measure() { # name, further flags, a module at another version for the older side
  old=$work/old/ssm-agent-worker new=$work/new/ssm-agent-worker
  tar -C "$work/new" -cf - . | gzip -9 >"$work/full"
  full=$(wc -c <"$work/full")
  DELTA_OLD=$old DELTA_NEW=$new DELTA_OUT=$work/patch "$work/delta.test" -test.run TestRatioOfTwoPrograms >/dev/null
  patch=$(wc -c <"$work/patch")
  other=$(zstd -q -19 --long=27 --patch-from="$old" -c "$new" 2>/dev/null | wc -c)
  echo "$1 $full $patch $other" | awk '{printf "%-36s package %8d  delta %7d = %6.2f %%  zstd --patch-from %7d = %6.2f %%\n", $1, $2, $3, $3*100/$2, $4, $4*100/$2}'
}
{
  echo "commit $(git rev-parse HEAD), $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) processors, $(go version), ${OS:-linux}/${ARCH:-amd64}"
  echo "$pairs" | while read -r name older newer; do
    module=
    case $name in *dependency) module=${BUMP:-github.com/aws/smithy-go@v1.28.7} ;; esac
    build "$older" 9.1.0.0 old "" "$module"
    build "$newer" 9.2.0.0 new ""
    measure "$name"
    case $name in 50-apart)
      cp "$work/patch" "$work/patch50"; mkdir -p "$work/at50"; cp "$work/old/ssm-agent-worker" "$work/at50/old" ;;
    esac
  done
  for flags in "-buildid=" "-funcalign=64" "-funcalign=128"; do
    build f533a3f~1 9.1.0.0 old "$flags"
    build f533a3f 9.2.0.0 new "$flags"
    measure "1-apart,$flags"
  done
  echo "applying the delta of 50 commits, as a process of its own:"
  DELTA_OLD=$work/at50/old DELTA_PATCH=$work/patch50 /usr/bin/time -f "%M KiB of memory at most, %U s" "$work/delta.test" -test.run TestApplyAlone | grep -v ok || true
} 2>&1 | tee "${LOG:-docs/proof/delta.log}"
