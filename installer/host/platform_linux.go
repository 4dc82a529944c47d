package host

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func platform() (name, version string, err error) {
	if name, version, ok := releaseFiles("/etc"); ok {
		return name, version, nil
	}
	return lsbRelease("-i"), lsbRelease("-r"), nil
}

// releaseFiles looks into the files of a folder in the order of docs/protocol/update.md, "Platform names"; the first hit
// wins.
func releaseFiles(etc string) (name, version string, ok bool) {
	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join(etc, file))
		if err != nil {
			return ""
		}
		return string(text)
	}
	if text := read("centos-release"); strings.Contains(text, "CentOS") {
		return aroundRelease(text)
	}
	for _, file := range []string{"bottlerocket-release", "os-release"} {
		if text := read(file); text != "" {
			if name := variable(text, "NAME"); name != "" {
				return name, variable(text, "VERSION_ID"), true
			}
		}
	}
	text := read("system-release")
	for _, known := range []string{"Amazon", "Red Hat", "CentOS", "SLES", "Raspbian", "Oracle", "Rocky"} {
		if strings.Contains(text, known) {
			return aroundRelease(text)
		}
	}
	if text := read("redhat-release"); strings.Contains(text, "Red Hat") {
		return aroundRelease(text)
	}
	return "", "", false
}

// aroundRelease splits "CentOS Linux release 7.9.2009 (Core)" at the word release.
func aroundRelease(text string) (name, version string, ok bool) {
	name, version, ok = strings.Cut(strings.TrimSpace(text), "release")
	return strings.TrimSpace(name), strings.TrimSpace(version), ok
}

// variable is the value of a line NAME="value"; the quotes and their escapes are those of the shell.
func variable(text, name string) string {
	for _, line := range strings.Split(text, "\n") {
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(key) != name {
			continue
		}
		value = strings.TrimSpace(value)
		if len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'' {
			return value[1 : len(value)-1]
		}
		if plain, err := strconv.Unquote(value); err == nil {
			return plain
		}
		return strings.Trim(value, `"`)
	}
	return ""
}

// lsbRelease asks the program of that name; its answer is "<title>:\t<value>".
func lsbRelease(flag string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "lsb_release", flag).Output()
	if err != nil {
		return ""
	}
	_, value, _ := strings.Cut(string(out), ":")
	return strings.TrimSpace(value)
}
