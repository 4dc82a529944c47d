//go:build unix

package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// DropIn is the file by which systemd gives the address to the service.
const DropIn = "/etc/systemd/system/amazon-ssm-agent.service.d/proxy-of-ssm-setup.conf"

// kept reads the file of variables, else systemd's. A file that another account could have written does not count.
func kept(l installer.Layout) map[string]string {
	if text, err := os.ReadFile(File(l)); err == nil && host.CheckFile(File(l)) == nil {
		return parseEnvironment(text)
	}
	if !l.System() {
		return nil
	}
	text, err := os.ReadFile(DropIn)
	if err != nil {
		return nil
	}
	return parseDropIn(string(text))
}

func keep(l installer.Layout, a Address, systemd bool) error {
	if err := forget(l); err != nil {
		return err
	}
	if a.secret() || !systemd {
		if err := os.MkdirAll(l.ConfigDir(), 0o755); err != nil {
			return err
		}
		if err := host.WriteFile(File(l), environmentText(a.variables()), 0o600); err != nil {
			return err
		}
	}
	if !systemd {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(DropIn), 0o755); err != nil {
		return err
	}
	return host.WriteFile(DropIn, dropIn(l, a), 0o644)
}

// dropIn is the text of systemd's file. In it % is doubled, for it begins a specifier there.
func dropIn(l installer.Layout, a Address) []byte {
	const head = "# Written by ssm-setup install --proxy.\n[Service]\n"
	if a.secret() {
		return []byte(head + "EnvironmentFile=-" + File(l) + "\n")
	}
	text := head
	for _, name := range names() {
		text += fmt.Sprintf("Environment=\"%s=%s\"\n", name, strings.ReplaceAll(a.variables()[name], "%", "%%"))
	}
	return []byte(text)
}

func parseDropIn(text string) map[string]string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), `Environment="`); ok {
			lines.WriteString(strings.ReplaceAll(strings.TrimSuffix(value, `"`), "%%", "%") + "\n")
		}
	}
	return parseEnvironment([]byte(lines.String()))
}

// files are those in which an address is kept.
func files(l installer.Layout) []string {
	if l.System() {
		return []string{File(l), DropIn}
	}
	return []string{File(l)}
}

func remember(l installer.Layout) (restore func() error) {
	former := map[string][]byte{}
	for _, path := range files(l) {
		if text, err := os.ReadFile(path); err == nil {
			former[path] = text
		}
	}
	return func() error {
		errs := []error{forget(l)}
		for path, text := range former {
			mode := fs.FileMode(0o600)
			if path == DropIn {
				mode = 0o644
			}
			errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), host.WriteFile(path, text, mode))
		}
		return errors.Join(errs...)
	}
}

func forget(l installer.Layout) error {
	var errs []error
	for _, path := range files(l) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if l.System() {
		_ = os.Remove(filepath.Dir(DropIn)) // unless others are in it
	}
	return errors.Join(errs...)
}
