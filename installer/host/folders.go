package host

// Why a folder is no place for programs that this account runs.
var (
	// ErrForeign: the account that owns a folder can exchange the programs in it, and those of all folders below.
	ErrForeign error = &kindError{"permission", "it belongs to another account"}
	// ErrWritable: other accounts can put programs into it.
	ErrWritable error = &kindError{"permission", "it can be written by its group or by others"}
)

// folderError names the folder.
type folderError struct {
	cause error
	where string
}

func (e *folderError) Error() string { return e.cause.Error() + ": " + e.where }
func (e *folderError) Unwrap() error { return e.cause }

// Kind is the word of manifests/fault for this error.
func (e *folderError) Kind() string { return "permission" }
