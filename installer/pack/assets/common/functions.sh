# What the maintainer scripts share. POSIX sh; also read by shells without local.
state=/var/lib/amazon/ssm
unit=amazon-ssm-agent
agent=/usr/bin/amazon-ssm-agent
mark=$state/service-before-removal

# supervisor says who runs services here: systemd, upstart or nothing (a container, a root being built).
supervisor() {
	case "$(cat /proc/1/comm 2>/dev/null)" in
	systemd) if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then echo systemd; fi ;;
	init) if command -v initctl >/dev/null 2>&1; then echo upstart; fi ;;
	esac
	return 0
}

running() {
	case "$(supervisor)" in
	systemd)
		case "$(systemctl is-active $unit.service 2>/dev/null)" in
		active | activating | reloading) return 0 ;;
		esac
		return 1
		;;
	upstart) initctl status $unit 2>/dev/null | grep -q 'start/' ;;
	*) return 1 ;;
	esac
}

enabled() {
	case "$(supervisor)" in
	systemd) systemctl is-enabled --quiet $unit.service 2>/dev/null ;;
	upstart) return 0 ;;
	*) return 1 ;;
	esac
}

reload() {
	case "$(supervisor)" in
	systemd) systemctl daemon-reload || true ;;
	upstart) initctl reload-configuration || true ;;
	esac
}

# act does start, stop, restart, enable, disable or preset; a service that does not obey never fails a package.
act() {
	case "$(supervisor)" in
	systemd) systemctl "$1" $unit.service || echo "amazon-ssm-agent: cannot $1 the service" >&2 ;;
	upstart)
		case "$1" in
		start | stop | restart) initctl "$1" $unit >/dev/null 2>&1 || true ;;
		esac
		;;
	esac
	return 0
}

restart_if_running() {
	running || return 0
	if may_restart; then act restart; else echo "amazon-ssm-agent: the new version runs after the service's next restart" >&2; fi
}

# may_restart is false where an admin of SUSE forbade that updates restart services.
may_restart() {
	case "$(sed -n 's/^[[:space:]]*DISABLE_RESTART_ON_UPDATE=//p' "${sysconfig:-/etc/sysconfig/services}" 2>/dev/null | tr -d "\"' ")" in
	yes | 1) return 1 ;;
	esac
	return 0
}

# refuse_snap ends the script where the agent is installed as a snap: two agents must not share a machine.
refuse_snap() {
	command -v snap >/dev/null 2>&1 || return 0
	[ "$(supervisor)" = systemd ] || return 0
	systemctl is-active --quiet snapd.service 2>/dev/null || return 0
	snap list $unit >/dev/null 2>&1 || return 0
	echo "-> Amazon-ssm-agent is installed in this instance by snap, please use snap to update or uninstall."
	exit 1
}

# within runs a command for at most so many seconds, where the system can.
within() {
	seconds=$1
	shift
	if command -v timeout >/dev/null 2>&1; then timeout "$seconds" "$@"; else "$@"; fi
}

# keep_floor has the version that is about to be replaced keep itself, so that a broken package is survived too. Only an
# agent of ours knows the word: it states a version of 9 or higher.
keep_floor() {
	[ -x $agent ] || return 0
	case "$(within 20 $agent -version 2>/dev/null </dev/null)" in
	"SSM Agent version: 9."* | "SSM Agent version: "[1-9][0-9]*.*) within 60 $agent updater keep-floor </dev/null >/dev/null 2>&1 || true ;;
	esac
	return 0
}

# descends tells whether this script was started, directly or not, by the given process.
descends() {
	at=$$
	while [ "${at:-0}" -gt 1 ]; do
		if [ "$at" = "$1" ]; then return 0; fi
		at=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$at/status" 2>/dev/null || true)
	done
	return 1
}

# updates tells whether a living process may hold the lock of updates: an updater, an agent, or a script like this one. Any other got
# the id of one that is gone. Where the system does not tell, the process is believed.
updates() {
	kill -0 "$1" 2>/dev/null || return 1
	program=$(readlink "/proc/$1/exe" 2>/dev/null) || return 0
	program=${program%" (deleted)"}
	case "${program##*/}" in
	updater | amazon-ssm-agent | ssm-agent-worker | ssm-document-worker | ssm-setup | ssm-setup-cli) return 0 ;;
	sh | ash | dash | bash | busybox) return 0 ;;
	esac
	return 1
}

# lock_updates takes the lock that updates of the agent hold (a pid file, hard-linked into place). A holder that is none (any more)
# or whose time has run out, an hour if it does not say, does not count, nor does an update that runs this very script.
lock_updates() {
	[ -d $state ] || return 0
	lock=$state/update.lock
	tries=0
	while :; do
		(umask 077 && echo $$ >"$lock.$$") || return 0
		if ln "$lock.$$" "$lock" 2>/dev/null; then
			(umask 077 && echo $(($(date +%s) + 3600)) >"$lock.expire")
			rm -f "$lock.$$"
			return 0
		fi
		rm -f "$lock.$$"
		holder=$(cat "$lock" 2>/dev/null || true)
		expires=$(cat "$lock.expire" 2>/dev/null || true)
		case "$holder" in
		'' | *[!0-9]*) rm -f "$lock" ;;
		*)
			if descends "$holder"; then return 0; fi
			case "$expires" in '' | *[!0-9]*) expires=$(($(date -r "$lock" +%s 2>/dev/null || date +%s) + 3600)) ;; esac
			if ! updates "$holder" || [ "$expires" -lt "$(date +%s)" ]; then rm -f "$lock"; fi
			;;
		esac
		tries=$((tries + 1))
		if [ $tries -gt 60 ]; then
			echo "amazon-ssm-agent: process $holder updates the agent right now; try again when it is done" >&2
			exit 1
		fi
		if [ -e "$lock" ]; then sleep 1; fi
	done
}

unlock_updates() {
	if [ "$(cat $state/update.lock 2>/dev/null)" = "$$" ]; then rm -f $state/update.lock $state/update.lock.expire; fi
	return 0
}

# forget_versions removes what updates put beside the package. Data, logs, settings and the registration stay.
forget_versions() {
	for part in store pointer probation lock ledger pulse update download; do
		rm -rf "${state:?}/$part"
	done
}

# remember writes down how the service stood before a removal; restore brings that back.
remember() {
	[ -d $state ] || return 0
	words=
	if enabled; then words=enabled; fi
	if running; then words="$words running"; fi
	echo "$words" >$mark
}

restore() {
	words=$(cat $mark 2>/dev/null || true)
	rm -f $mark
	case "$words" in *enabled*) act enable ;; esac
	case "$words" in *running*) act start ;; esac
}

# begin is the end of a first installation from an rpm: the presets of the system decide whether the service is enabled (this
# package's own says that it is; an admin's comes before it), and what is enabled starts.
begin() {
	act preset
	if enabled; then act start; fi
}
