package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Set edits the file at path as [Edit] does, making it and its folder where they are missing. The file is replaced whole or
// not at all, with mode 0600; it is left alone when nothing changes.
func Set(path string, settings map[string]any) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{path, err}
	}
	text, editErr := Edit(old, settings)
	if editErr == nil { // what it keeps may be of a wrong type
		_, editErr = Parse(text)
	}
	if editErr != nil {
		return &Error{path, editErr}
	}
	if err == nil && string(text) == string(old) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return host.WriteFile(path, text, 0o600)
}
