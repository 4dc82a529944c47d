// Package host is the ground that the other rooms of an installation stand on: what they ask of the operating system, and the small
// things that would otherwise be written in each of them. Standard library and x/sys only, one verb per file, and light: the launcher
// links it.
//
//	files      WriteFile, Create (from a stream): whole or not at all; SyncDir; Rolling: a log with a size and a count;
//	           Prints: a bound on what programs print
//	locks      FolderLock: who runs here; PidLock: the update lock that originals know, too
//	processes  Alive, ProcessExecutable, …; KillGroup, Detached, CloseOnExec, CleanEnvironment
//	values     SHA256, NewUUID, BootID, FreeBytes, the platform's name; Sleep: a pause that a context ends
//
// What must always be true: nothing here keeps state between calls but the locks and files it hands out, and a verb that a system
// cannot do returns errors.ErrUnsupported instead of pretending. The errors of this room do not import manifests/fault: they have a
// method Kind that says the same in one word.
package host
