// Package machine has the commands of ssm-setup that work on one machine: install, register, update, rollback, status, uninstall, and
// self-update of the tool. Each is a file cmd_<name>.go and a row of the table in cmd/ssm-setup; flags_*.go are the flags that several of
// them share, report.go says how an update ended.
//
// What must always be true: a command refuses bad flags before it touches the installation, prints through the terminal's Printer only, and
// returns a terminal.Problem whose kind is the exit code.
package machine
