// Package output is where what actions write goes: four files per step and, in memory, the beginning that a reply carries
// (docs/protocol/runcommand.md, "Fields of a step result" and "Files, S3, CloudWatch Logs").
//
//	stdout, stderr                  whole streams, for people and uploads
//	stdoutConsole, stderrConsole    the same; what results are made of
//
// All 0600, opened for append and never truncated, so that a step that runs again after a reboot reports old plus new.
// Writers never fail towards the script: a full disk costs the file, not the command.
//
// Further places are sinks: an S3 bucket gets the whole streams when the step has ended, CloudWatch Logs gets them while it runs. Both
// read the files, never more than a buffer of them at once.
//
// What must always be true: a place that fails costs no step its status, and no reply longer than a bound; the step's output says what
// which place does not have, and why; a reply names a bucket only where something of the step was put there. A stream of CloudWatch
// Logs ends with the step: what an updater writes afterwards is in the files and the bucket only.
//
//	capture.go    the files and the beginnings       limit.go    what is cut off, and where
//	sink.go       the table of further places        bucket.go   S3
//	logs.go       CloudWatch Logs; tail.go: a file's pieces as events
//	files.go      what is left of the files          settings.go where a step's streams go
package output
