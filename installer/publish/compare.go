package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// compare reads an object back.
func compare(ctx context.Context, from Target, key, sum string) error {
	h := sha256.New()
	err := reading(ctx, func() error {
		body, _, err := from.Read(ctx, key)
		if err != nil {
			return err
		}
		defer body.Close()
		h.Reset()
		_, err = io.Copy(h, body)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, sum) {
		return fmt.Errorf("%w: %s has SHA-256 %s, %s expected", ErrDiffers, key, got, sum)
	}
	return nil
}
