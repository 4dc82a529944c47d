# What the two scripts share. POSIX sh.
volume=${3:-/}
if [ "$volume" = / ]; then volume=; fi
home=$volume/opt/aws/ssm
state=$home/data
agent=$home/bin/amazon-ssm-agent
worker=$home/bin/ssm-agent-worker
label=com.amazon.aws.ssm
plist=$volume/Library/LaunchDaemons/$label.plist
properties=$home/registration.properties
mark=$home/service-before-upgrade

# live tells whether the target is the running system; only there launchd and the agent have a part.
live() { [ -z "$volume" ]; }

say() { echo "amazon-ssm-agent: $*" >&2; }

loaded() { launchctl print "system/$label" >/dev/null 2>&1; }

disabled() { launchctl print-disabled system 2>/dev/null | grep -Eq "\"$label\" => (disabled|true)"; }

# within runs a command for at most so many seconds, and leaves nothing running behind.
within() {
	seconds=$1
	shift
	"$@" &
	job=$!
	(
		sleep "$seconds" &
		nap=$!
		trap 'kill $nap' TERM
		wait $nap && kill "$job"
	) >/dev/null 2>&1 &
	guard=$!
	ended=0
	wait "$job" || ended=$?
	kill "$guard" 2>/dev/null || true
	return $ended
}

# keep_floor has the version that is about to be replaced keep itself, so that a broken package is survived too. Only an
# agent of ours knows the word: it states a version of 9 or higher.
keep_floor() {
	[ -x "$agent" ] || return 0
	case "$(within 20 "$agent" -version 2>/dev/null </dev/null)" in
	"SSM Agent version: 9."* | "SSM Agent version: "[1-9][0-9]*.*) within 60 "$agent" updater keep-floor </dev/null >/dev/null 2>&1 || true ;;
	esac
	return 0
}

# definition is a figure of the job's definition, to see whether a package changes it.
definition() { cksum <"$plist" 2>/dev/null | tr ' ' -; }

# start starts the job, anew where it runs. A service that does not obey never fails a package.
start() {
	if loaded; then
		launchctl kickstart -k "system/$label" || say "cannot restart the service"
	else
		load || say "cannot start the service"
	fi
}

# load makes the job's definition known, which starts it. Just after it was unloaded launchd may still be busy with that.
load() {
	tries=0
	until launchctl bootstrap system "$plist" 2>/dev/null; do
		tries=$((tries + 1))
		if [ $tries -ge 10 ]; then return 1; fi
		sleep 1
	done
}

reload() {
	launchctl bootout "system/$label" 2>/dev/null || true
	load || say "cannot start the service"
}

# property is a line NAME=value of the property file.
property() {
	sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$properties" 2>/dev/null | tr -d '\r' | sed -n 's/[[:space:]]*$//;$p'
}

# setting is the first of several properties that is there.
setting() {
	for name in "$@"; do
		found=$(property "$name")
		if [ -n "$found" ]; then
			echo "$found"
			return
		fi
	done
}

# only_ours tells whether a file belongs to root (or the account that runs this) and no other account may write it.
only_ours() { [ -n "$(find "$1" -prune -type f -user "$(id -u)" ! -perm -0020 ! -perm -0002 2>/dev/null)" ]; }

# odd tells whether a setting holds a character that has no place in it.
odd() {
	case "$1" in
	*[!A-Za-z0-9_+/=.:@-]*) return 0 ;;
	esac
	return 1
}

# settle writes settings that name other addresses of the services, or where packages come from. The agent decides what is an address,
# and which is plain http to another machine.
settle() {
	[ -n "$address$source" ] || return 0
	case "$address" in
	'' | http://* | https://*) ;;
	*)
		say "ENDPOINT is no http:// or https:// address"
		return 1
		;;
	esac
	if [ -e "$home/amazon-ssm-agent.json" ]; then
		say "amazon-ssm-agent.json is there already and stays; ENDPOINT and SOURCE were not written into it"
		return 0
	fi
	if ! within 60 "$worker" package settings -region "$region" -endpoint "$address" -allow-insecure="$insecure" -source "$source" </dev/null
	then
		say "ENDPOINT, SOURCE and ALLOW_INSECURE are not settings as they stand: not registered"
		return 1
	fi
	settled=yes
}

# settled_as says how it ended: a file of settings that led to no registration goes, so that the next try can write another.
settled_as() {
	if [ -n "$settled" ]; then within 60 "$worker" package settings "$1" </dev/null || true; fi
}

# register registers this machine with what the property file says, or the environment where there is none. A machine that is
# registered stays so. The file holds a secret and is removed once it was used.
register() {
	region='' code='' id='' address='' source='' insecure='' settled=''
	if [ -e "$properties" ]; then
		if ! only_ours "$properties"; then
			say "registration.properties must belong to root, and no other account may write it: not registered"
			return 1
		fi
		region=$(setting REGION) code=$(setting CODE ACTIVATION_CODE) id=$(setting ID ACTIVATION_ID) address=$(setting ENDPOINT)
		source=$(setting SOURCE) insecure=$(setting ALLOW_INSECURE)
	else
		region=$SSM_REGION code=$SSM_ACTIVATION_CODE id=$SSM_ACTIVATION_ID address=$SSM_ENDPOINT
		source=$SSM_SOURCE insecure=$SSM_ALLOW_INSECURE
	fi
	if [ -z "$region$code$id" ]; then return 0; fi
	if [ -s "$state/registration" ]; then
		say "this machine is registered already, and stays so"
		return 0
	fi
	if [ -z "$region" ] || [ -z "$code" ] || [ -z "$id" ] || odd "$region$code$id$address"; then
		say "a registration needs REGION, CODE and ID, of letters, figures and - : not registered"
		return 1
	fi
	settle || return 1
	# By the environment: every account may read a list of processes.
	if ! (
		export SSM_ACTIVATION_CODE="$code" SSM_ACTIVATION_ID="$id"
		within 120 "$agent" -register -y -region "$region" </dev/null
	); then
		settled_as -undo
		say "this machine could not be registered; the agent is installed, see amazon-ssm-agent -register"
		return 1
	fi
	settled_as -keep
	rm -f "$properties"
}
