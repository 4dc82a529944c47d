package plugins

import (
	"context"
	"fmt"
)

// refuseInventory: inventory is gathered for associations only (spec runcommand 7.13).
func refuseInventory(_ context.Context, c Call) Outcome {
	fmt.Fprint(c.Stderr, "aws:softwareInventory plugin can only be invoked via ssm-associate")
	return failed()
}

// refuseCloudWatch: the legacy action lives on Windows only (spec runcommand 7.10).
func refuseCloudWatch(_ context.Context, c Call) Outcome {
	fmt.Fprint(c.Stderr, "Plugin aws:cloudWatch is not registered by agent")
	return failed()
}
