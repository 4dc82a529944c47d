// Package disk is a disk in memory that can lose what was not synced, behind the functions of package os that the rooms of an update use.
// test/model compiles those rooms with this package in the place of os.
//
// # What is on the disk for certain
//
// A change is a write into a file, its length, its mode, or names in folders (made, removed, renamed, linked). It is certain once its
// file, or for names one of their folders, was synced, or once it is a minute old (the kernel writes back by itself, ext4 after 5 to 30
// s, xfs after 30 s). Everything else may be lost in a power cut, each change by itself, also an earlier one lost and a later one kept; a
// write may be torn behind each of its first lines, and in the middle of one. ext4 and xfs lose less: their journals keep names in
// order, and one sync takes along what came before. So what holds here holds there. A rename is one change on both. A write over the
// same bytes takes the place of an earlier one that is not certain either.
//
// The end of a process loses nothing: what it wrote is in the kernel.
package disk
