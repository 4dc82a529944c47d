// Package yum makes the files with which a bucket is an rpm repository for yum, dnf and zypper, from the packages that lie
// in it.
//
//	baseurl=https://…/amazon-ssm-<region>/stable
//
// There are two folders, stable and latest, and the bucket itself, which is as latest. In each:
//
//	repodata/<hash>-{primary,filelists,other}.xml.gz   never change
//	repodata/repomd.xml                                names them: the one file that says what is current
//	repodata/repomd.xml.asc, .key                      with a key: signature, and the key itself, for zypper
//	repodata/lists.json                                the publisher's record of lists, written before and after all others
//
// A package is described from the headers at its start ([Read]); payloads are not looked at. Nothing here reads or writes a
// bucket.
package yum
