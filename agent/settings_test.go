//go:build unix

package agent_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

// The way to mend the file is a command: so none may be needed before commands run.
func TestABrokenSettingsFileDoesNotTakeTheHostAway(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "cut off": `{"Ssm":{"End`,
		"of a wrong type": `{"Mds":{"CommandWorkersLimit":"5"}}`} {
		t.Run(name, func(t *testing.T) {
			h := registered(t, nil)
			whole, err := os.ReadFile(h.layout.ConfigFile())
			h.must(err)
			a := h.start()
			h.until("the settings to be kept", func() bool {
				good, err := os.ReadFile(h.layout.GoodConfig())
				return err == nil && string(good) == string(whole)
			})
			a.stop()
			h.must(os.WriteFile(h.layout.ConfigFile(), []byte(text), 0o600))
			h.start()
			if inv := h.wait(h.shell("echo here")); inv.Status != "Success" || inv.StandardOutput != "here\n" {
				t.Errorf("%+v", inv)
			}
			h.until("the region to be told", func() bool { return slices.Contains(h.statuses(), "ConfigurationUnreadable-LastGood") })
			h.logged("the settings cannot be used", "cannot read configuration", h.layout.GoodConfig())
			if good, err := os.ReadFile(h.layout.GoodConfig()); err != nil || string(good) != string(whole) {
				t.Errorf("the last good settings are now %s, %v", good, err)
			}
			told := len(h.statuses())
			h.must(os.WriteFile(h.layout.ConfigFile(), whole, 0o600))
			h.until("the agent to take the mended file up", func() bool {
				now := h.statuses()[told:]
				return len(now) > 0 && now[len(now)-1] == "Active"
			})
			if inv := h.wait(h.shell("echo again")); inv.Status != "Success" {
				t.Errorf("%+v", inv)
			}
			h.logged("the settings can be read again")
		})
	}
}

func TestTheLastGoodSettingsHaveModeAndOwnerOfTheFile(t *testing.T) {
	h := registered(t, nil)
	h.must(os.Chmod(h.layout.ConfigFile(), 0o640))
	h.start()
	h.until("the settings to be kept", func() bool {
		info, err := os.Stat(h.layout.GoodConfig())
		return err == nil && info.Mode().Perm() == 0o640
	})
}

// statuses are what the node's pings said of it, the oldest first, without those that said nothing.
func (h *host) statuses() (all []string) {
	for _, p := range h.region.Pings(h.id) {
		if p.AgentStatus != "" {
			all = append(all, p.AgentStatus)
		}
	}
	return all
}

// logged wants texts in one line of the agent's log.
func (h *host) logged(texts ...string) {
	h.Helper()
	h.until("a line of the log with "+strings.Join(texts, ", "), func() bool {
		log, _ := os.ReadFile(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log"))
		for line := range strings.Lines(string(log)) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
				return true
			}
		}
		return false
	})
}

func TestWithoutGoodSettingsOnlyCommandsRun(t *testing.T) {
	h := newHost(t, nil)
	for _, good := range []string{"", "{"} { // none, and one that is broken, too
		if good != "" {
			h.must(os.WriteFile(h.layout.GoodConfig(), []byte(good), 0o600))
		}
		h.must(os.WriteFile(h.layout.ConfigFile(), []byte(`{"Agent":{"SelfUpdate":true},`), 0o600))
		s := config.Read(h.layout)
		if s.Fault == nil || !s.OnlyCommands || s.Agent.SelfUpdate || s.Ssm.Endpoint != "" || !strings.Contains(s.Fault.Error(), "defaults") {
			t.Errorf("%+v", s)
		}
	}
	h.must(os.Remove(h.layout.ConfigFile()))
	if s := config.Read(h.layout); s.Fault != nil || s.OnlyCommands {
		t.Errorf("without a file: %+v", s)
	}
}
