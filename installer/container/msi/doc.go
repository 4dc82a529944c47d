// Package msi writes and reads Windows Installer databases: tables in a compound file, as far as packages need them.
//
// A database is a handful of tables (rows of strings and numbers) and some streams, among them the cabinet with the files.
// On disk, everything is a stream of one compound file:
//
//	!_StringPool, !_StringData   every text once; tables hold its number. The pool has length and count of uses of each text
//	!_Tables, !_Columns          the names of the tables; name, place and type of every column
//	!<table>                     the rows, column after column, sorted by their keys as they stand there
//	<stream>, <table>.<key>      a cabinet; the content of a binary column
//	\x05SummaryInformation       a property set: for which system, and the package code
//
// "!" stands for a mark that tells tables from other streams; names are squeezed, two letters to a unit (name.go). Numbers are
// stored with their sign turned, so that 0 is left for "nothing"; "" is nothing too.
//
// Which columns a table has is fixed by Windows Installer; the tables known here are in schema.go. What a row holds is checked
// against that: kinds, lengths, keys that must be there and be different.
//
// The bytes depend on nothing but what goes in. The package code, which Windows takes for the identity of the file, is made
// from everything else in it: the same content has the same code, other content another.
package msi

import (
	"errors"
	"time"
)

// Errors of writing and reading.
var (
	ErrTable  = errors.New("no such table or column")
	ErrValue  = errors.New("not a value for this column")
	ErrKey    = errors.New("a row with this key is there already")
	ErrFormat = errors.New("not a sound installer database")
)

// Class is the CLSID of an installer database, as it stands in the file.
var class = [16]byte{0x84, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}

// Summary is what Windows shows of a package and looks at before it opens it. Texts are ASCII.
type Summary struct {
	Title, Subject, Author, Keywords, Comments string

	Template    string    // systems and languages: "x64;1033"
	PackageCode string    // {GUID}; empty when written: made from the content
	Time        time.Time // of making, UTC
	Schema      int       // lowest version of Windows Installer times 100
	Source      int       // word count: 2 says that the files are compressed
	Application string    // what made it
	Security    int       // 2: better opened read-only
}

// Stream is a part of a database that is no table.
type Stream struct {
	Name string
	Data []byte
}

// Table is one table with its rows. A value is a string, an int, a []byte (binary columns) or nil.
type Table struct {
	Name    string
	Columns []Column
	Rows    [][]any
}

// Database is a whole package.
type Database struct {
	Summary Summary
	Tables  []*Table
	Streams []Stream
}
