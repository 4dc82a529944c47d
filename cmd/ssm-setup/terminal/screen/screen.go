// Package screen is the terminal of tests: [Of] follows the few control sequences with which the printer of ssm-setup redraws its bars, and
// says what a person would see; [Start] runs a program at a pseudo-terminal, where a test types as a person would.
//
// What must always be true: only tests use it; a program that a test started is ended with the test.
package screen

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Of is what a terminal shows of what was written to it, without empty lines at its end.
func Of(t testing.TB, written string) string {
	t.Helper()
	lines, row := []string{""}, 0
	sequence := regexp.MustCompile(`^\x1b\[(\d*)([AJ])`)
	column := 0
	for len(written) > 0 {
		if m := sequence.FindStringSubmatch(written); m != nil {
			written = written[len(m[0]):]
			if m[2] == "J" {
				lines = append(lines[:row:row], lines[row][:column])
				continue
			}
			n, _ := strconv.Atoi(m[1])
			if row -= n; row < 0 {
				t.Fatal("above the first line")
			}
			continue
		}
		switch c := written[0]; c {
		case '\r':
			column = 0
		case '\n':
			if row++; row == len(lines) {
				lines = append(lines, "")
			}
			column = 0
		default:
			lines[row] = lines[row][:column] + string(c)
			column++
		}
		written = written[1:]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
