package takeover_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
	"github.com/ssm-setup/ssm-setup/updater/takeover"
)

func TestAnOriginalIsExchangedForOursInOneTransaction(t *testing.T) {
	for packing, command := range map[string]string{
		"deb":  "dpkg --force-confdef --force-confold -i ",
		"rpm":  "rpm -U --oldpackage --replacepkgs ",
		"snap": "/snap-install.sh", "tar": "/install.sh",
	} {
		t.Run(packing, func(t *testing.T) {
			w := newWorld(t, packing)
			if packing == "snap" {
				w.put(os.MkdirAll(filepath.Join(w.layout.Root, "etc/systemd/system"), 0o755))
				w.put(os.WriteFile(filepath.Join(w.layout.Root, "etc/systemd/system/snap.amazon-ssm-agent.amazon-ssm-agent.service"),
					[]byte("[Service]\nWorkingDirectory=/var"+strings.TrimSuffix(w.layout.Worker(), "/ssm-agent-worker")+"\n"), 0o600))
			}
			dir := w.step("awsupdateSsmAgent")
			w.put(w.engine().Take(context.Background(), w.order(ours)))
			if w.installed != ours || !w.said(command) || w.said("uninstall") || w.said("dpkg -r") || w.said("rpm -e") {
				t.Errorf("%s is installed, by %q", w.installed, w.ran)
			}
			if w.arrived != 1 {
				t.Errorf("what served the original alone was taken away %d times", w.arrived)
			}
			if got := strings.Join(w.told, "; "); got != messageID+" InProgress; "+messageID+" Success" || !slices.Equal(w.deleted,
				[]string{messageID}) {
				t.Errorf("told: %s, deleted: %s", got, w.deleted)
			}
			if got := strings.Join(w.health, "; "); got != "UpdateInitialized-9.1.0.0 3.3.9999.0; UpdateSucceeded-9.1.0.0 9.1.0.0" {
				t.Errorf("health: %s", got)
			}
			for _, line := range []string{"Successfully downloaded manifest\n", "Updating amazon-ssm-agent from 3.3.9999.0 to 9.1.0.0\n",
				"Initiating amazon-ssm-agent update to 9.1.0.0\n", "amazon-ssm-agent updated successfully to 9.1.0.0\n"} {
				if !strings.Contains(w.output(), line) {
					t.Errorf("%q is not in %q", line, w.output())
				}
			}
			if text, _ := os.ReadFile(filepath.Join(dir, "stdout")); string(text) != w.output() {
				t.Errorf("the step's file: %s", text)
			}
			if entries, _ := os.ReadDir(filepath.Join(w.layout.UpdateRoot(), "amazon-ssm-agent")); len(entries) != 1 ||
				entries[0].Name() != ours {
				t.Errorf("left: %v", entries)
			}
			b, err := ledger.Read(w.layout)
			if err != nil || b.Last == nil || b.Last.Kind != ledger.Updated || b.Last.FromVersion.String() != original {
				t.Errorf("ledger: %+v, %v", b.Last, err)
			}
			w.clean()
		})
	}
}

func TestOursIsExchangedForAnOriginalWhoseVersionIsNamed(t *testing.T) {
	w := newWorld(t, "rpm")
	w.installed = ours
	dir := w.step("back")
	r := ledger.Request{Want: original, AllowDowngrade: true, Why: ledger.ByDocument, ReplyTo: &ledger.ReplyTo{MessageID: messageID,
		PluginKey: "back", PluginName: "aws:updateSsmAgent", Stdout: filepath.Join(dir, "stdout"), Stderr: filepath.Join(dir, "stderr")}}
	for _, no := range []ledger.Request{{Want: original}, {Want: "9.2.0.0", AllowDowngrade: true}, {Want: "latest",
		AllowDowngrade: true}, {}} {
		if takeover.Crosses(no) {
			t.Errorf("%+v crosses", no)
		}
	}
	if !takeover.Crosses(r) {
		t.Fatal("the request does not cross")
	}
	var said []string
	w.put(w.engine().Leave(context.Background(), r, ours, source, source, func(line string) { said = append(said, line) }))
	if len(said) != 1 || !strings.HasPrefix(said[0], "taken ") {
		t.Errorf("said %q", said)
	}
	if w.installed != original || w.said("rpm -e") || w.forgot != 1 || w.arrived != 0 ||
		w.lastReply().RuntimeStatus["back"].Status != wire.Success ||
		!strings.Contains(w.output(), "amazon-ssm-agent updated successfully to 3.3.9999.0\n") {
		t.Errorf("%s is installed, by %q; forgot %d; %q", w.installed, w.ran, w.forgot, w.output())
	}
	w.clean()
}

func TestAHeldHostKeepsItsAgentWhicheverThatIs(t *testing.T) {
	w := newWorld(t, "rpm")
	w.installed = ours
	dir := w.step("back")
	w.put(os.MkdirAll(filepath.Dir(policy.File(w.layout)), 0o755))
	w.put(os.WriteFile(policy.File(w.layout), []byte(`{"hold":{"reason":"audit"}}`), 0o600))
	r := ledger.Request{Want: original, AllowDowngrade: true, Why: ledger.ByDocument, ReplyTo: &ledger.ReplyTo{MessageID: messageID,
		PluginKey: "back", PluginName: "aws:updateSsmAgent", Stdout: filepath.Join(dir, "stdout"), Stderr: filepath.Join(dir, "stderr")}}
	_ = w.engine().Leave(context.Background(), r, ours, source, source, func(string) {})
	if w.installed != ours || w.lastReply().RuntimeStatus["back"].Status != wire.Failed ||
		!strings.Contains(w.output(), "Failed update precondition check: this host is held: audit") {
		t.Errorf("%s is installed, by %q; %q", w.installed, w.ran, w.output())
	}
}

func TestWhatDoesNotRunIsTakenBack(t *testing.T) {
	for name, x := range map[string]struct {
		sick      []string
		script    func(w *world, dir string, limit time.Duration, command []string) (string, int, bool)
		installed string
		health    string
		says      string
	}{
		"the worker is absent": {sick: []string{ours}, installed: original,
			health: "UpdateFailed_VerificationRollback_ErrorUpdateFailRollbackSuccess-9.1.0.0 3.3.9999.0",
			says: "failed to update amazon-ssm-agent to 9.1.0.0, failed to start the agent, ErrorMessage=checking svc and agent worker running " +
				"err[, agent worker is not running]\nInitiating rollback amazon-ssm-agent to 3.3.9999.0\nrolledback amazon-ssm-agent to 3.3.9999.0\n"},
		"the package manager fails": {script: failing(ours), installed: original,
			health: "UpdateFailed_InstallRollback_ErrorUpdateFailRollbackSuccess-9.1.0.0 3.3.9999.0",
			says:   "failed to install amazon-ssm-agent 9.1.0.0, ErrorMessage=The execution of command returned Exit Status: 125 \n no room\n"},
		"neither runs": {sick: []string{ours, original}, installed: original,
			health: "UpdateFailed_VerificationRollback_ErrorCannotStartService-9.1.0.0 3.3.9999.0",
			says:   "failed to rollback amazon-ssm-agent to 3.3.9999.0, failed to start the agent, ErrorMessage="},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "deb")
			w.script = x.script
			for _, v := range x.sick {
				w.sick[v] = true
			}
			w.put(w.engine().Take(context.Background(), w.order(ours)))
			if w.installed != x.installed || w.health[len(w.health)-1] != x.health || !strings.Contains(w.output(), x.says) {
				t.Errorf("%s is installed; health %q; %q", w.installed, w.health, w.output())
			}
			if r := w.lastReply(); r.DocumentStatus != wire.Failed || r.RuntimeStatus["aws:updateSsmAgent"].Code != 1 {
				t.Errorf("%+v", r)
			}
			if w.forgot != 1 && name != "neither runs" {
				t.Error("what ours kept beside its package is left")
			}
			if !slices.ContainsFunc(w.health, func(s string) bool { return strings.HasPrefix(s, "RollingBack_") }) {
				t.Errorf("health: %q", w.health)
			}
			if entries, _ := os.ReadDir(filepath.Join(w.layout.UpdateRoot(), "amazon-ssm-agent")); len(entries) != 1 ||
				entries[0].Name() != original {
				t.Errorf("left: %v", entries)
			}
			w.clean()
		})
	}
}

// failing has the package manager refuse a version.
func failing(version string) func(w *world, dir string, limit time.Duration, command []string) (string, int, bool) {
	return func(_ *world, dir string, limit time.Duration, command []string) (string, int, bool) {
		if filepath.Base(dir) == version && command[0] == "dpkg" {
			return "no room", 1, limit == 0
		}
		return "", 0, false
	}
}

func TestAFailedPackageManagerIsTriedFourTimesWithWaits(t *testing.T) {
	w := newWorld(t, "deb")
	w.script = failing(ours)
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if got := w.pauses[:3]; !slices.Equal(got, []time.Duration{34 * time.Second, 38 * time.Second, 42 * time.Second}) {
		t.Errorf("waits: %v", got)
	}
}

func TestSomeFailuresOfScriptsAreNotTakenBack(t *testing.T) {
	for _, x := range []struct {
		packing, code, says string
		exit                int
	}{
		{"tar", "ErrorUnsupportedServiceManager", "", 124},
		{"snap", "ErrorInstallFailedDueToSnapd", `error: snap "amazon-ssm-agent" has running apps`, 10},
	} {
		w := newWorld(t, x.packing)
		w.script = func(_ *world, dir string, limit time.Duration, command []string) (string, int, bool) {
			if strings.HasSuffix(command[0], "install.sh") && limit != 150*time.Second {
				t.Errorf("%v may take %s", command, limit)
			}
			return x.says, x.exit, strings.HasSuffix(command[0], "install.sh") && dir != ""
		}
		w.put(w.engine().Take(context.Background(), w.order(ours)))
		if last := w.health[len(w.health)-1]; last != "UpdateFailed_"+x.code+"-9.1.0.0-NoAlarm "+original ||
			!strings.Contains(w.output(), "No rollback needed\n") || strings.Contains(w.output(), "rolledback") {
			t.Errorf("%s: %s; %q", x.packing, last, w.output())
		}
	}
}

func TestACommandOfSSMMessagesIsAnsweredByAFile(t *testing.T) {
	w := newWorld(t, "deb")
	w.step("update")
	w.put(w.engine().Take(context.Background(), w.order(ours, "-upstream.service.name", "MessageGatewayService", "-output.key",
		"x/update")))
	dir := filepath.Join(w.layout.Data(), node, "replies_mgs")
	entries, err := os.ReadDir(dir)
	w.put(err)
	if len(w.told) > 0 || len(w.deleted) > 0 || len(entries) != 2 {
		t.Fatalf("told %q, deleted %q, files %v", w.told, w.deleted, entries)
	}
	last := entries[len(entries)-1].Name()
	if !strings.HasSuffix(last, "_"+messageID+"_update") {
		t.Errorf("%s", last)
	}
	var reply struct {
		AgentResult struct {
			MessageID, Status, ResultType, RelatedDocumentType string
			NPlugins                                           int
			PluginResults                                      map[string]struct{ PluginName, Status, Output, StandardOutput string }
		}
		ReplyId     string
		RetryNumber int
	}
	text, err := os.ReadFile(filepath.Join(dir, last))
	w.put(err)
	w.put(json.Unmarshal(text, &reply))
	r := reply.AgentResult
	if step := r.PluginResults["update"]; r.MessageID != messageID || r.Status != "Success" || r.NPlugins != 1 ||
		r.ResultType != "RunCommandResult" ||
		r.RelatedDocumentType != "SendCommand" || step.PluginName != "aws:updateSsmAgent" || step.Status != "Success" ||
		!strings.Contains(step.StandardOutput, "updated successfully to 9.1.0.0") || reply.ReplyId == "" || reply.RetryNumber != 0 {
		t.Errorf("%s", text)
	}
}

// Whatever row the updater dies at, the keeper brings the exchange to one end: one version, one final reply, nothing left.
func TestAnExchangeThatIsKilledAnywhereComesToItsEnd(t *testing.T) {
	for _, sick := range []bool{false, true} {
		var places []string
		count := newWorld(t, "deb")
		count.sick[ours] = sick
		e := count.engine()
		e.Crash = func(at string) bool { places = append(places, at); return false }
		count.put(e.Take(context.Background(), count.order(ours)))
		if len(places) < 15 {
			t.Fatalf("%q", places)
		}
		for _, place := range places {
			w := newWorld(t, "deb")
			w.sick[ours] = sick
			e := w.engine()
			e.Crash = func(at string) bool { return at == place }
			if err := e.Take(context.Background(), w.order(ours)); !errors.Is(err, takeover.ErrCrashed) {
				t.Fatalf("%s: %v", place, err)
			}
			if err := w.engine().Resume(context.Background()); err != nil {
				t.Errorf("%s: %v", place, err)
			}
			want, status := ours, "Success"
			if sick {
				want, status = original, "Failed"
			}
			finals := map[string]bool{}
			for i, told := range w.told {
				if !strings.HasSuffix(told, "InProgress") {
					finals[told+w.ids[i]] = true
				}
			}
			if w.installed != want || len(finals) != 1 || w.lastReply().DocumentStatus != status {
				t.Errorf("killed %s: %s runs, told %q", place, w.installed, w.told)
			}
			if n := strings.Count(w.output(), "Initiating amazon-ssm-agent update to"); n != 1 {
				t.Errorf("killed %s: %q", place, w.output())
			}
			w.clean()
		}
	}
}

func TestAnAnswerThatCannotBeSentIsOwed(t *testing.T) {
	w := newWorld(t, "deb")
	w.offline = 3
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if len(w.deleted) != 1 || w.lastReply().DocumentStatus != wire.Success || !slices.Contains(w.pauses, 30*time.Second) {
		t.Errorf("told %q, deleted %q", w.told, w.deleted)
	}
	w.clean()
}

func TestAnUpdateGoesOnThoughTheServiceCannotBeReached(t *testing.T) {
	w := newWorld(t, "deb")
	e := w.engine()
	e.Reporter.Health = func(context.Context, string, string) error { return errors.New("no network") }
	w.put(e.Take(context.Background(), w.order(ours)))
	if w.installed != ours {
		t.Errorf("%s", w.installed)
	}
}

func TestDocumentsUnderWayAreWaitedForAndThenHandedOver(t *testing.T) {
	w := newWorld(t, "deb")
	dir := filepath.Join(w.layout.Data(), node, "document", "state", "current")
	w.put(os.MkdirAll(dir, 0o700))
	running, waiting := filepath.Join(dir, "running"), filepath.Join(dir, "waiting")
	w.put(os.WriteFile(filepath.Join(dir, commandID), []byte(`{}`), 0o600)) // the command itself
	w.put(os.WriteFile(running, []byte(`{"DocumentInformation":{"DocumentStatus":"InProgress"}}`), 0o600))
	w.put(os.WriteFile(waiting, []byte(`{"DocumentInformation":{"DocumentStatus":"SuccessAndReboot"}}`), 0o600))
	ended := w.system.Pause
	w.system.Pause = func(ctx context.Context, d time.Duration) error {
		if len(w.pauses) == 20 {
			w.put(os.Remove(running))
		}
		return ended(ctx, d)
	}
	w.script = func(_ *world, dir string, _ time.Duration, _ []string) (string, int, bool) {
		if _, err := os.Stat(running); err == nil && filepath.Base(dir) == ours {
			t.Error("the exchange begins while a document runs")
		}
		return "", 0, false
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if w.installed != ours || len(w.pauses) != 210 {
		t.Errorf("%s after %d pauses", w.installed, len(w.pauses))
	}
	if _, err := os.Stat(waiting); err != nil {
		t.Errorf("the document that waits for a reboot is not handed over: %v", err)
	}
}

func TestSystemsWithoutAKnownServiceManagerAreToldTheCommand(t *testing.T) {
	for manager, restart := range map[string]string{"openrc": "rc-service amazon-ssm-agent restart",
		"sysv": "service amazon-ssm-agent restart", "": ""} {
		w := newWorld(t, "deb")
		w.system.Manager, w.system.Restart = manager, restart
		w.put(w.engine().Take(context.Background(), w.order(ours)))
		if w.installed != original || !strings.Contains(w.output(), "The amazon-ssm-agent is not supported on this platform.") ||
			!strings.Contains(w.output(), restart) || !strings.HasSuffix(w.health[len(w.health)-1],
			"ErrorUnsupportedServiceManager-9.1.0.0-NoAlarm "+original) {
			t.Errorf("%s: %q, %q", manager, w.output(), w.health)
		}
	}
}

func TestUpstartIsAskedInItsOwnWords(t *testing.T) {
	w := newWorld(t, "rpm")
	w.system.Manager = "upstart"
	w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
		return "amazon-ssm-agent start/running, process 5\n", 0, command[0] == "status"
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	for _, line := range []string{"initctl reload-configuration", "start --no-wait ssm-setup-takeover", "stop amazon-ssm-agent",
		"start amazon-ssm-agent",
		"status amazon-ssm-agent"} {
		if !slices.Contains(w.ran, line) {
			t.Errorf("%q is not among %q", line, w.ran)
		}
	}
	if w.installed != ours {
		t.Errorf("%s", w.installed)
	}
}
