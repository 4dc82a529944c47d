package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Watch shows a result again and again until the context ends or the answer can no longer be written: on a terminal in the place of the
// one before, elsewhere where it is another one. With --json each one that differs is an object.
func (p *Printer) Watch(ctx context.Context, every time.Duration, look func(ctx context.Context) (data any, text string, err error)) error {
	last := ""
	for {
		data, text, err := look(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // an interruption is how watching ends
		}
		if err != nil {
			return err
		}
		seen, err := json.Marshal(data)
		if err != nil {
			return err
		}
		if redraws := p.redraws && !p.JSON; redraws || string(seen) != last {
			if redraws {
				fmt.Fprint(p.Out, "\x1b[H\x1b[2J")
			}
			p.Result(data, "%s", text)
			last = string(seen)
		}
		if p.Lost() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}
