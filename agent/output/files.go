package output

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Values of Ssm.PluginLocalOutputCleanup that leave less behind (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs").
const (
	afterExecution = "after-execution"
	afterUpload    = "after-upload"
)

// cleanUp removes a step's files: with after-execution all, with after-upload the whole streams only where every further place has
// them.
func cleanUp(setting string, l Location, uploaded bool) error {
	names := []string{stdoutConsole, stderrConsole}
	switch {
	case setting == afterExecution, setting == afterUpload && uploaded:
		names = append(names, stdoutFile, stderrFile)
	case setting != afterUpload:
		return nil
	}
	var failed error
	for _, name := range names {
		if err := os.Remove(filepath.Join(l.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
