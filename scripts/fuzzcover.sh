#!/bin/sh
# How much of its reader each fuzz target reaches with its seeds alone, in statements: scripts/fuzzcover.sh [WORD, only lines of
# scripts/fuzz.txt with it]. At 60 % and below a target tries what its reader refuses at once: then it fails, as it does when a target or a
# reader is not in that list. docs/proof/fuzz.md keeps one run.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
list=scripts/fuzz.txt least=60 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git grep -n '^func Fuzz' -- '*_test.go' | sed 's|^\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z0-9_]*\).*|\1 \2|' | sort >"$work/there"
grep -v '^#' "$list" | cut -d' ' -f1,2 | sort >"$work/listed"
if ! diff "$work/there" "$work/listed" >&2; then
  echo "$list does not list the fuzz targets that there are" >&2
  failed=1
fi

# share of a profile's statements that were reached in the reader's files and functions: "reached all".
share() {
  go tool cover -func "$work/profile" | sed 's|^[^:]*/\([^/]*\.go\):\([0-9]*\):[[:space:]]*\([^[:space:]]*\).*|\1 \2 \3|' | grep -v '^total' >"$work/functions"
  sed 1d "$work/profile" | sed 's|^.*/\([^/]*\.go\):\([0-9]*\)\.[0-9]*,[0-9.]* \([0-9]*\) \([0-9]*\)$|\1 \2 \3 \4|' |
    awk -v reader="$1" -v functions="$work/functions" '
      BEGIN {
        n = split(reader, parts, ","); for (i = 1; i <= n; i++) wanted[parts[i]] = 1
        while ((getline line < functions) > 0) { split(line, f, " "); k = ++count[f[1]]; start[f[1], k] = f[2]; name[f[1], k] = f[3] }
      }
      {
        in_function = ""
        for (k = 1; k <= count[$1]; k++) if (start[$1, k] <= $2) in_function = name[$1, k]
        whole = ($1 in wanted); one = ($1 ":" in_function in wanted)
        if (!whole && !one) next
        seen[whole ? $1 : $1 ":" in_function] = 1
        all += $3; if ($4 > 0) reached += $3
      }
      END {
        for (w in wanted) if (!(w in seen)) print "the room has no statements in " w > "/dev/stderr"
        print reached + 0, all + 0
      }'
}

echo "| room | target | reader | statements | reached |"
echo "| --- | --- | --- | --- | --- |"
grep -v '^#' "$list" | grep -- "${1:-}" >"$work/todo"
while read -r room target reader; do
  go test -run "^$target\$" -coverprofile "$work/profile" "./$room" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
  set -- $(share "$reader")
  percent=$((100 * $1 / ($2 + ($2 == 0))))
  echo "| $room | $target | $(echo "$reader" | sed 's/,/, /g') | $2 | $percent % |"
  if [ "$percent" -le "$least" ]; then
    echo "$room $target reaches $percent % of its reader, more than $least % are wanted" >&2
    failed=1
  fi
done <"$work/todo"
exit "$failed"
