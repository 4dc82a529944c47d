package target

import (
	"context"
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Compare reads an object back; [ErrDiffers] when it has another SHA-256 sum (hex).
func Compare(ctx context.Context, from Target, key, sum string) error {
	var got string
	err := reading(ctx, func() error {
		body, _, err := from.Read(ctx, key)
		if err != nil {
			return err
		}
		defer body.Close()
		got, err = host.SHA256(body)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if !strings.EqualFold(got, sum) {
		return fmt.Errorf("%w: %s has SHA-256 %s, %s expected", ErrDiffers, key, got, sum)
	}
	return nil
}
