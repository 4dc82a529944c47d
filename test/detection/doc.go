// Package detection measures how long a host goes without a working agent while a release that fails only as the service is on trial, and
// whether a sound release survives a kill. It runs the real programs in throwaway roots against a local region, several at a time, in
// three pairings: launcher and updater of this source; this updater beside a launcher of an earlier release; and the reverse.
//
// Its one test prints a line per run and a table at the end. It demands how each update ends and never how long that takes. A plain
// `go test` takes one run of the quick classes; `make detection-long` takes twenty of each.
package detection
