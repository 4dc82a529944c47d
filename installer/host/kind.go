package host

// kindError is a sentinel with the word of its kind (see manifests/fault, which this room does not import: the launcher links
// this one).
type kindError struct{ kind, text string }

func (e *kindError) Error() string { return e.text }

// Kind is the word of manifests/fault for this error.
func (e *kindError) Kind() string { return e.kind }
