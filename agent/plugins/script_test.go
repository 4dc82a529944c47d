//go:build unix

package plugins_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// bench is one call of an action with its streams.
type bench struct {
	plugins.Call
	stdout, stderr bytes.Buffer
}

func newBench(t *testing.T, inputs map[string]any) *bench {
	t.Helper()
	b := &bench{}
	command := filepath.Join(t.TempDir(), "command")
	b.Call = plugins.Call{
		StepID: "one", Name: "aws:runShellScript", Inputs: inputs, Directory: filepath.Join(command, "one"),
		Output: output.Location{Dir: filepath.Join(command, "awsrunShellScript", "one")}, CommandDir: command,
		MessageID: "aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0",
		Stdout:    &b.stdout, Stderr: &b.stderr, Log: slog.New(slog.DiscardHandler),
	}
	return b
}

func action(t *testing.T, name string) plugins.Action {
	t.Helper()
	for _, a := range plugins.Table(plugins.Ports{}) {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no action %s", name)
	return plugins.Action{}
}

// run runs a shell script of these lines.
func run(t *testing.T, inputs map[string]any) (*bench, plugins.Exit) {
	t.Helper()
	b := newBench(t, inputs)
	return b, action(t, "aws:runShellScript").Run(t.Context(), b.Call)
}

func lines(l ...any) map[string]any { return map[string]any{"runCommand": l} }

func TestCommandsBecomeAScriptFile(t *testing.T) {
	b, o := run(t, lines("echo a", "echo b"))
	if o.Status != wire.Success || o.Code != 0 || b.stdout.String() != "a\nb\n" || b.stderr.Len() != 0 {
		t.Errorf("%+v %q %q", o, b.stdout.String(), b.stderr.String())
	}
	path := filepath.Join(b.Directory, "_script.sh")
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "echo a\necho b\n" {
		t.Errorf("%q, %v", text, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestAnIDOfInputsNeverLeavesItsFolder(t *testing.T) {
	for id, want := range map[string]string{"0.aws:runShellScript": "0.awsrunShellScript", "../x": "", "~/x": "", "a/../../../x": "",
		"/x": "", "": ""} {
		b, _ := run(t, map[string]any{"id": id, "runCommand": []any{"true"}})
		if _, err := os.Stat(filepath.Join(b.Directory, want, "_script.sh")); err != nil {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestTheFirstLineChoosesTheInterpreter(t *testing.T) {
	if b, _ := run(t, lines("#!/bin/cat", "hello")); b.stdout.String() != "#!/bin/cat\nhello\n" {
		t.Errorf("%q", b.stdout.String())
	}
}

func TestAPathMayHoldSpaces(t *testing.T) {
	b := newBench(t, lines("echo here"))
	b.Directory = filepath.Join(t.TempDir(), "it's a path")
	if o := action(t, "aws:runShellScript").Run(t.Context(), b.Call); o.Status != wire.Success || b.stdout.String() != "here\n" {
		t.Errorf("%+v %q", o, b.stderr.String())
	}
}

func TestExitCodesBecomeStatuses(t *testing.T) {
	for _, c := range []struct {
		line, status, stderr string
		code                 int
	}{
		{"exit 0", wire.Success, "", 0},
		{"echo no >&2; exit 3", wire.Failed, "no\nfailed to run commands: exit status 3", 3},
		{"exit 194", wire.SuccessAndReboot, "", 194},
		{"exit 137", wire.TimedOut, "", 137},
		{"exit 168", wire.Success, "", 168},
		{"exit 169", wire.Failed, "failed to run commands: exit status 169", 169},
	} {
		t.Run(c.line, func(t *testing.T) {
			b, o := run(t, lines(c.line))
			if o.Status != c.status || o.Code != c.code || b.stderr.String() != c.stderr {
				t.Errorf("%+v %q", o, b.stderr.String())
			}
		})
	}
}

// A parameter of another type may be a whole line.
func TestALineThatIsNoTextIsItsJSON(t *testing.T) {
	b, o := run(t, map[string]any{"runCommand": []any{"cat <<'END'", 3600.0, true, map[string]any{"k": "<v>"}, []any{"a&b", "c"}, nil, "END"}})
	if want := "3600\ntrue\n{\"k\":\"<v>\"}\n[\"a\\u0026b\",\"c\"]\n\n"; o.Status != wire.Success || b.stdout.String() != want {
		t.Errorf("%+v %q %q", o, b.stdout.String(), b.stderr.String())
	}
}

func TestInputsThatCannotBeReadFail(t *testing.T) {
	b, o := run(t, map[string]any{"runCommand": "echo hi"})
	const start = "Invalid format in plugin properties map[runCommand:echo hi];\nerror json: cannot unmarshal string into runCommand of type array"
	if o.Status != wire.Failed || o.Code != 1 || b.stderr.String() != start {
		t.Errorf("%+v %q", o, b.stderr.String())
	}
}

func TestTheWorkingDirectory(t *testing.T) {
	b := newBench(t, nil)
	here := filepath.Join(b.CommandDir, "downloads", "sub")
	if err := os.MkdirAll(here, 0o700); err != nil {
		t.Fatal(err)
	}
	own, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{"/": "/", "sub": here, "": filepath.Dir(here), "missing": own} {
		b.stdout.Reset()
		b.Inputs = map[string]any{"runCommand": []any{"pwd -P"}, "workingDirectory": asked}
		action(t, "aws:runShellScript").Run(t.Context(), b.Call)
		want, _ = filepath.EvalSymlinks(want)
		if got := strings.TrimSpace(b.stdout.String()); got != want {
			t.Errorf("%q ran in %s", asked, got)
		}
	}
	b.Inputs = map[string]any{"runCommand": []any{"pwd"}, "workingDirectory": "/no/such/folder"}
	o := action(t, "aws:runShellScript").Run(t.Context(), b.Call)
	if o.Status != wire.Failed || o.Code != 1 || !strings.HasPrefix(b.stderr.String(), "failed to run commands: fork/exec /") ||
		!strings.HasSuffix(b.stderr.String(), "sh: no such file or directory") {
		t.Errorf("%+v %q", o, b.stderr.String())
	}
}

func TestTheEnvironmentOfAScript(t *testing.T) {
	t.Setenv("FROM_AGENT", "agent")
	b := newBench(t, map[string]any{
		"runCommand":  []any{`echo "$FROM_AGENT $FROM_STEP $SSM_COMMAND_ID $AWS_SSM_INSTANCE_ID $AWS_SSM_REGION_NAME $AWS_PROFILE"`},
		"environment": map[string]any{"FROM_STEP": "step", "SSM_COMMAND_ID": "mine", "AWS_SSM_REGION_NAME": "mine", "AWS_PROFILE": "mine"},
	})
	b.Machine = plugins.Machine{InstanceID: "mi-1", Region: "here", Profile: "shared"}
	action(t, "aws:runShellScript").Run(t.Context(), b.Call)
	if got := b.stdout.String(); got != "agent step 2b196342-d7d4-436e-8f09-3883a1116ac3 mi-1 here shared\n" {
		t.Errorf("%q", got)
	}
	b.stdout.Reset()
	b.MessageID = "odd"
	action(t, "aws:runShellScript").Run(t.Context(), b.Call)
	if got := b.stdout.String(); got != "agent step mine mi-1 here shared\n" {
		t.Errorf("malformed message id: %q", got)
	}
}

// gone tells whether a process ended, within a minute.
func gone(pid int) bool {
	for range 6000 {
		if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && strings.Contains(string(text), ") Z ") {
			return true
		}
		if syscall.Kill(pid, 0) != nil {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid == 0 {
		t.Fatalf("%q, %v", text, err)
	}
	return pid
}

func TestAVariableThatNoProcessTakesFailsTheStep(t *testing.T) {
	for value, want := range map[string]string{"a\x00b": "the variable \"SSM_x\" holds a zero byte", strings.Repeat("x",
		128<<10): "the variable \"SSM_x\" is longer than 128 KiB"} {
		b, o := run(t, map[string]any{"runCommand": []any{"echo ran"}, "environment": map[string]any{"SSM_x": value}})
		if o.Status != wire.Failed || b.stdout.Len() != 0 || b.stderr.String() != "failed to run commands: "+want {
			t.Errorf("%+v %q %q", o, b.stdout.String(), b.stderr.String())
		}
	}
}

// A parameter named COMMAND_ID does not hide the agent's own variable.
func TestAParametersVariableDoesNotHideTheAgents(t *testing.T) {
	b, _ := run(t, map[string]any{"runCommand": []any{`echo "$SSM_COMMAND_ID $SSM_Message"`},
		"environment": map[string]any{"SSM_COMMAND_ID": "mine", "SSM_Message": "a  b"}})
	if b.stdout.String() != "2b196342-d7d4-436e-8f09-3883a1116ac3 a  b\n" {
		t.Errorf("%q", b.stdout.String())
	}
}

func TestACancelKillsTheGroup(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	b := newBench(t, lines("sleep 600 &", "echo $! > "+pidFile, "echo partial", "wait"))
	ctx, cancel := context.WithCancel(t.Context())
	ready := &trigger{Writer: &b.stdout, fire: cancel}
	b.Stdout = ready
	o := action(t, "aws:runShellScript").Run(ctx, b.Call)
	if o.Status != wire.Cancelled || o.Code != 137 || b.stdout.String() != "partial\n" || b.stderr.Len() != 0 {
		t.Errorf("%+v %q %q", o, b.stdout.String(), b.stderr.String())
	}
	if !gone(pidIn(t, pidFile)) {
		t.Error("a child of the script lives on")
	}
}

// trigger calls fire after the first write.
type trigger struct {
	*bytes.Buffer
	Writer interface{ Write([]byte) (int, error) }
	fire   func()
}

func (w *trigger) Write(p []byte) (int, error) {
	defer w.fire()
	return w.Writer.Write(p)
}

func TestABackgroundChildHoldsTheStep(t *testing.T) {
	release := filepath.Join(t.TempDir(), "release")
	// The child waits for a file that this test makes once the shell itself is gone.
	b := newBench(t, lines(
		"(until test -e "+release+"; do sleep 0.02; done; echo late) &",
		"echo $$; exit 3"))
	shell := make(chan int, 1)
	b.Stdout = &trigger{Writer: &b.stdout, fire: func() {
		select {
		case shell <- 0:
		default:
		}
	}}
	ended := make(chan plugins.Exit, 1)
	go func() { ended <- action(t, "aws:runShellScript").Run(t.Context(), b.Call) }()
	<-shell
	select {
	case o := <-ended:
		t.Fatalf("step ended early: %+v", o)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.WriteFile(release, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := <-ended; o.Code != 3 || !strings.HasSuffix(b.stdout.String(), "late\n") {
		t.Errorf("%+v %q", o, b.stdout.String())
	}
}

func TestARedirectedChildDoesNotHoldTheStep(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	_, o := run(t, lines("sleep 600 >/dev/null 2>&1 &", "echo $! > "+pidFile))
	pid := pidIn(t, pidFile)
	defer syscall.Kill(pid, syscall.SIGKILL)
	if o.Status != wire.Success || syscall.Kill(pid, 0) != nil {
		t.Errorf("%+v", o)
	}
}

func TestStdinIsNull(t *testing.T) {
	if b, o := run(t, lines("cat; echo end")); o.Status != wire.Success || b.stdout.String() != "end\n" {
		t.Errorf("%+v %q", o, b.stdout.String())
	}
}
