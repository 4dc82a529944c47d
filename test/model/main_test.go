//go:build linux

package model_test

import (
	"os"
	"testing"
)

// folder is where the explorer is compiled.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "model"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}
