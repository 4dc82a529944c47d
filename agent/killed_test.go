//go:build unix

package agent_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent"
	"github.com/ssm-setup/ssm-setup/installer"
)

// agentUnder names the root in the environment of a test process that is an agent.
const agentUnder = "SSM_TEST_AGENT_UNDER"

// TestAgentOfItsOwn is that agent; without the variable it is nothing.
func TestAgentOfItsOwn(t *testing.T) {
	root := os.Getenv(agentUnder)
	if root == "" {
		return
	}
	os.Unsetenv(agentUnder)
	o := agent.Options{Channel: true, Layout: installer.At(root), Executable: self(t), Console: io.Discard}
	t.Error(agent.Run(context.Background(), o))
}

// mortal runs an agent in a process of its own; kill ends it at any moment, as the kernel may.
func (h *host) mortal() (kill func()) {
	h.Helper()
	cmd := exec.Command(self(h), "-test.run=^TestAgentOfItsOwn$")
	cmd.Env = append(os.Environ(), agentUnder+"="+h.layout.Root)
	h.must(cmd.Start())
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	h.Cleanup(kill)
	return kill
}

// A command whose worker died is not run by the next agent: its failure may have been told already.
func TestAFailedCommandIsNotRunByTheNextAgent(t *testing.T) {
	h := registered(t, nil)
	h.region.Break("SendReply", -1, 503, "") // retried by the client: the agent stops in the middle
	nothing, err := exec.LookPath("true")
	h.must(err)
	a := h.start(func(o *agent.Options) { o.Executable = nothing })
	mark := filepath.Join(t.TempDir(), "mark")
	id := h.shell("echo x > " + mark)
	h.until("the worker to be found dead", func() bool {
		return strings.Contains(h.read(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log")), "document worker died")
	})
	a.stop()
	h.region.Mend()
	h.start()
	if inv := h.wait(id); inv.Status != "Failed" || !strings.Contains(inv.Plugins[0].Output, "document process failed unexpectedly") {
		t.Errorf("%+v", inv)
	}
	h.until("the journal to be empty", h.idle)
	if h.read(mark) != "" || h.final(id) != 1 {
		t.Errorf("ran %q, %d results", h.read(mark), h.final(id))
	}
}

// Whenever an agent is killed, what it was given runs once and is answered once, its output whole.
func TestAnAgentKilledAtAnyMomentRunsAndAnswersACommandOnce(t *testing.T) {
	h := registered(t, map[string]any{"Mds.CommandRetryLimit": 100})
	dir := t.TempDir()
	const rounds = 20
	var ids []string
	for i := range rounds {
		polls := h.region.Count("UpdateInstanceInformation")
		kill := h.mortal()
		h.until("a ping", func() bool { return h.region.Count("UpdateInstanceInformation") > polls })
		ids = append(ids, h.shell(fmt.Sprintf("echo x >> %s/%d; echo out %d", dir, i, i)))
		time.Sleep(time.Duration(i) * 2 * time.Millisecond)
		kill()
		h.region.Advance(11 * time.Second) // what was not acknowledged is delivered again
	}
	h.mortal()
	for i, id := range ids {
		want := fmt.Sprintf("out %d\n", i)
		if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != want {
			t.Errorf("command %d: %+v", i, inv)
		}
		if runs := h.read(filepath.Join(dir, strconv.Itoa(i))); runs != "x\n" {
			t.Errorf("command %d ran %q", i, runs)
		}
	}
	h.until("the journal to be empty", h.idle)
	for i, id := range ids {
		if n := h.final(id); n != 1 {
			t.Errorf("command %d: %d results", i, n)
		}
	}
}
