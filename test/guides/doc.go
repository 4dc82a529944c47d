// Package guides holds the README and the guides below docs/ to what the programs do.
//
//   - tables that code knows (settings, plugins, identities) are made from it: `go test ./test/guides -run Made -write` writes them anew,
//     `go test ./cmd/ssm-setup -run Made -write` the reference of commands;
//   - the README's shell blocks are run in order on a copy of the source, as root and as an ordinary account (build tag integration);
//   - the files of docs/examples are read by real parsers, their shell parts run against a local region;
//   - the schemas of docs/schema are held against what the commands print;
//   - the permissions of docs/own-bucket.md are held against the calls that a local region records.
//
// A block of the README has an info string: `sh` is run, `sh once` only as the ordinary account, `sh aws` needs AWS (its subcommands and
// flags are checked), `sh tests` is what CI calls, `text` is not run.
package guides
