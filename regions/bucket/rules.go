package bucket

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// What is accepted of a bucket.
const (
	MaxSmall   = 16 << 20         // bytes of a small file: VERSION, manifest, index, signature
	SmallTime  = 60 * time.Second // for a small file in all, further tries included
	MaxPackage = 256 << 20        // bytes of a package whose size no listing names
	MaxListed  = 1 << 30          // bytes of one whose size is listed
	Pace       = 4 << 10          // bytes a second that a package must come with
	paceWindow = 60               // seconds: the pace is that of any so long a time
)

// allowance is how long a package may take in all, further tries included: at [Pace], and a minute.
func allowance(size int64) time.Duration {
	return time.Duration(size)*time.Second/Pace + SmallTime
}

// budget ends a download that takes longer in all than its size allows. While the size is not known it is a minute.
type budget struct {
	cancel context.CancelCauseFunc
	began  time.Time
	timer  *time.Timer
}

func newBudget(ctx context.Context, size int64) (context.Context, *budget) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &budget{cancel: cancel, began: time.Now()}
	b.timer = time.AfterFunc(allowance(size), func() {
		cancel(fmt.Errorf("%w: not whole after %s", ErrSlow, time.Since(b.began).Round(time.Second)))
	})
	return ctx, b
}

// extend is told the size once the server names it.
func (b *budget) extend(size int64) { b.timer.Reset(allowance(size) - time.Since(b.began)) }

func (b *budget) end() {
	b.timer.Stop()
	b.cancel(nil)
}

// keepPace ends the context that it returns when a body, whose bytes are counted in got, stays below [Pace] over a minute.
func keepPace(ctx context.Context, got *atomic.Int64) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		var seen [paceWindow]int64 // what had come at each of the last seconds
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-second.C:
			}
			now := got.Load()
			if n >= paceWindow && now-seen[n%paceWindow] < Pace*paceWindow {
				cancel(fmt.Errorf("%w: %d bytes within %d s, at least %d expected", ErrSlow, now-seen[n%paceWindow], paceWindow, Pace*paceWindow))
				return
			}
			seen[n%paceWindow] = now
		}
	}()
	return ctx, func() { cancel(nil) }
}

// tooSlow is the rule that ended a context, in place of the error that its end made somewhere below; else err.
func tooSlow(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrSlow) {
		return cause
	}
	return err
}
