#!/bin/sh
# The attackers of test/attack/attacks.txt, one after the other: local accounts, messages, a hostile network, clients of a local
# region. Each line says whether the attack was held off. Ends with 1 when one was not, or when a listed test did not run.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 AWS_EC2_METADATA_DISABLED=true
list=$(grep -v -e '^#' -e '^$' test/attack/attacks.txt)
said=$(mktemp)
trap 'rm -f "$said"' EXIT
for room in $(echo "$list" | cut -f2 | sort -u); do
  names=$(echo "$list" | awk -F '\t' -v room="$room" '$2 == room {printf "%s%s", sep, $3; sep = "|"}')
  go test -count=1 -timeout 20m -v -run "^($names)\$" "./$room" >>"$said" 2>&1 || true
done
echo "$list" | awk -F '\t' -v said="$said" '
  BEGIN { while ((getline line < said) > 0) if (line ~ /^--- /) { split(line, w, /[ :]+/); result[w[3]] = w[2] } }
  {
    text = ""
    for (name = substr($3, 5); match(name, /^([A-Z]+([A-Z][a-z]|$)|[A-Z][a-z]*|[0-9]+)/); name = substr(name, length(w) + 1)) {
      w = substr(name, 1, RLENGTH)
      if (w ~ /^[A-Z][A-Z]+[a-z]$/) w = substr(w, 1, length(w) - 2)
      text = text (text == "" ? "" : " ") (w ~ /^[A-Z][A-Z]+$/ ? w : tolower(w))
    }
    word = result[$3] == "PASS" ? "held off" : result[$3] == "SKIP" ? "left out" : "NOT HELD"
    if (word == "NOT HELD") bad++
    if (word == "left out") out++
    printf "%-8s  %-8s  %s\n", word, $1, text
  }
  END { printf "%d attacks, %d not held off, %d left out (run as root on Linux for all)\n", NR, bad, out; exit bad > 0 }' || {
  grep -v -e '^=== ' -e '^--- PASS' "$said" | head -60; exit 1; }
