package output_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ssm-setup/ssm-setup/agent/output"
)

func TestAStreamIsCutAtItsLimit(t *testing.T) {
	for _, n := range []int{0, 1, 23999} {
		if s := strings.Repeat("x", n); output.Limit(s) != s {
			t.Errorf("%d bytes were touched", n)
		}
	}
	for _, n := range []int{24000, 24001, 90000} {
		got := output.Limit(strings.Repeat("x", n))
		if len(got) != 24000 || got != strings.Repeat("x", 23980)+"--output truncated--" {
			t.Errorf("%d bytes became %d, ending in %q", n, len(got), got[len(got)-30:])
		}
	}
}

// Half a character becomes three bytes in JSON, which pushed the marker over the limit, where the service cuts it off.
func TestACutNeverSplitsACharacterNorItsMarker(t *testing.T) {
	const marker = "--output truncated--"
	for name, stream := range map[string]string{"two bytes": strings.Repeat("ä", 20000), "three bytes": "x" + strings.Repeat("€", 20000),
		"no text": strings.Repeat("\xff", 24000), "cut in the middle": strings.Repeat("€", 7999) + "ab\xe2\x82"} {
		got := output.Limit(stream)
		if !utf8.ValidString(got) || !strings.HasSuffix(got, marker) || len(got) > 24000 || len(got) < 24000-4 {
			t.Errorf("%s: %d bytes, ending in %q", name, len(got), got[len(got)-30:])
		}
	}
	for _, stderr := range []string{"", "ä", strings.Repeat("ä", 2000)} {
		got := output.Combine(strings.Repeat("ä€", 1000), stderr)
		if !utf8.ValidString(got) || len(got) > 2500 || !strings.Contains(got, "\n---Output truncated---") ||
			strings.ContainsRune(got, '\uFFFD') {
			t.Errorf("%d bytes: %.80q", len(got), got[len(got)-80:])
		}
	}
}

func TestBothStreamsShareTheOutput(t *testing.T) {
	const title, cutOut, cutErr = "\n----------ERROR-------\n", "\n---Output truncated---", "\n---Error truncated----"
	o, e := func(n int) string { return strings.Repeat("o", n) }, func(n int) string { return strings.Repeat("e", n) }
	for _, c := range []struct {
		name           string
		stdout, stderr int
		want           string
	}{
		{"nothing", 0, 0, ""},
		{"stdout only", 10, 0, o(10)},
		{"stderr only", 0, 10, title + e(10)},
		{"both", 3, 4, o(3) + title + e(4)},
		{"just fits", 2499, 0, o(2499)},
		{"one too many", 2500, 0, o(2500-23) + cutOut},
		{"both long", 3000, 3000, o(1215) + cutOut + title + e(1215) + cutErr},
		{"only stderr is cut", 100, 3000, o(100) + title + e(2476-100-23) + cutErr},
		{"only stdout is cut", 3000, 100, o(2476-100-23) + cutOut + title + e(100)},
		{"halves", 1238, 1238, o(1238) + title + e(1238-23) + cutErr},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := output.Combine(o(c.stdout), e(c.stderr))
			if got != c.want {
				t.Errorf("got %d bytes, want %d: %.60q", len(got), len(c.want), got)
			}
			if len(got) > 2500 {
				t.Errorf("%d bytes are too many", len(got))
			}
		})
	}
}

func TestACaptureKeepsFilesAndTheBeginning(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for run, want := range []string{"one", "oneone"} {
		c, err := output.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c.Stdout(), "one")
		fmt.Fprint(c.Stderr(), "two")
		stdout, stderr := c.Texts()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if stdout != want || stderr != strings.Repeat("two", run+1) {
			t.Errorf("run %d: %q, %q", run, stdout, stderr)
		}
	}
	for file, want := range map[string]string{"stdout": "oneone", "stdoutConsole": "oneone", "stderr": "twotwo", "stderrConsole": "twotwo"} {
		path := filepath.Join(dir, file)
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
		if info, err := os.Stat(
			path,
		); runtime.GOOS != "windows" &&
			(err != nil || info.Mode().Perm()&0o077 != 0) { // there the folder's list counts
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
	}
}

func TestACaptureHoldsNoMoreThanAReplyNeeds(t *testing.T) {
	c, err := output.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	chunk := strings.Repeat("x", 10000)
	for range 5 {
		if n, err := fmt.Fprint(c.Stdout(), chunk); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	if stdout, _ := c.Texts(); len(stdout) != output.StreamLimit {
		t.Errorf("%d bytes in memory", len(stdout))
	}
}

func TestWritersNeverFailTheScript(t *testing.T) {
	c, err := output.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := fmt.Fprint(c.Stdout(), "late"); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if stdout, _ := c.Texts(); stdout != "late" {
		t.Errorf("%q", stdout)
	}
}

func TestEverySinkKeepsNothingThatIsNotAskedFor(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range output.Table(output.Region{}) {
		if s.Name == "" || s.Wanted == nil || s.Begin == nil || seen[s.Name] {
			t.Errorf("row %+v", s)
		}
		seen[s.Name] = true
		if s.Wanted(output.Settings{}) {
			t.Errorf("%s wants output that was not asked for", s.Name)
		}
	}
}

func TestANoteIsWholeWhereverATextIsCut(t *testing.T) {
	const note = "\na note\n"
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", output.ReplyLimit, "short" + note},
		{output.Combine(strings.Repeat("o", 5000), ""), output.ReplyLimit, strings.Repeat("o", 2500-23-8) + "\n---Output truncated---" + note},
		{output.Limit(strings.Repeat("o", 30000)), output.StreamLimit, strings.Repeat("o", 24000-20-8) + "--output truncated--" + note},
	} {
		if got := output.WithNote(c.text, note, c.limit); got != c.want {
			t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-50):])
		}
	}
}

func TestCleanUpRemovesTheFilesThatTheSettingNames(t *testing.T) {
	for _, c := range []struct {
		setting string
		open    bool
		places  bool
		left    string
	}{
		{"", false, false, "stderr stderrConsole stdout stdoutConsole"},
		{"default", false, true, "stderr stderrConsole stdout stdoutConsole"},
		{"after-execution", false, false, ""},
		{"after-execution", true, false, "stderr stderrConsole stdout stdoutConsole"},
		{"after-upload", false, false, "stderr stdout"},
		{"after-upload", false, true, ""},
	} {
		dir := t.TempDir()
		capture, err := output.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		capture.Close()
		settings, location := output.Settings{CleanUp: c.setting}, output.Location{Dir: dir, Open: c.open}
		keeps := output.Sink{Wanted: func(output.Settings) bool { return c.places },
			Begin: func(context.Context, output.Settings, output.Location) output.Keeping {
				return func(context.Context, output.Location) output.Kept { return output.Kept{} }
			}}
		if _, _, err := output.Begin(t.Context(), []output.Sink{keeps}, settings, location).End(t.Context(), location); err != nil {
			t.Fatal(err)
		}
		var left []string
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			left = append(left, f.Name())
		}
		if got := strings.Join(left, " "); got != c.left {
			t.Errorf("%+v leaves %s", c, got)
		}
	}
}
