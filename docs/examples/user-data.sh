#!/bin/sh
# User data of a machine that is to be a managed node, for any cloud or hypervisor. Its variables are put in before it by what
# starts the machine (see terraform.tf). The activation should allow one machine and live for minutes: user data can be read on the machine.
set -eu
: "${REGION:?}" "${SSM_SETUP_SOURCE:?}" "${SSM_ACTIVATION_ID:?}" "${SSM_ACTIVATION_CODE:?}"
: "${TOOL:?}" "${TOOL_SHA256:?}" # ssm-setup of the release, for example …/latest/linux_amd64/ssm-setup, and its line in SHA256SUMS
export SSM_SETUP_SOURCE SSM_ACTIVATION_ID SSM_ACTIVATION_CODE

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
curl -fsS --retry 5 -o "$work/ssm-setup" "$TOOL"
echo "$TOOL_SHA256  $work/ssm-setup" | sha256sum -c -
chmod +x "$work/ssm-setup"
# Running it again is harmless, so a reboot in the middle does no harm either.
"$work/ssm-setup" install --region "$REGION" ${ROOT:+--root "$ROOT"}
