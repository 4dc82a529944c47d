package pack

import "io"

// binaries is what people package in a way of their own (docs/protocol/update.md, "Archives for the updater"): the six names
// of /usr/bin, flat. The original has six programs; here four are links.
var binaries = Format{
	Name: "binaries", Package: "amazon-ssm-agent-binaries", Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if !snaps(p) { // the same two machines
			return ""
		}
		return "amazon-ssm-agent-binaries-" + p.OS + "-" + p.Arch + ".tar.gz"
	},
	write: func(w io.Writer, in Input) error { return writeTarGz(w, in, programEntries("."), 6) },
}
