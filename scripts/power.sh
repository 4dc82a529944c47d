#!/bin/sh
# Power cuts at random moments of updates and exchanges, in booted machines on ext4 and xfs (test/boot): needs root, mmdebstrap,
# systemd-nspawn and xfsprogs, and takes half an hour. SEED is 1, CUTS 100, EXCHANGES 16. The log goes to docs/proof/.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 AWS_EC2_METADATA_DISABLED=true
log=${LOGS:-docs/proof}/power.log
{
  echo "commit $(git rev-parse HEAD), $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg), seed ${SEED:-1}"
  POWER_CUTS=${CUTS:-100} POWER_MACHINES=${MACHINES:-4} POWER_EXCHANGES=${EXCHANGES:-16} POWER_SEED=${SEED:-1} \
    go test -count=1 -tags boot -timeout 6h -v -run 'PowerCuts' ./test/boot || echo FAILED
} 2>&1 | grep -v -E '^(=== )' | tee "$log"
! grep -q -E 'FAIL' "$log"
