package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// The test program lies in no installation that is registered: nothing is read before a sink asks, and then the reason is told.
func TestTheRegionOfAWorkerIsReadWhenASinkAsks(t *testing.T) {
	r := nodesRegion()
	if _, err := r.Client(cloud.SSM()); err == nil {
		t.Error("a client without an installation")
	}
	if _, err := r.S3(); err == nil {
		t.Error("buckets without an installation")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(os.Args[0]), "var")); err == nil {
		t.Error("something was made")
	}
}
