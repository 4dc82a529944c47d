package setup

import "github.com/ssm-setup/ssm-setup/installer"

// checkWritable leaves the look at access lists to the launcher.
func checkWritable(installer.Layout) error { return nil }
