//go:build unix

package setup

import (
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
)

// An agent that says it registered, but has no instance id, is not registered; with an activation and with a role.
func TestAnAgentWithoutAnInstanceIDIsNotRegistered(t *testing.T) {
	root := t.TempDir()
	i := here(installer.At(root))
	must(t, os.MkdirAll(i.BinDir(), 0o755))
	must(t, os.WriteFile(i.Launcher(), []byte("#!/bin/sh\nexit 0\n"), 0o755))
	for _, r := range []Registration{{Region: "local", Activation: Activation{"id", "code"}}, {Region: "local", Role: "r"}} {
		if id, err := i.Register(t.Context(), r); err == nil || id != "" || !strings.Contains(err.Error(), "no instance id") {
			t.Errorf("%+v: %q, %v", r, id, err)
		}
	}
}
