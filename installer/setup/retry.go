package setup

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Retry tries something up to tries times (0 is once), half a second apart; [ErrExhausted] says that every try failed.
func Retry(ctx context.Context, tries int, act func(context.Context) error) error {
	for n := 1; ; n++ {
		err := act(ctx)
		if err == nil || tries == 0 || ctx.Err() != nil {
			return err
		}
		if n >= tries {
			return fmt.Errorf("%w: %w", ErrExhausted, err)
		}
		_ = host.Sleep(ctx, 500*time.Millisecond) // where it is cut short the next try is the last
	}
}
