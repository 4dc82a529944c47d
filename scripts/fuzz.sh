#!/bin/sh
# Every fuzz target of the project, one after the other, each for a while: scripts/fuzz.sh [TIME, 10s if not said]. What one
# finds is written below testdata/fuzz beside it and fails its test from then on.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
git grep -n '^func Fuzz' -- '*_test.go' | sed 's|^\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z0-9_]*\).*|\1 \2|' | while read -r room target; do
  said=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-10s}" -fuzzminimizetime 20x "./$room" 2>&1) || { echo "$said"; exit 1; }
  echo "$room $target: $(echo "$said" | sed -n 's/.*\(execs: [0-9]*\).*/\1/p' | tail -1)"
done
