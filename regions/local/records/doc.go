// Package records keeps what a region remembers: tables of JSON records in one file, and the signals of their changes. It is the
// one door to bbolt.
//
// A table is named by a constant of the room that owns it; a table may hold tables ([Part]). Keys of several parts are joined by
// "/", numbers and moments in keys are 16 hex digits, so that they sort. The names of tables and of the fields in records are a
// format on disk: they stay, and records only gain fields.
//
// What must always be true: a change is on disk, whole, when [Store.Update] returns (in tests that give up fsync: safe from a
// killed process only); a signal goes out after that, so that what it woke sees the change; one process has the file.
package records
