package launcher

import "errors"

// Run would be the service; on this system the launcher only runs agents by their arguments yet.
func (s Service) Run() error { return errors.ErrUnsupported }
