//go:build unix

package setup

import (
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
)

// lockFolders are the locks' folders that a removal takes away.
func lockFolders(l installer.Layout) []string { return []string{filepath.Dir(l.Pointer().AgentLock())} }
