package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// A node that was deregistered while its agent ran on is not healthy because it was so minutes ago; the way out is said, and works.
func TestADeregisteredNodeIsNotCalledHealthy(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	first := object(t, installInto(r, dir))
	must(t, r.Deregister(first["instance_id"].(string)))
	s := installInto(r, dir)
	if s.code != exitUnhealthy || !strings.Contains(s.err, "the region answers: InvalidInstanceId") ||
		!strings.Contains(s.err, "ssm-setup register --override") {
		t.Fatalf("%+v", s)
	}
	again := object(t, ssmSetup("--json", "register", "--override", "--region", r.Name(), "--root", dir))
	if again["healthy"] != true || again["instance_id"] == first["instance_id"] {
		t.Errorf("%v", again)
	}
	if third := object(t, installInto(r, dir)); third["healthy"] != true || third["registered"] != false {
		t.Errorf("%v", third)
	}
}

// What fails after a registration uses up an activation each time: it is tried before.
func TestAProgramThatDoesNotRunCostsNoActivation(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	t.Setenv(setup.ActivationID, "")
	t.Setenv(setup.ActivationCode, "")
	object(t, installInto(r, dir))
	activate(t, r)
	l := installer.At(dir)
	must(t, os.Rename(l.Worker(), l.Worker()+".away")) // what the launcher executes
	defer func() { must(t, os.Rename(l.Worker()+".away", l.Worker())) }()
	s := ssmSetup("register", "--region", r.Name(), "--root", dir)
	if s.code == 0 || !strings.Contains(s.err, "the installed program does not run") || len(r.Instances()) != 0 {
		t.Errorf("%+v, %d nodes", s, len(r.Instances()))
	}
	if left, _ := filepath.Glob(filepath.Join(l.Data(), ".try-*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
