// Package sign puts signatures on packages and checks them. It is the only door to the libraries of OpenPGP and Authenticode.
//
//	deb            OpenPGP, member _gpgorigin, over the other members in their order
//	rpm            OpenPGP over the header, and over header and payload
//	FILE.sig       OpenPGP, detached, binary: all packages, SHA256SUMS
//	exe, msi       Authenticode, SHA-256, with an RFC 3161 timestamp where a server is named
//	pkg            RSA and CMS signatures of the table of contents, as a Developer ID certificate makes them
//
// Parties: ssm-setup build opens a [Signer] from keys and hands its functions to installer/pack; ssm-setup verify and tests
// call [Verify]. Keys come as bytes (a file, a variable of the environment) or stay outside, behind a [Command].
//
// All of it works on every system but one: on Windows for ARM64 exe and msi are neither signed nor verified, see
// authenticode_windows_arm64.go.
//
// What must always be true:
//   - a key that cannot be read, does not fit, or has expired is refused by [Open], before anything is written;
//   - the same key and the same bytes give the same signature, where the algorithm allows (RSA PKCS #1 v1.5, Ed25519): OpenPGP
//     signatures carry the build's time and no random notation, CMS signatures no time. Timestamps differ each time;
//   - no key and no passphrase is written to a file, a log, an argument of a child or its environment;
//   - [Verify] says what it did check, and a signature counts for what it covers: that of an rpm's header for the package only if
//     the header has a digest of the payload, that of a key for the time in which this very key was valid. Nothing here knows
//     whether Apple notarised a package;
//   - a file that holds more than its signature covers is refused, signed or not: bytes behind the container, members, streams
//     and tags that no digest is of, a structure that does not open. Slack inside of a structure and reserved fields are refused in
//     packages of ours, which have none, and reported in others.
package sign
