// Package pack makes the product's packages: one file per format, the table of them in [Formats].
//
//	deb, rpm   for a package manager (nfpm; this is the only door to it); payload xz
//	pkg        for macOS 12 and up, Intel, Apple silicon and both in one; own writers, see xar, bom, cpio and macho
//	msi, exe   for Windows, with and without the original's switches in front; own writers, see msi, cab, cfb and setupexe
//	tar        the portable archive (a zip for Windows): what the store and --root installations are made of
//	setup      ssm-setup itself, one file
//	update…    what the updater of an original agent fetches: a package of another row, stored, and the scripts it calls
//	           (a snap is not made here; where amazon-ssm-agent.snap and .assert lie beside the programs, they are put in)
//	updater…   the updater itself, which original agents fetch and start: our worker under that name
//	binaries   the six names of /usr/bin, for packages of people's own
//	greengrass what a Greengrass component unpacks, and its recipe
//
// A build writes one flat folder per version, OUT/<version>/, with the names that manifests use, so that a release can be
// checked with `sha256sum -c SHA256SUMS`, carried on a stick and published by [Index]:
//
//	amazon-ssm-agent-debian-amd64.deb                  SHA256SUMS
//	amazon-ssm-agent-linux-amd64.rpm                   manifest.json   the release's entries for a region's manifest
//	amazon-ssm-agent-portable-linux-amd64.tar.gz
//	ssm-setup-linux-amd64
//
// With keys (see [Signing]) deb, rpm, exe, msi and pkg are signed inside, deb and rpm also by FILE.sig beside them, and
// SHA256SUMS by SHA256SUMS.sig, last. Programs for Windows are signed before they are packed.
//
// What packages are to trust ([Input]) lies with the settings: trust/root.json, and trust/amazon-ssm-agent.gpg, which a compiled
// ssm-setup carries, too.
//
// What must always be true:
//   - the same binaries, version and time give the same bytes, on any machine: every entry has its time, mode and owner set,
//     rpm a fixed build host, nothing is taken from the clock, the umask or the host's name;
//   - what is packed was looked at: architecture from the file's own header, version from its stamp, and nothing is run;
//   - a file of an artifact's name is whole.
//
// What the packages hold and do is spec update, section 4, without its hazards: an upgrade stops and disables nothing, the
// last script enables (a first installation only) and restarts (if it ran); see assets/. The two settings files that admins
// make are in no list of conffiles: dpkg-deb refuses names that are not in the package, and dpkg leaves unlisted files alone
// at upgrade, removal and purge, which is what listing them was for.
package pack
