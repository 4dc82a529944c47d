package setup

import "github.com/ssm-setup/ssm-setup/installer"

// lockFolders are the locks' folders that a removal takes away. The one of the lock that this program holds cannot go on this
// system; it stays with the data, and goes with --purge.
func lockFolders(l installer.Layout) []string {
	return []string{l.Pointer().AgentLock(), l.Pointer().LauncherLock()}
}
