package systems

import (
	"fmt"
	"strings"
)

// Markdown is the README's table.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| system | versions | packages |\n| --- | --- | --- |\n")
	var refused []string
	for _, s := range Table() {
		if s.Refused != "" {
			refused = append(refused, fmt.Sprintf("%s is refused: %s.", s.Name, s.Refused))
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.Name, s.Shown, s.Packages)
	}
	fmt.Fprintf(&b, "\nLinux needs kernel %s; architectures there are %s (rpm: not arm). Anything older is refused with the reason, before a change. %s\n",
		Kernel, architectures, strings.Join(refused, " "))
	return b.String()
}
