package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

func TestPlainHTTPOfAnotherMachineIsRefusedWhereItIsNewlyGiven(t *testing.T) {
	const address = "http://mirror.invalid:8000"
	for _, args := range [][]string{
		{"install", "--root", filepath.Join(t.TempDir(), "host")},
		{"mirror", "--to", filepath.Join(t.TempDir(), "mirror")},
		{"self-update"},
	} {
		args = append(args, "--region", "local", "--endpoint", address)
		s := ssmSetup(args...)
		if s.code != exitRefused || !strings.Contains(s.err, "plain http to another machine: "+address) ||
			!strings.Contains(s.err, "--allow-insecure") {
			t.Errorf("%s: %+v", args[0], s)
		}
	}
}

func TestStatusWarnsOfPlainHTTPFromAnotherMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "amazon-ssm-agent.json")
	for source, warned := range map[string]bool{
		"http://mirror.example/amazon-ssm-local/ssm-agent-manifest.json":  true,
		"https://mirror.example/amazon-ssm-local/ssm-agent-manifest.json": false,
		"http://127.0.0.1:7700/amazon-ssm-local/ssm-agent-manifest.json":  false,
	} {
		must(t, os.WriteFile(path, []byte("{}"), 0o600))
		must(t, config.Set(path, map[string]any{"Agent.UpdateSource": source}))
		cfg, err := config.Load(path)
		must(t, err)
		r := failedUpdate()
		r.Warnings = insecureWarnings(cfg)
		if text := statusText(r); strings.Contains(text, "updates come over plain http from another machine") != warned {
			t.Errorf("%s:\n%s", source, text)
		}
	}
}
