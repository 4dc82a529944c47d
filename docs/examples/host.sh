#!/bin/sh
# A host in a container (Dockerfile): registered once, then the agent runs until the container is stopped.
#   SSM_ACTIVATION_ID, SSM_ACTIVATION_CODE   an activation, or with a folder SHARED the file that region.sh writes there
#   REGION, ENDPOINT                         where to register; ENDPOINT for a local region
set -eu
root=${ROOT:-/host}
if [ -n "${SHARED:-}" ]; then
  i=0
  until [ -s "$SHARED/activation" ]; do
    i=$((i + 1)); [ "$i" -lt 300 ] || { echo "no activation in $SHARED" >&2; exit 1; }
    sleep 1
  done
  # shellcheck source=/dev/null
  . "$SHARED/activation"
  export SSM_ACTIVATION_ID SSM_ACTIVATION_CODE
fi
ssm-setup install --region "$REGION" ${ENDPOINT:+--endpoint "$ENDPOINT" --allow-insecure} --root "$root"
trap 'ssm-setup uninstall --root "$root"; exit 0' TERM INT
while ssm-setup status --root "$root" >/dev/null; do
  sleep 5 & wait $!
done
