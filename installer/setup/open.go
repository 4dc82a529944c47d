package setup

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/systems"
)

// open checks what can be checked before a change, and takes the update lock. The function it returns gives the lock back, and
// removes what was made for it where nothing was installed.
func (r *run) open() (release func(), err error) {
	checks := []func(installer.Layout) error{checkSystem, CheckPrivileges, checkWritable}
	if !r.TakeOver {
		checks = append(checks, refuseOriginal)
	}
	for _, check := range checks {
		if err := check(r.Layout); err != nil {
			return nil, err
		}
	}
	if r.before, err = readBefore(r.Layout); err != nil {
		return nil, err
	}
	unlock := func() {}
	if !r.TakeOver {
		if unlock, err = r.Lock(); err != nil {
			return nil, err
		}
	}
	if old := readRecord(r.Layout); !old.Began.IsZero() && old.Done.IsZero() {
		r.before, r.goingOn = old.Before, true
		r.Ports.Step("going on with the installation of %s begun at %s", old.Version, old.Began.Local().Format("2006-01-02 15:04:05"))
	}
	return func() {
		defer unlock()
		if !Exists(recordFile(r.Layout)) && !r.before.Agent {
			r.prune()
		}
	}, nil
}

// prune removes what taking the lock made, where nothing was installed.
func (r *run) prune() {
	if !r.before.Data && !r.result.Registered {
		os.RemoveAll(r.Data())
	}
	if !r.before.Logs {
		os.RemoveAll(r.Logs())
	}
	for _, dir := range []string{r.Data(), r.Logs(), r.ConfigDir(), r.BinDir(), r.Root} {
		removeEmpty(r.Layout, dir, !r.before.Root)
	}
}

// checkSystem fails where the agent cannot run. Under a root, which may lie in a container, only the kernel counts.
func checkSystem(l installer.Layout) error {
	facts := systems.Here()
	if !l.System() {
		facts.ID = ""
	}
	return systems.Check(facts)
}

// CheckPrivileges fails early where the system would refuse half-way.
func CheckPrivileges(l installer.Layout) error {
	if l.System() && !Privileged() {
		return ErrNotRoot
	}
	return nil
}
