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

const shellHead = `# number prints the given field of a dotted version; nothing is 0.
number() { echo "$1" | sed 's/[^0-9.].*//' | cut -d. -f"$2" -s | sed 's/^$/0/'; }

older() {
	for field in 1 2; do
		have=$(number "$1.0.0" $field)
		least=$(number "$2.0.0" $field)
		if [ "${have:-0}" -lt "${least:-0}" ]; then return 0; fi
		if [ "${have:-0}" -gt "${least:-0}" ]; then return 1; fi
	done
	return 1
}

refused() {
	echo "FATAL: this system is not supported: $1"
	exit 1
}

# refuse_system is made from the table of supported systems.
refuse_system() {
	kernel=$(uname -r)
	if older "$kernel" ` + Kernel + `; then
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
