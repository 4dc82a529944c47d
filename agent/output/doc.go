// Package output is where what actions write goes: four files per step and, in memory, the beginning that a reply carries
// (docs/protocol/runcommand.md, "Fields of a step result" and "Files, S3, CloudWatch Logs").
//
//	stdout, stderr                  whole streams, for people and uploads
//	stdoutConsole, stderrConsole    the same; what results are made of
//
// All 0600, opened for append and never truncated, so that a step that runs again after a reboot reports old plus new.
// Writers never fail towards the script: a full disk costs the file, not the command.
//
//	capture.go    the files and the beginnings       limit.go    what is cut off, and where
//	sink.go       the table of further places
package output
