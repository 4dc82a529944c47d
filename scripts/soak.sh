#!/bin/sh
# Updates back and forth under a load of commands, half an hour on two processors: test/soak says what is counted. Needs the whole history
# (earlier releases are built from it). SEED is 1; a run that stopped goes on with FROM, the number of the update. The log goes to
# docs/proof/, the same as data to build/soak.json.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 AWS_EC2_METADATA_DISABLED=true
logs=${LOGS:-docs/proof}
mkdir -p build
go build -trimpath -buildvcs=false -o build/soak ./test/soak
build/soak --updates "${UPDATES:-1200}" --seed "${SEED:-1}" --from "${FROM:-1}" --hosts "${HOSTS:-3}" --json build/soak.json 2>&1 | tee "$logs/soak.log"
! grep -q FAULT "$logs/soak.log"
