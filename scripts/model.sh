#!/bin/sh
# Explores test/model beyond what CI does: one fault in every history of every scenario, then two in those of the shorter ones. The log
# goes to docs/proof/model.log with the commit.
set -eu
cd "$(dirname "$0")/.."
{
  echo "commit $(git rev-parse HEAD), $(date -u +%Y-%m-%d)"
  go test ./test/model -count=1 -timeout 12h -run TestEveryHistoryEndsInOneHealthyVersionAndATrueRecord -v -args -long
} 2>&1 | tee docs/proof/model.log
