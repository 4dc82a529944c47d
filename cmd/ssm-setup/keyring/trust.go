package keyring

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// Trusts reads what packages are to trust (--trust): a root, which is JSON, and an OpenPGP public key; one of each at most.
// Errors: ErrFlags, *Unread.
func Trusts(paths []string) (root, key []byte, err error) {
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, &Unread{"--trust", err}
		}
		into := &root
		if !json.Valid(b) {
			into = &key
			var ring sign.Trusted
			if err := ring.ReadKeys(b); err != nil {
				return nil, nil, fmt.Errorf("%w: --trust: %s is no JSON, and no OpenPGP public key either: %w", ErrFlags, path, err)
			}
			if ring.Private() {
				return nil, nil, fmt.Errorf("%w: --trust: %s holds a private key", ErrFlags, path)
			}
		}
		if *into != nil {
			return nil, nil, fmt.Errorf("%w: --trust: %s is the second of its kind", ErrFlags, path)
		}
		*into = b
	}
	return root, key, nil
}
