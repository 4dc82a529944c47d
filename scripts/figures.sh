#!/bin/sh
# The figures of updates, as a table: time without an agent over 200 updates, idle and under commands (test/soak), how long a broken
# release is tried and what a small download weighs (from docs/proof, where their long runs left them), what an idle host asks of its
# region (test/simulation). Ten minutes on two processors with nothing else to do; needs the whole history, and jq. SEED is 1.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 AWS_EC2_METADATA_DISABLED=true
mkdir -p build
go build -trimpath -buildvcs=false -o build/soak ./test/soak
go build -trimpath -buildvcs=false -o build/simulation ./test/simulation
echo "commit $(git rev-parse HEAD), $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)" >&2
for load in 0 2; do
  build/soak --updates "${UPDATES:-200}" --seed "${SEED:-1}" --load $load --hosts $((load / 2 + 2)) --long-watch 0 --every 100000 \
    --json build/figures-$load.json >build/figures-$load.log || { tail -5 build/figures-$load.log >&2; exit 1; }
done
build/simulation --json build/figures-simulation.json >/dev/null
of() { jq -r "$2" "build/figures-$1.json"; }
gap() { of "$1" '"\(.downtime_p50_ms) ms, \(.downtime_p99_ms) ms, at most \(.downtime_max_ms) ms"'; }
n() { of "$1" '"\(.updates), \(.on_trial) of them on trial"'; }
echo "| | | n |"
echo "| --- | --- | --- |"
echo "| without an agent in an update, idle: median, 99th percentile | $(gap 0) | $(n 0) |"
echo "| the same under two commands at a time | $(gap 2) | $(n 2) |"
echo "| commands of that: sent, answered, executed | $(of 2 '"\(.sent), \(.answered), \(.executed)"') | |"
echo "| an update needs for a while: memory, disk | $(of 0 '"\(.memory_peak_bytes / 100000 | round / 10) MB, \(.disk_peak_bytes / 100000 | round / 10) MB"') | $(of 0 .updates) |"
echo "| requests of an idle host in an hour | $(of simulation '.idle_requests_per_host_and_hour * 100 | round / 100') | $(of simulation .hosts) hosts, simulated |"
awk '/^class +runs/ { on = 1; next }
  on && match($0, / +[0-9]+ +[0-9]+  /) {
    split(substr($0, RSTART), n, " "); class = substr($0, 1, RSTART - 1)
    next_start = ""; all = ""
    if (match($0, /1\. fault [0-9. ]+ s/)) next_start = substr($0, RSTART + 9, RLENGTH - 9)
    if (match($0, /in all [0-9. ]+ s/)) all = ", the version before is back after " substr($0, RSTART + 7, RLENGTH - 7)
    printf "| %s: from the fault to the next start%s (shortest, median, longest) | %s%s | %s |\n", class, all == "" ? "" : ", and from the first start", next_start, all, n[1]
  }' docs/proof/detection-this.log
awk '$2 == "package" { printf "| delta, %s | %s %%: %d of %d bytes | 1 |\n", $1, $7, $5, $3 }' docs/proof/delta.log | awk '!seen[$3]++'
