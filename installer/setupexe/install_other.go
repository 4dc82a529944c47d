//go:build !windows

package setupexe

import "errors"

// install needs Windows.
func install(order, string) (int, error) { return 0, errors.ErrUnsupported }
