package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named are paths of the repository in a page: between backquotes, from a top-level folder on.
var named = regexp.MustCompile("`(?:\\./)?((?:cmd|agent|updater|installer|regions|manifests|test|docs|scripts)/[\\w./-]+)`")

// What the pages name exists: rooms, files, tests.
func TestPagesNameWhatIsThere(t *testing.T) {
	for _, name := range pages(t) {
		if !strings.HasSuffix(name, ".md") || strings.HasPrefix(name, "docs/protocol/") {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(readFile(t, name), -1) {
			if found, err := filepath.Glob(filepath.Join(root(t), m[1])); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", name, m[1])
			}
		}
	}
	for _, page := range []string{"architecture.md", "architecture.svg", "glossary.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
		"decisions", "protocol"} {
		if _, err := os.Stat(filepath.Join(root(t), "docs", page)); err != nil {
			t.Error(err)
		}
	}
}
