#!/bin/sh
# Called by the updater of an original agent, in the folder this archive was unpacked into. Exit codes: 0 done, 1 bad arguments,
# files missing or the service did not start, 124 no supported init system, 125 the package manager failed.
unit=amazon-ssm-agent
cd "$(dirname "$0")" || exit 1

# supervisor says who runs services here: systemd, upstart, or nothing.
supervisor() {
	case "$(cat /proc/1/comm 2>/dev/null)" in
	systemd) if command -v systemctl >/dev/null 2>&1; then echo systemd; fi ;;
	init) if command -v initctl >/dev/null 2>&1; then echo upstart; fi ;;
	esac
}

unsupported() {
	echo "The amazon-ssm-agent is not supported on this platform. Please visit the documentation for the list of supported platforms" >&2
	exit 124
}

running() {
	case "$init" in
	systemd) systemctl is-active --quiet "$unit.service" ;;
	upstart) initctl status $unit 2>/dev/null | grep -q start/running ;;
	esac
}

stop() {
	running || return 0
	echo "Stopping $unit"
	case "$init" in
	systemd) systemctl stop "$unit.service" ;;
	upstart) initctl stop $unit ;;
	esac
}

# start ends the script: with 0 when the service runs, be it only after some seconds, else with 1.
start() {
	if [ "$init" = systemd ]; then systemctl daemon-reload; fi
	if ! running; then
		echo "Starting $unit"
		case "$init" in
		systemd) systemctl start "$unit.service" ;;
		upstart) initctl start $unit ;;
		esac
	fi
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		if running; then
			echo "$unit is running"
			exit 0
		fi
		sleep 1
	done
	echo "$unit does not run after 10 seconds" >&2
	if [ "$init" = systemd ]; then systemctl status "$unit.service" >&2; fi
	exit 1
}

# arguments checks a call: without any, or register-managed-instance CODE ID REGION.
arguments() {
	case "$1" in
	'') ;;
	register-managed-instance | RegisterManagedInstance)
		if [ $# -ne 4 ]; then
			echo "[ERROR] Not enough parameters for RegisterManagedInstance." >&2
			exit 1
		fi
		;;
	*)
		echo "[ERROR] Unknown argument $1." >&2
		exit 1
		;;
	esac
}

# register takes the arguments of a call, checked; the service must be stopped. Its caller starts the service again, whatever
# comes of it. The agent gets the activation by its environment: every account can read the arguments of a program.
register() {
	[ $# -ne 4 ] || SSM_ACTIVATION_CODE=$2 SSM_ACTIVATION_ID=$3 "${agent:-amazon-ssm-agent}" -register -y -region "$4"
}

# foreign tells whether a version is an original's: its own scripts stop and start it; ours never need that.
foreign() {
	case "$1" in
	[0-8].*) return 0 ;;
	esac
	return 1
}
