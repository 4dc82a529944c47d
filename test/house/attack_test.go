package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryListedAttackIsATest: `make attack` runs what test/attack/attacks.txt lists.
func TestEveryListedAttackIsATest(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(root(t), "test", "attack", "attacks.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	head := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, f := range goFiles(t, root(t)) {
		for _, m := range head.FindAllStringSubmatch(f.text, -1) {
			tests[f.room+" "+m[1]] = true
		}
	}
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) != 3 || !tests[row[1]+" "+row[2]] {
			t.Errorf("no such test: %q", line)
		}
	}
}
