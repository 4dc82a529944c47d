package store

import "errors"

// hardLink is not used on Windows: a process that runs a file under one name may show another one it has.
func hardLink(string, string) error { return errors.ErrUnsupported }
