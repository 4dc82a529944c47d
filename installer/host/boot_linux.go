package host

import (
	"os"
	"strings"
)

// BootID is a text that changes with every boot of this system.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}
