package main

import (
	"context"
	"os/exec"
	"slices"
	"strings"
)

// install puts a package in. An older one than is there replaces it only where the package manager can do so in one step;
// Windows Installer refuses, so the newer one goes first.
func (p packaging) install(ctx context.Context, file string, older bool) error {
	if older && strings.HasPrefix(p.on, "windows") {
		if err := runAll(ctx, p.commands(p.remove)); err != nil {
			return err
		}
	}
	return runPackager(ctx, filled(p.put, file)...)
}

// commands are what a command stands for: itself, or one for each product that Windows lists as ours.
func (p packaging) commands(command []string) (list [][]string) {
	if !slices.Contains(command, "{}") {
		return [][]string{command}
	}
	out, err := exec.Command("reg", "query", uninstallKey, "/s").Output()
	if err != nil {
		return nil
	}
	for _, code := range productCodes(string(out)) {
		list = append(list, filled(command, code))
	}
	return list
}

// filled is a command with a value in the place of {}.
func filled(command []string, value string) []string {
	out := slices.Clone(command)
	for i := range out {
		if out[i] == "{}" {
			out[i] = value
		}
	}
	return out
}

func runAll(ctx context.Context, commands [][]string) error {
	for _, command := range commands {
		if err := runPackager(ctx, command...); err != nil {
			return err
		}
	}
	return nil
}

// uninstallKey is where Windows lists what is installed.
const uninstallKey = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`

// productCodes finds the agent's products in what reg query prints: a line with a key, then a line per value.
func productCodes(list string) (codes []string) {
	code := ""
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "HKEY_") {
			code = line[strings.LastIndex(line, `\`)+1:]
			continue
		}
		name, value, _ := strings.Cut(line, "REG_SZ")
		if strings.TrimSpace(name) == "DisplayName" && strings.TrimSpace(value) == "Amazon SSM Agent" && strings.HasPrefix(code, "{") {
			codes = append(codes, code)
		}
	}
	return codes
}
