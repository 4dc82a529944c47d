#!/bin/sh
# How long hosts go without a working agent while a broken release is on trial: twenty runs of each class in each pairing of launcher
# and updater, four hosts at a time. Needs the whole history (the earlier release is built from it) and takes two hours; one pairing:
# PAIRS=this. SEED and RUNS are 20. The logs go to docs/proof/.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 AWS_EC2_METADATA_DISABLED=true
commit=$(git rev-parse HEAD)
for pair in ${PAIRS:-this launcher updater}; do
  {
    echo "commit $commit, $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
    go test -count=1 -timeout 6h -v ./test/detection -args -long -pair "$pair" -runs "${RUNS:-20}" -roots "${ROOTS:-4}" -seed "${SEED:-20}" \
      -begin-within "${WITHIN:-24h}"
  } 2>&1 | tee "${LOGS:-docs/proof}/detection-$pair.log"
done
