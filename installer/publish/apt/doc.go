// Package apt makes the files with which a bucket is a Debian repository, from the packages that lie in it.
//
//	deb [signed-by=…] https://…/amazon-ssm-<region> stable main
//
// There are two suites, stable and latest; dists/latest has the same files.
//
//	dists/stable/main/binary-<arch>/by-hash/SHA256/<hash>   never change; a client that saw a Release finds what it names
//	dists/stable/InRelease                                   with a key: the one file that says what is current
//	dists/stable/main/binary-<arch>/Packages{,.gz,.xz}       the same under the names of old clients
//	dists/stable/Release, Release.gpg
//	dists/stable/lists.json                                  the publisher's record of lists, written before and after all others
//
// They are written in that order. The content follows from the packages alone (what reads them is [Control]); time comes in
// from outside. Nothing here reads or writes a bucket.
package apt
