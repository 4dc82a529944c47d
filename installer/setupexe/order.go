package setupexe

import (
	"fmt"
	"path/filepath"
	"strings"
)

// order is a command line.
type order struct {
	quiet, noRestart, repair, uninstall, help bool

	log        string
	properties []string // NAME=VALUE
}

// parse reads switches, in any case and with / or -, and properties.
func parse(args []string) (o order, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if !strings.HasPrefix(arg, "/") && !strings.HasPrefix(arg, "-") {
			name, _, ok := strings.Cut(arg, "=")
			if !ok || !isName(name) {
				return o, fmt.Errorf("%q is neither a switch nor NAME=VALUE", arg)
			}
			o.properties = append(o.properties, arg)
			continue
		}
		switch strings.ToLower(strings.TrimLeft(arg, "/-")) {
		case "quiet", "q", "passive", "s", "silent":
			o.quiet = true
		case "norestart":
			o.noRestart = true
		case "install":
		case "repair":
			o.repair = true
		case "uninstall", "x":
			o.uninstall = true
		case "?", "h", "help":
			o.help = true
		case "log", "l":
			if i++; i >= len(args) {
				return o, fmt.Errorf("%s needs the name of a file", arg)
			}
			o.log = args[i] //nolint:gosec // compared with the length just above
		default:
			return o, fmt.Errorf("there is no switch %s", arg)
		}
	}
	return o, nil
}

// isName: public properties have capital letters, digits, points and lines below.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == "" && (s[0] < '0' || s[0] > '9')
}

// line is the command line for msiexec, quoted as it wants it: NAME="VALUE", a quote inside doubled.
func (o order) line(msiexec, pkg string) string {
	words := []string{`"` + msiexec + `"`, "/i", `"` + pkg + `"`}
	switch {
	case o.uninstall:
		words[1] = "/x"
	case o.repair:
		words[1] = "/femus" // whatever is missing, older or the same
	}
	if o.quiet {
		words = append(words, "/qn")
	}
	if o.noRestart {
		words = append(words, "/norestart")
	}
	if o.log != "" {
		log := o.log
		if abs, err := filepath.Abs(log); err == nil {
			log = abs
		}
		words = append(words, o.logging(), `"`+log+`"`)
	}
	for _, p := range o.properties {
		name, value, _ := strings.Cut(p, "=")
		words = append(words, name+`="`+strings.ReplaceAll(value, `"`, `""`)+`"`)
	}
	return strings.Join(words, " ")
}

// logging asks for everything; with an activation code only for what does not show values of the registry.
func (o order) logging() string {
	for _, p := range o.properties {
		if name, value, _ := strings.Cut(p, "="); value != "" && (name == "CODE" || name == "ACTIVATION_CODE") {
			return "/l*"
		}
	}
	return "/l*v"
}
