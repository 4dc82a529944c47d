package plugins

import "log/slog"

// Systems an action can be supported on.
const (
	linux   = "linux"
	mac     = "darwin"
	windows = "windows"
)

// Ports are what actions need that is not theirs to do. A nil port fails the step that needs it.
type Ports struct {
	// Update hands an update of the agent to an updater and returns once it is taken. The text of an error is shown to the
	// service; what else there is to say goes to the log.
	Update func(Update, *slog.Logger) error
}

// Table lists every action that documents may name on any platform (docs/protocol/runcommand.md, "Known, supported, registered"),
// also those this agent cannot run yet: their Run is nil, and a step that needs one fails instead of being skipped in silence. An
// action without systems is a name from the past that nothing ever ran.
func Table(p Ports) []Action {
	everywhere := []string{linux, mac, windows}
	unix := []string{linux, mac}
	notMac := []string{linux, windows}
	return []Action{
		{Name: "aws:runShellScript", Systems: unix, Run: runShellScript},
		{Name: "aws:runPowerShellScript", Systems: everywhere, Run: runPowerShellScript},
		{Name: "aws:updateSsmAgent", Systems: everywhere, Run: updateSsmAgent(p.Update)},
		{Name: "aws:softwareInventory", Systems: everywhere, Run: refuseInventory},
		{Name: "aws:cloudWatch", Systems: []string{linux}, Run: refuseCloudWatch},
		{Name: "aws:refreshAssociation", Systems: everywhere},
		{Name: "aws:configurePackage", Systems: everywhere},
		{Name: "aws:runDocument", Systems: notMac},
		{Name: "aws:downloadContent", Systems: notMac},
		{Name: "aws:configureDocker", Systems: notMac},
		{Name: "aws:runDockerAction", Systems: notMac},
		{Name: "aws:domainJoin", Systems: notMac},
		{Name: "aws:psModule", Systems: []string{windows}},
		{Name: "aws:applications", Systems: []string{windows}},
		{Name: "aws:updateAgent", Systems: []string{windows}},
		{Name: "aws:configureDaemon"},
	}
}
