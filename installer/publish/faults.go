package publish

import "github.com/ssm-setup/ssm-setup/manifests/fault"

// Faults that callers test for, beside those of a target.
var (
	ErrPublished = fault.New(fault.Refused, "this version is already published with other content",
		"a version's bytes never change: build a higher version, or add --replace")
	ErrSigned = fault.New(fault.Refused, "the repositories there are signed, and there is no key to sign them anew",
		"give the key with --sign-pgp-key, or add --no-repositories; nothing was written")
	ErrOtherKey = fault.New(fault.Refused, "the repositories there are signed by another key, and every apt and dnf client trusts that one",
		"give the old key, and the new one as --sign-pgp-key-next, until clients have both; --change-key changes it at once")
	ErrMirrorKey = fault.New(fault.Refused,
		"the region signs by another key than the mirror has, and every apt and dnf client of it trusts that one",
		"ask the region's owner whether its key changed; then --change-key takes it, and clients need the new "+KeyKey)
	ErrNotServed = fault.New(fault.Refused, "the region does not serve this version",
		"publish it first: ssm-setup publish; ssm-setup mark changes a status")
)
