# What the maintainer scripts share. POSIX sh; also read by shells without local.
state=/var/lib/amazon/ssm
unit=amazon-ssm-agent
agent=/usr/bin/amazon-ssm-agent
mark=$state/service-before-removal
units=/etc/systemd/system
wants=$units/multi-user.target.wants/$unit.service
packaged='/usr/lib/systemd/system /lib/systemd/system'
presets='/etc/systemd/system-preset /run/systemd/system-preset /usr/lib/systemd/system-preset'
kept=$state/unit-before-upgrade
systemctl=systemctl

# supervisor says who runs services here: systemd, upstart or nothing (a chroot, an image or a container being built). It needs no
# program but the shell, like all that runs before the files of an rpm are there.
supervisor() {
	init=
	if [ -r /proc/1/comm ]; then read -r init </proc/1/comm || true; fi
	case "$init" in
	systemd) if [ -d /run/systemd/system ] && command -v $systemctl >/dev/null 2>&1 && ! chrooted; then echo systemd; fi ;;
	init) if command -v initctl >/dev/null 2>&1; then echo upstart; fi ;;
	esac
	return 0
}

# chrooted tells whether the service manager has another root folder than this script.
chrooted() {
	theirs=$(stat -Lc %d:%i /proc/1/root/. 2>/dev/null) || return 1
	[ "$theirs" != "$(stat -Lc %d:%i /. 2>/dev/null)" ]
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
	*) [ -L $wants ] ;;
	esac
}

# masked tells whether an admin keeps the service from ever starting: a link to /dev/null, or an empty file.
masked() {
	for where in $units /run/systemd/system; do
		if [ -e $where/$unit.service ] && [ ! -s $where/$unit.service ]; then return 0; fi
	done
	return 1
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
	*) offline "$1" ;;
	esac
	return 0
}

# end_detached ends the agent of a machine without a service manager. The pid file goes first: it says that the agent is meant to run.
end_detached() {
	pidfile=$state/amazon-ssm-agent.pid
	[ -r $pidfile ] || return 0
	pid=$(tr -d ' ' <$pidfile)
	rm -f $pidfile
	case "$pid" in '' | *[!0-9]*) return 0 ;; esac
	tries=0
	while [ $tries -lt 20 ]; do
		case "$(readlink "/proc/$pid/exe" 2>/dev/null)" in
		"$agent" | "$agent (deleted)") ;;
		*) return 0 ;;
		esac
		if [ $tries -eq 0 ]; then kill "$pid" 2>/dev/null || return 0; fi
		tries=$((tries + 1))
		sleep 1
	done
}

# offline does what a service manager would: stop ends a detached agent; enable, disable and preset have the service there when the
# system boots, by systemctl, which then only makes links, or by hand where systemd is not installed (yet).
offline() {
	case "$1" in
	stop) end_detached; return 0 ;;
	enable | disable | preset) ;;
	*) return 0 ;;
	esac
	if command -v $systemctl >/dev/null 2>&1 && SYSTEMD_OFFLINE=1 $systemctl "$1" $unit.service >/dev/null 2>&1; then return 0; fi
	case "$1" in
	disable) rm -f $wants ;;
	enable) link ;;
	preset) if wanted; then link; else rm -f $wants; fi ;;
	esac
}

# link makes the link by which systemd starts the service at boot; it leads to the unit that counts.
link() {
	for where in $units $packaged; do
		if [ -s $where/$unit.service ]; then
			(umask 022 && mkdir -p ${wants%/*}) && ln -sf $where/$unit.service $wants || true
			return 0
		fi
	done
}

# wanted reads the presets as systemd does: files in the order of their names, one in /etc in place of others of the same name, and
# the first line that fits decides. Without one a service is enabled.
wanted() {
	for name in $(for folder in $presets; do (cd $folder 2>/dev/null && ls); done | LC_ALL=C sort -u); do
		for folder in $presets; do
			if [ ! -r $folder/$name ]; then continue; fi
			while read -r word pattern _; do
				case "$unit.service" in
				$pattern)
					case "$word" in
					enable) return 0 ;;
					disable) return 1 ;;
					esac
					;;
				esac
			done <$folder/$name
			break
		done
	done
	return 0
}

# relink mends the link of an enabled service whose unit went to another folder.
relink() {
	if [ -L $wants ] && [ ! -e $wants ]; then link; fi
	return 0
}

# first enables and starts after a first installation, if the service is not masked.
first() {
	if masked; then return 0; fi
	act enable
	act start
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
	for part in store pointer probation lock ledger pulse facts.json update download; do
		rm -rf "${state:?}/$part"
	done
}

# remember writes down how the service stood before a removal; restore brings that back.
remember() {
	words=
	if enabled; then words=enabled; fi
	if running; then words="$words running"; fi
	note "$words"
}

# note makes the mark, and the folder for it.
note() { (umask 022 && mkdir -p $state && echo "$1" >$mark) || true; }

restore() {
	words=$(cat $mark 2>/dev/null || true)
	rm -f $mark
	if masked; then return 0; fi
	case "$words" in *enabled*) act enable ;; esac
	case "$words" in *running*) act start ;; esac
}

# begin is the end of a first installation from an rpm: the presets of the system decide whether the service is enabled (this
# package's own says that it is; an admin's comes before it), and what is enabled starts.
begin() {
	if masked; then return 0; fi
	act preset
	if enabled; then act start; fi
}

# placed tells what lies in a unit's place: where a link leads, or a figure of the content; nothing where nothing is.
placed() {
	if [ -L "$1" ]; then
		echo "link $(readlink "$1")"
	elif [ -e "$1" ]; then
		echo "file $(cksum <"$1")"
	fi
}

# note_unit and put_unit_back: rpm moves an edited unit of /etc aside (.rpmsave) when it removes a package that had one there, an
# original's or an earlier one of ours. What an admin wrote stays in force; what was not edited, rpm removes.
note_unit() {
	rm -f $kept
	there=$(placed $units/$unit.service)
	if [ -n "$there" ]; then echo "$there" >$kept; fi
}

put_unit_back() {
	[ -e $kept ] || return 0
	saved=$units/$unit.service.rpmsave
	if [ -z "$(placed $units/$unit.service)" ] && [ "$(placed $saved)" = "$(cat $kept)" ]; then mv -f $saved $units/$unit.service; fi
	rm -f $kept
}
