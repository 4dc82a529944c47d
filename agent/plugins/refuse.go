package plugins

import (
	"context"
	"fmt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// refuseInventory: inventory is gathered for associations only (docs/protocol/runcommand.md, "aws:softwareInventory and shared
// download").
func refuseInventory(_ context.Context, c Call) Exit {
	fmt.Fprint(c.Stderr, "aws:softwareInventory plugin can only be invoked via ssm-associate")
	return failed()
}

// refuseCloudWatch: the legacy action lives on Windows only (docs/protocol/runcommand.md, "aws:cloudWatch").
func refuseCloudWatch(context.Context, Call) Exit {
	return Exit{Status: wire.Failed, Code: 1, Output: "Plugin aws:cloudWatch is not registered by agent"}
}
