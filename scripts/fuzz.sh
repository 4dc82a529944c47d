#!/bin/sh
# Every fuzz target of the project, one after the other, each for a while: scripts/fuzz.sh [TIME, 10s if not said]. What one
# finds is written below testdata/fuzz beside it and fails its test from then on.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0

# fuzz runs one target. Go before 1.27 takes the end of the time for a failure now and then (golang.org/issue/75804): it says so
# and nothing else, and writes no input. Then the target has its time again.
fuzz() {
  for try in 1 2 3 4 5; do
    said=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 20x "./$1" 2>&1) && return
    case $said in
    *'Failing input'* | *panic* | *fatal*) return 1 ;;
    *"--- FAIL: $2 ("*'    context deadline exceeded'*) ;;
    *) return 1 ;;
    esac
  done
  return 1
}

git grep -n '^func Fuzz' -- '*_test.go' | sed 's|^\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z0-9_]*\).*|\1 \2|' | while read -r room target; do
  fuzz "$room" "$target" "${1:-10s}" || { echo "$said"; exit 1; }
  echo "$room $target: $(echo "$said" | sed -n 's/.*\(execs: [0-9]*\).*/\1/p' | tail -1)"
done
