// Package pack says what a package of the product is: one file per format, the table of them in [Formats].
//
//	deb, rpm   for a package manager (nfpm and rpmpack; this is the only door to them); payload xz
//	pkg        for macOS 12 and up, Intel, Apple silicon and both in one; own writers, see xar, bom, cpio and macho
//	msi, exe   for Windows, with and without the original's switches in front; own writers, see msi, cab, cfb and setupexe
//	tar        the portable archive (a zip for Windows): what the store and --root installations are made of
//	setup      ssm-setup itself, one file
//	update…    what the updater of an original agent fetches: a package of another row, stored, and the scripts it calls
//	           (a snap is not made here; where amazon-ssm-agent.snap and .assert lie beside the programs, they are put in)
//	updater…   the updater itself, which original agents fetch and start: our worker under that name
//	binaries   the six names of /usr/bin, for packages that other people make
//	greengrass what a Greengrass component unpacks, and its recipe
//
// Parties: installer/build makes whole releases and calls [Make] for each artifact; installer/publish reads the names back with
// [Of]; an installation and ssm-setup verify read from the table how a package is signed, checked and installed.
//
// An artifact is one file with the name that manifests use, for example amazon-ssm-agent-debian-amd64.deb. A format that holds a
// finished package of another row gets that one from [Input.Embedded] and stores it: what is compressed already is not compressed
// again. deb and rpm hold the same programs, but each in a stream of its own kind, headers and all, which is compressed as it
// is written.
//
// With keys (see [Signing]) deb, rpm, exe, msi and pkg are signed inside, and with an OpenPGP key by FILE.sig beside them.
//
// Compression is chosen by BenchmarkCompress: launcher and worker for linux/amd64, 10.6 MB, on an AMD EPYC whose two processors
// were busy with other things besides; MB/s are of one processor's own time.
//
//	xz, dictionary of 1 MiB    4.14 MB   3.8 MB/s     gzip 1   5.15 MB   166 MB/s     zstd fastest   4.80 MB   120 MB/s
//	                  4 MiB    3.95 MB   3.2 MB/s          6   4.64 MB    79 MB/s          default   4.42 MB    51 MB/s
//	                  8 MiB    3.72 MB   2.7 MB/s          7   4.56 MB    44 MB/s          better    3.92 MB    28 MB/s
//	                 16 MiB    3.70 MB   2.3 MB/s          9   4.52 MB    10 MB/s          best      3.68 MB     8 MB/s
//	                 64 MiB    3.70 MB   2.2 MB/s     Go's 6   4.55 MB    22 MB/s
//
// So:
//   - deb and rpm: xz with 8 MiB, which is what nfpm and rpmpack have: a fifth smaller than gzip, and every dpkg and rpm reads
//     it. zstd would give the same in a third of the time, but dpkg before Debian 12 and rpm before 4.14 cannot read it. A larger
//     dictionary gains nothing; the binary tree as matcher had not come to an end after ten minutes. (xz -6, a program in C,
//     makes 3.02 MB of it.)
//   - tar.gz, zip and the payload of a pkg: deflate, the only one that original updaters and every macOS unpack, at level 6: level
//     9 is 3 % smaller in eight times the time.
//   - msi: MSZIP, the one that Windows Installer knows besides LZX; level in package cab.
//   - all of them work in one thread and without the clock, so that the number of processors does not show in the bytes; artifacts
//     are made beside each other instead.
//
// What packages are to trust ([Input]) lies with the settings: trust/root.json, and trust/amazon-ssm-agent.gpg.
//
// What must always be true:
//   - the same binaries, version and time give the same bytes, on any machine: every entry has its time, mode and owner set,
//     rpm a fixed build host, nothing is taken from the clock, the umask or the host's name;
//   - what is packed was looked at by [Check]: architecture from the file's own header, version from its stamp, and nothing is run;
//   - a file of an artifact's name is whole.
//
// What the packages hold and do is docs/protocol/update.md, "Packages", without its hazards: an upgrade stops and disables nothing,
// the last script enables (a first installation only) and restarts (if it ran); see assets/. Where no service manager runs (a chroot,
// an image or container being built, dnf --installroot), the service is enabled for the first boot. The unit lies in the system's own
// folder for units, so that it can be masked; an edited one in /etc, the place of earlier packages and of the original's rpm, stays
// in force. The two settings files that admins
// make are in no list of conffiles: dpkg-deb refuses names that are not in the package, and dpkg leaves unlisted files alone
// at upgrade, removal and purge, which is what listing them was for.
package pack
