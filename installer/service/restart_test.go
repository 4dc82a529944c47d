//go:build linux || windows

package service_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/service"
)

// After a restart that was interrupted the service runs.
func TestAfterAnInterruptedRestartTheServiceRuns(t *testing.T) {
	l := newLayout(t)
	s := service.Of(l)
	ctx := context.Background()
	t.Cleanup(func() { _ = s.Stop(ctx) })
	ok(t, s.Start(ctx))
	agent := awaitAgent(t, l)
	interrupted, interrupt := context.WithCancel(ctx)
	interrupt()
	if err := s.Restart(interrupted); err == nil {
		t.Error("it says nothing of the interruption")
	}
	for end := time.Now().Add(2 * time.Minute); host.Alive(agent); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the first agent does not end")
		}
	}
	awaitAgent(t, l)
	ok(t, s.Stop(ctx))
	if pid, running := launcher.Running(l.Pointer()); running {
		t.Errorf("process %d runs", pid)
	}
}

// A launcher that cannot begin leaves the one that runs at work.
func TestAfterAFailedRestartTheServiceRuns(t *testing.T) {
	l := newLayout(t)
	s := service.Of(l)
	ctx := context.Background()
	t.Cleanup(func() { _ = s.Stop(ctx) })
	ok(t, s.Start(ctx))
	agent := awaitAgent(t, l)
	ok(t, os.Rename(l.Launcher(), l.Launcher()+".away"))
	if err := s.Restart(ctx); err == nil {
		t.Error("restarted nothing")
	}
	ok(t, os.Rename(l.Launcher()+".away", l.Launcher()))
	if st, err := s.Status(); err != nil || !st.Running || !host.Alive(agent) {
		t.Errorf("%+v, %v; its agent lives: %t", st, err, host.Alive(agent))
	}
}
