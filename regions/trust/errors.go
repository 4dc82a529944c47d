package trust

import "github.com/ssm-setup/ssm-setup/manifests/fault"

// Why a region is not believed. Callers test for them.
var (
	// ErrUnsigned says that a source has no signed files, or not all of them.
	ErrUnsigned = fault.New(fault.Verify, "the source is not signed, and this host takes only what its root of trust vouches for",
		"name a source that is signed with that root; an administrator of this host can give the root up: ssm-setup trust clear")
	// ErrFormat says that a signed file is not what the specification describes, or larger than accepted.
	ErrFormat = fault.New(fault.Verify, "not a usable signed file", "the source is damaged, or another server answers in its place")
	// ErrSignature says that too few of the role's keys signed a file.
	ErrSignature = fault.New(fault.Verify, "not signed by the keys that count",
		"the source is damaged, or not the one this host trusts; ssm-setup trust shows the root")
	// ErrReplayed says that a file is older than one that this host has seen.
	ErrReplayed = fault.New(fault.Verify, "older than what this host has seen already",
		"the source, or a server before it, serves an old copy: name another source, or try again later")
	// ErrExpired says that a file's time is over.
	ErrExpired = fault.New(fault.Verify, "the source's signed files have expired",
		"updates wait until the source is signed anew, the agent goes on; check this host's clock, too")
	// ErrMixed says that files do not belong together: length, hash or number is not what the signed file before it says.
	ErrMixed = fault.New(fault.Verify, "the source's files do not belong together",
		"the source is being written, or damaged: try again; nothing was installed")
	// ErrRoot says that a text is no root, or that the host's own one cannot be read.
	ErrRoot = fault.New(fault.Verify, "not a root of trust", "a root is the file <number>.root.json that ssm-setup keys makes")
	// ErrOtherRoot says that a host trusts another root than the one it is told to.
	ErrOtherRoot = fault.New(fault.Refused, "this host trusts another root already",
		"ssm-setup trust shows it; an administrator can give it up: ssm-setup trust clear")
)
