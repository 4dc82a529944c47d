package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPlainHTTPOfAnotherMachineIsRefusedWhereItIsNewlyGiven(t *testing.T) {
	const address = "http://mirror.invalid:8000"
	for _, args := range [][]string{
		{"install", "--root", filepath.Join(t.TempDir(), "host")},
		{"mirror", "--to", filepath.Join(t.TempDir(), "mirror")},
		{"self-update"},
		{"regions"},
		{"publish"},
		{"promote", "--version", "9.1.0.0"},
		{"mark", "--version", "9.1.0.0", "--status", "Inactive"},
		{"mirror", "--to", filepath.Join(t.TempDir(), "mirror"), "--url", address, "--endpoint", "http://127.0.0.1:1"},
	} {
		if args = append(args, "--region", "local"); !slices.Contains(args, "--endpoint") {
			args = append(args, "--endpoint", address)
		}
		s := ssmSetup(args...)
		if s.code != exitRefused || !strings.Contains(s.err, "plain http to another machine: "+address) ||
			!strings.Contains(s.err, "--allow-insecure") {
			t.Errorf("%s: %+v", args[0], s)
		}
	}
}

// An endpoint may hold a password: it is used, and appears nowhere.
func TestNoPasswordOfAnEndpointAppears(t *testing.T) {
	const endpoint = "http://bob:secret@127.0.0.1:1"
	for _, args := range [][]string{
		{"install", "--root", filepath.Join(t.TempDir(), "host")},
		{"mirror", "--to", filepath.Join(t.TempDir(), "mirror")},
		{"regions"},
		{"publish", "--from", t.TempDir()},
	} {
		for _, format := range [][]string{nil, {"--json"}} {
			s := ssmSetup(append(append(append([]string{}, format...), args...), "--region", "local", "--endpoint", endpoint)...)
			if s.code == 0 || strings.Contains(s.err+s.out, "secret") {
				t.Errorf("%s: %+v", args[0], s)
			}
		}
	}
}
