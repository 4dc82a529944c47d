//go:build !linux

package launcher_test

// actImpostor is another account's program under the launcher's path, which these systems do not know.
func actImpostor(string, string) {}
