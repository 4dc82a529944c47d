package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/machine"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// An activation that was used up is not given back: what fails after the registration keeps it, says so, and the next try is the same
// node without an activation.
func TestAnInstallationThatFailsAfterItsRegistrationKeepsIt(t *testing.T) {
	r := published(t)
	id, code, err := r.CreateActivation(1)
	must(t, err)
	dir := root(t)
	i := setup.Installation{Layout: installer.At(dir), Ports: machine.Ports()}
	ctx, interrupt := context.WithCancel(t.Context())
	i.Ports.Progress = func(string) func(done, total int64) { return func(int64, int64) {} }
	var told []string
	i.Ports.Step = func(format string, args ...any) {
		told = append(told, fmt.Sprintf(format, args...))
		if strings.HasPrefix(format, "registered") {
			interrupt()
		}
	}
	_, err = i.Install(ctx, setup.Options{Region: r.Name(), Endpoint: r.URL(), Activation: setup.Activation{ID: id, Code: code}})
	node, _, _ := identity.Registered(i.Layout)
	if !errors.Is(err, context.Canceled) || node == "" {
		t.Fatalf("%v, registered as %q", err, node)
	}
	if last := told[len(told)-1]; !strings.Contains(last, "aws ssm deregister-managed-instance --region local --instance-id "+node) {
		t.Errorf("it says %q", told)
	}
	if setup.Exists(i.Launcher()) {
		t.Error("the programs are left")
	}
	if m := object(t, installInto(r, dir)); m["instance_id"] != node || m["healthy"] != true || m["registered"] != false {
		t.Errorf("%v", m)
	}
	if nodes := r.Instances(); len(nodes) != 1 {
		t.Errorf("%d nodes", len(nodes))
	}
}
