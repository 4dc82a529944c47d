//go:build boot && linux

package boot_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// What people read and what happens while Amazon's agent is installed, updated, rolled back, moved and removed, as scripts: one for each
// package manager. Commands beside testscript's own:
//
//	machine LINE        runs a line of sh on the machine, which ends with 0
//	eventually LINE     the same, again and again until it does
//	tool ARGUMENT…      runs ssm-setup there; refused CODE ARGUMENT… with that exit code. What both streams get is stdout
//	offer VERSION…      has the region offer Amazon's agent; how one misbehaves stands behind a slash
//	publish VERSION     has it offer ours, too
//	activation N        makes one for N hosts: $WITH; $AT is the region
//	online VERSION      waits until the service runs and the region knows that version
//	begin LINE          sends a command to the machine; ended STATUS waits for its end and prints its output
//	reboot              does that
func TestAmazonsAgentIsInstalledUpdatedRolledBackMovedAndRemoved(t *testing.T) {
	for _, s := range []system{systems[0], systems[2]} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := amazonsOn(t, s)
			testscript.Run(t, testscript.Params{Files: []string{filepath.Join("testdata/originals", s.name+".txtar")}, Cmds: h.scripted(),
				Setup: func(e *testscript.Env) error {
					e.Setenv("AT", "--region local --endpoint "+h.region.URL())
					return nil
				}})
		})
	}
}

type scripted = func(ts *testscript.TestScript, neg bool, args []string)

// scripted are the commands of such a script.
func (h amazons) scripted() map[string]scripted {
	command := ""
	plain := func(f func(ts *testscript.TestScript, args []string)) scripted {
		return func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("this command cannot be negated")
			}
			f(ts, args)
		}
	}
	return map[string]scripted{
		"machine": plain(func(ts *testscript.TestScript, args []string) { h.ends(ts, 0, strings.Join(args, " ")) }),
		"tool":    plain(func(ts *testscript.TestScript, args []string) { h.ends(ts, 0, h.line(ts, args)) }),
		"refused": plain(func(ts *testscript.TestScript, args []string) {
			code := 0
			if _, err := fmt.Sscan(args[0], &code); err != nil {
				ts.Fatalf("%v", err)
			}
			h.ends(ts, code, h.line(ts, args[1:]))
		}),
		"eventually": plain(func(_ *testscript.TestScript, args []string) {
			line := strings.Join(args, " ")
			h.eventually(line, func() bool { _, err := h.try("sh", "-c", line); return err == nil })
		}),
		"offer":   plain(func(_ *testscript.TestScript, args []string) { h.offer(args...) }),
		"publish": plain(func(_ *testscript.TestScript, args []string) { h.host.publish(args[0]) }),
		"reboot":  plain(func(*testscript.TestScript, []string) { h.reboot() }),
		"online":  plain(func(_ *testscript.TestScript, args []string) { h.active(); h.online(args[0]) }),
		"activation": plain(func(ts *testscript.TestScript, args []string) {
			hosts := 0
			_, err := fmt.Sscan(args[0], &hosts)
			ts.Check(err)
			id, code, err := h.region.CreateActivation(hosts)
			ts.Check(err)
			h.put("root/code", code)
			ts.Setenv("WITH", "--activation-id "+id+" --activation-code-file /root/code")
		}),
		"begin": plain(func(ts *testscript.TestScript, args []string) {
			var err error
			h.host.node = h.region.Instances()[0].InstanceID
			command, err = h.region.SendCommand("AWS-RunShellScript", h.node, map[string][]string{"commands": {strings.Join(args, " ")}})
			ts.Check(err)
		}),
		"ended": plain(func(ts *testscript.TestScript, args []string) {
			inv, err := h.region.WaitCommand(h.t.Context(), command, h.node)
			ts.Check(err)
			fmt.Fprint(ts.Stdout(), inv.StandardOutput)
			if inv.Status != args[0] {
				ts.Fatalf("it ended %s", inv.Status)
			}
		}),
	}
}

// line is a command line of ssm-setup, as the administrator of the region where the script says so.
func (h amazons) line(ts *testscript.TestScript, args []string) string {
	line := "ssm-setup " + strings.Join(args, " ")
	if file := ts.Getenv("CREDENTIALS"); file != "" {
		line = "AWS_SHARED_CREDENTIALS_FILE=" + file + " " + line
	}
	return line
}

// ends runs a line that has to end with an exit code, and prints what it prints.
func (h amazons) ends(ts *testscript.TestScript, code int, line string) {
	out, _ := h.try("sh", "-c", "("+line+") 2>&1; echo code $?")
	at := max(0, strings.LastIndex(out, "code "))
	fmt.Fprint(ts.Stdout(), out[:at])
	if strings.TrimSpace(out[at:]) != fmt.Sprintf("code %d", code) {
		ts.Fatalf("%s: want exit code %d\n%s", line, code, out)
	}
}
