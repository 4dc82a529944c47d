// Package playground has the commands of ssm-setup that need no account: local runs a region on this machine, demo shows the whole story
// on one. Each is a file cmd_<name>.go and a row of the table in cmd/ssm-setup.
//
// What must always be true: what a command began ends with it, and its data folder stays what the next run opens.
package playground
