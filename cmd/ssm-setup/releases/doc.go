// Package releases has the commands of ssm-setup that make releases and give them to regions: build, verify, publish, promote, mark, mirror
// and regions. Each is a file cmd_<name>.go and a row of the table in cmd/ssm-setup; flags_keys.go are the flags for keys.
//
// What must always be true: a command refuses bad flags and keys before it writes, prints through the terminal's Printer only, and
// returns a terminal.Problem whose kind is the exit code.
package releases
