package describe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func git(source string, args ...string) (string, error) {
	out, err := gitCommand(source, args...).Output()
	return strings.TrimSpace(string(out)), err
}

// mostChanges bounds the notes that are made from commits.
const mostChanges = 200

// NotesIn are a version's release notes in a text: its section, or all of a text that has no sections of versions.
func NotesIn(text, version string) (string, error) {
	if section := section(text, version); section != "" {
		return notesHead(version) + section + "\n", nil
	}
	for line := range strings.Lines(text) {
		if found := heading.FindStringSubmatch(strings.TrimRight(line, " \t\r\n")); found != nil {
			return "", fmt.Errorf("it has a section of %s, and none of %s", found[1], version)
		}
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", errors.New("it is empty")
	}
	return notesHead(version) + text + "\n", nil
}

func notesHead(version string) string { return "# " + product + " " + version + "\n\n" }

// Notes are a version's release notes: its section of RELEASENOTES.md in the source tree, else the subjects of the commits
// since the last version tag, else a line. source may be empty.
func Notes(source, version string) string {
	head := notesHead(version)
	if source != "" {
		if text, err := os.ReadFile(filepath.Join(source, NotesFile)); err == nil {
			if section := section(string(text), version); section != "" {
				return head + section + "\n"
			}
		}
		if tag, err := git(source, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"); err == nil && tag != "" {
			subjects, err := git(source, "log", "--no-merges", "--format=- %s", "-n", strconv.Itoa(mostChanges), tag+"..HEAD")
			if err == nil && subjects != "" {
				return head + "Changes since " + tag + ":\n\n" + subjects + "\n"
			}
		}
	}
	return head + "No notes were written for this release.\n"
}

// heading finds a line that is a version, or a Markdown heading with one.
var heading = regexp.MustCompile(`^(?:#+\s+.*?)?v?([0-9]+\.[0-9]+\.[0-9]+(?:\.[0-9]+)?)\b[^.]*$`)

var underline = regexp.MustCompile(`^(=+|-+)$`)

// section is what stands between a version's heading and the next version's.
func section(text, version string) string {
	var lines []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if found := heading.FindStringSubmatch(line); found != nil {
			if inside {
				break
			}
			inside = found[1] == version || found[1]+".0" == version
			continue
		}
		if inside && !(len(lines) == 0 && underline.MatchString(line)) {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
