// Package host is what the installation asks of the operating system: files made whole or not at all, locks, processes, the
// boot, free space. Standard library and x/sys only, one verb per file, and light: the launcher links it.
//
// What must always be true: nothing here keeps state between calls but the locks it hands out, and a verb that a system cannot
// do returns errors.ErrUnsupported instead of pretending.
package host
