package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/journal"
)

func TestRolling(t *testing.T) {
	r := &rolled{path: filepath.Join(t.TempDir(), "a.log"), size: 100, rolls: 2}
	defer r.close()
	for i := range 50 {
		r.write([]byte(strings.Repeat(string(rune('a'+i%26)), 39) + "\n"))
	}
	names, _ := filepath.Glob(r.path + "*")
	for i, name := range names {
		names[i] = filepath.Base(name)
	}
	if got := strings.Join(names, " "); got != "a.log a.log.23 a.log.24" {
		t.Error(got)
	}
	if info, err := os.Stat(r.path); err != nil || info.Size() > 100 {
		t.Error(info, err)
	}
}

func TestStuck(t *testing.T) {
	p := newPace()
	mail, desk := p.loop("mailbox"), p.loop("desk")
	mail(true)
	desk(true)
	desk(false)
	if what, stuck := p.stuck(); stuck {
		t.Error(what)
	}
	p.start = p.start.Add(-stuckAfter - time.Second) // as if that time had gone by
	if what, stuck := p.stuck(); !stuck || !strings.Contains(what, "mailbox") {
		t.Error(what, stuck)
	}
	mail(false)
	if what, stuck := p.stuck(); stuck {
		t.Error(what)
	}
}

func TestBeatPeriod(t *testing.T) {
	for watch, want := range map[int]time.Duration{30: 5 * time.Second, 600: 5 * time.Second, 3: 500 * time.Millisecond, 1: time.Second / 6} {
		if got := beatPeriod(watch); got != want {
			t.Errorf("%d: %v", watch, got)
		}
	}
}

// A step comes back from its state file as it went in.
func TestStepsOnDisk(t *testing.T) {
	job := &journal.Job{SchemaVersion: "2.2"}
	in := document.Step{ID: "a", Action: "aws:runShellScript", Inputs: map[string]any{"runCommand": []any{"x"}, "n": 3.0},
		Preconditions: []document.Precondition{{Operator: "StringEquals", Arguments: []document.Argument{
			{Written: "{{p}}", Resolved: "{{p}}", Parameter: true}, {Written: "x", Resolved: "x"}}}}}
	out := step(plugin(job, in))
	if out.ID != in.ID || out.Action != in.Action || len(out.Preconditions) != 1 || out.Preconditions[0].Arguments[0] != in.Preconditions[0].Arguments[0] ||
		out.Preconditions[0].Arguments[1] != in.Preconditions[0].Arguments[1] || out.Inputs.(map[string]any)["n"] != 3.0 {
		t.Errorf("%+v", out)
	}
}

func TestNames(t *testing.T) {
	if got := groupName("arn:aws:ssm:x:1:document/A B"); got != "arn.aws.ssm.x.1.document/A.B" { // 90
		t.Error(got)
	}
	if got := joinKey("/a//b/", "c", "", "d"); got != "a/b/c/d" {
		t.Error(got)
	}
}
