package dispatch

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// isOriginals tells whether an original agent had accepted a command, and its worker, if any, is none of ours.
func (x *executor) isOriginals(c *command) bool {
	return c.SsmSetup.Accepted.IsZero() && !runner.Prepared(x.journal.ChannelOf(c.Job))
}

// takeOver follows the worker that an original agent gave a command to. nil: there was none, or the document waited for a reboot: it
// goes on with a worker of ours. A command that a process had is never run here, whatever became of that process.
func (x *executor) takeOver(ctx context.Context, c *command, spec runner.Spec) *runner.Worker {
	info := c.DocumentInformation
	_, none := os.Lstat(spec.Dir)
	if waitsForReboot(c.Job) || info.ProcInfo.Pid == 0 && none != nil {
		return nil
	}
	x.log.Info("a command of the original agent is taken over", "messageID", c.messageID(), "pid", info.ProcInfo.Pid)
	var steps []document.Step
	for _, p := range c.InstancePluginsInformation {
		steps = append(steps, step(p))
	}
	return runner.TakeOver(ctx, spec, runner.Original{ID: info.DocumentID, PID: info.ProcInfo.Pid, Steps: steps})
}

// goOn hands the results that an original agent noted to a worker of ours, so that no finished step runs again.
func (x *executor) goOn(c *command, spec *runner.Spec) error {
	results := map[int]runner.Result{}
	for i, p := range c.InstancePluginsInformation {
		if r := resultOf(p); r.Status != "" {
			results[i] = r
		}
	}
	if err := os.RemoveAll(spec.Dir); err != nil || len(results) == 0 { // of the worker before the reboot
		return err
	}
	c.mu.Lock()
	c.SsmSetup.Told += len(results) + 1 // numbers of replies go on
	spec.After = c.SsmSetup.Told
	c.mu.Unlock()
	x.save(c) // first: the numbers of what follows must not be those of earlier replies
	return runner.GoOn(spec.Dir, results, spec.After)
}

// waitsForReboot tells whether a state file is that of a document that goes on after a reboot.
func waitsForReboot(j *journal.Job) bool {
	if j.DocumentInformation.DocumentStatus == wire.SuccessAndReboot {
		return true
	}
	for _, p := range j.InstancePluginsInformation {
		if resultOf(p).Status == wire.SuccessAndReboot {
			return true
		}
	}
	return false
}

// resultOf is a step's result as a state file has it, whichever agent wrote it; the zero value where there is none.
func resultOf(p journal.Plugin) (r runner.Result) {
	if json.Unmarshal(p.Result, &r) != nil {
		return runner.Result{}
	}
	return r
}

// adoptReboot makes the wish of an original agent for a reboot ours, where the machine has not restarted since: the step would run
// again too early. The original has asked the system already.
func (x *executor) adoptReboot(c *command) {
	if !x.isOriginals(c) || !waitsForReboot(c.Job) {
		return
	}
	var asked time.Time
	for _, p := range c.InstancePluginsInformation {
		if end := resultOf(p).End; end.After(asked) {
			asked = end
		}
	}
	if booted := x.booted(); asked.After(booted) && !booted.IsZero() {
		c.mu.Lock()
		c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked = x.rebooter.boot, asked
		c.mu.Unlock()
	}
}

// bootTime is when this system started, to some seconds: its first process did then (the second id is that of Windows). The zero time
// where it cannot be found out.
func bootTime() time.Time {
	for _, pid := range []int{1, 4} {
		if at, err := host.ProcessStart(pid); err == nil {
			return at
		}
	}
	return time.Time{}
}
