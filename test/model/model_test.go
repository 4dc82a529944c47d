//go:build linux

package model_test

import (
	"bytes"
	"flag"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ssm-setup/ssm-setup/test/model"
)

var long = flag.Bool("long", false, "every scenario, and two faults in a history of some: an hour or more")

// explorer is the program that walks the states, made of the rooms as they are, but for the disk below them.
var explorer = sync.OnceValues(func() (string, error) {
	source, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return "", err
	}
	overlay, err := model.Overlay(source, dir)
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "explorer")
	out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "../../test/model/explorer").CombinedOutput()
	if err != nil {
		return "", &buildError{string(out)}
	}
	return program, nil
})

type buildError struct{ text string }

func (e *buildError) Error() string { return e.text }

func run(t *testing.T, args ...string) (out string, sound bool) {
	t.Helper()
	program, err := explorer()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	return b.String(), err == nil
}

func TestEveryHistoryEndsInOneHealthyVersionAndATrueRecord(t *testing.T) {
	rounds := [][]string{{"-faults=1", "-scenarios=good,rollback,package,package-alone-dead"}}
	if *long {
		rounds = [][]string{{"-faults=1"}, {"-faults=2", "-scenarios=rollback,package,package-alone-dead"}}
	}
	for _, args := range rounds {
		out, sound := run(t, args...)
		t.Log(strings.Join(args, " ") + "\n" + out)
		if !sound {
			t.Error("a history ends badly")
		}
	}
}

func TestWithoutAnyOneRuleAHistoryEndsBadly(t *testing.T) {
	for _, r := range model.Rules() {
		t.Run(r.Name, func(t *testing.T) {
			args := append([]string{"-first", "-faults=1", "-scenarios=" + r.Scenarios, "-without=" + r.Name}, strings.Fields(r.Faults)...)
			out, sound := run(t, args...)
			if sound || !strings.Contains(out, "BAD: ") {
				t.Errorf("not noticed:\n%s", out)
				return
			}
			_, why, _ := strings.Cut(out, "BAD: ")
			t.Log(why)
		})
	}
}
