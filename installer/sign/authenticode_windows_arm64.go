package sign

import (
	"context"
	"errors"
	"fmt"
)

// errNoAuthenticode: the library's package for Authenticode asks a key ring for passphrases, and that part has no file for
// Windows on ARM64 (neither of its two build tags names it). Everything else of this room works there.
var errNoAuthenticode = fmt.Errorf("Authenticode: %w by ssm-setup for Windows on ARM64; use it on another system, or ssm-setup for amd64", errors.ErrUnsupported)

// Authenticode signs a program or an msi in place; not on this platform.
func (*Signer) Authenticode(context.Context, string) error { return errNoAuthenticode }

func program(*File) error { return errNoAuthenticode }
func msi(*File) error     { return errNoAuthenticode }
