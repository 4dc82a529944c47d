#!/bin/sh
# A region in a container (compose.yaml): serves, publishes what lies in DIST, and leaves an activation for ten hosts in SHARED.
set -eu
listen=${LISTEN:-0.0.0.0:7700}
port=${listen##*:}
ssm-setup local --data "${DATA:-/data}" --listen "$listen" &
region=$!
trap 'kill "$region"; wait "$region"; exit 0' TERM INT
export AWS_SHARED_CREDENTIALS_FILE="${DATA:-/data}/credentials"
i=0
until aws --endpoint-url "http://127.0.0.1:$port" --region local ssm describe-instance-information >/dev/null 2>&1; do
  i=$((i + 1)); [ "$i" -lt 300 ] || { echo "the region does not answer" >&2; exit 1; }
  sleep 0.2
done
ssm-setup publish --from "${DIST:-/dist}" --region local --endpoint "http://127.0.0.1:$port"
aws --endpoint-url "http://127.0.0.1:$port" --region local ssm create-activation --iam-role local --registration-limit 10 \
  --query '[ActivationId,ActivationCode]' --output text |
  (read -r id code; printf 'SSM_ACTIVATION_ID=%s\nSSM_ACTIVATION_CODE=%s\n' "$id" "$code") >"$SHARED/activation.new"
mv "$SHARED/activation.new" "$SHARED/activation"
wait "$region"
