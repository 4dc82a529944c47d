#!/bin/sh
# Every system call of a good update, a broken one and a rollback: killed at, torn, failing once and for ever, and pairs of these; see
# go doc ./test/crash. Takes hours; WITHIN=20m begins no run after that time. SEED is 10. The log goes to docs/proof/.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 AWS_EC2_METADATA_DISABLED=true
{
  echo "commit $(git rev-parse HEAD), $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
  go test -count=1 -timeout 24h -v ./test/crash -args -only "" -kinds kill,error,pair -sample 0 -roots "${ROOTS:-6}" -seed "${SEED:-10}" \
    -begin-within "${WITHIN:-24h}"
} 2>&1 | tee "${LOG:-docs/proof/crash.log}"
