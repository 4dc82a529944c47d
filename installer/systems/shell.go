package systems

import (
	"fmt"
	"strings"
)

// Shell is the function refuse_system for the scripts of Linux packages, POSIX sh: it ends the script with 1 and the reason on a
// system that [Check] would refuse.
func Shell() string {
	var b strings.Builder
	b.WriteString(shellHead)
	for _, s := range Table() {
		switch {
		case s.OS != "linux":
		case s.Refused != "":
			fmt.Fprintf(&b, "\t%s) refused \"%s: %s\" ;;\n", s.ID, s.Name, s.Refused)
		case s.From != "":
			fmt.Fprintf(&b, "\t%s)\n", s.ID)
			if s.Retired != "" {
				fmt.Fprintf(&b, "\t\tcase \"$VERSION_ID\" in %s) refused \"%s $VERSION_ID is older than %s\" ;; esac\n", s.Retired, s.Name, s.From)
			}
			fmt.Fprintf(&b, "\t\tif older \"$VERSION_ID\" %s; then refused \"%s $VERSION_ID is older than %s\"; fi\n\t\t;;\n", s.From, s.Name,
				s.From)
		}
	}
	b.WriteString("\tesac\n}\n")
	return b.String()
}

// It needs no program but the shell: an rpm may ask while the root it goes into has no other yet.
const shellHead = `# number sets field to the next number of a dotted version, and rest to what follows.
number() {
	case "$1" in
	*.*) field=${1%%.*} rest=${1#*.} ;;
	*) field=$1 rest= ;;
	esac
	case "$field" in *[!0-9]*) field=${field%%[!0-9]*} rest= ;; esac
	: "${field:=0}"
}

older() {
	have=$1 least=$2
	for turn in 1 2; do
		number "$have" && have_n=$field have=$rest
		number "$least" && least_n=$field least=$rest
		if [ "$have_n" -lt "$least_n" ]; then return 0; fi
		if [ "$have_n" -gt "$least_n" ]; then return 1; fi
	done
	return 1
}

refused() {
	echo "FATAL: this system is not supported: $1"
	exit 1
}

# refuse_system is made from the table of supported systems.
refuse_system() {
	kernel=$(uname -r 2>/dev/null) || read -r kernel 2>/dev/null </proc/sys/kernel/osrelease || kernel=
	if [ -n "$kernel" ] && older "$kernel" ` + Kernel + `; then
		echo "FATAL: Minimum required kernel version is ` + Kernel + `"
		echo "The running kernel version is $kernel"
		exit 1
	fi
	[ -r /etc/os-release ] || return 0
	ID='' VERSION_ID=''
	. /etc/os-release
	[ -n "$VERSION_ID" ] || VERSION_ID=9999
	case "$ID" in
`
