package health

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// Awaken returns nil as soon as a full ping went through; until then nothing else of the agent should talk to the region.
// Its first ping goes out at once (the original sends an empty one first).
//
// A region that refuses the node (an answer with a 4xx status) is asked again by the schedule of docs/protocol/identity.md,
// "Hibernation", from five minutes to an hour apart, with empty pings. Anything else that fails – no network, no credentials yet,
// an error of the service's own – is tried again after a second, doubling to a minute: the original hibernates then too, and is
// deaf for minutes after a short outage.
func (p *Pinger) Awaken(ctx context.Context) error {
	err := p.Ping(ctx)
	for n := 0; err != nil && !refused(err); n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n == 0 {
			p.o.Log.Warn("first health ping failed, trying again", "error", err)
		}
		if p.o.Pause(ctx, doubling(n)) != nil {
			return ctx.Err()
		}
		err = p.Ping(ctx)
	}
	if err == nil {
		return nil
	}
	return p.hibernate(ctx, err)
}

// hibernate pings until the region takes the node back.
func (p *Pinger) hibernate(ctx context.Context, err error) error {
	p.o.Log.Error("Entering SSM Agent hibernate - " + err.Error())
	p.o.Log.Info("Agent is in hibernate mode. Reducing logging. Logging will be reduced to one log per backoff period")
	for s := range schedule() {
		if s.first {
			p.o.Log.Info(fmt.Sprintf("Backing off health check to every %d seconds for %d seconds.",
				int(s.every.Seconds()), int(s.lasts.Seconds())))
		}
		if p.o.Pause(ctx, s.wait) != nil {
			return ctx.Err()
		}
		err := p.Probe(ctx)
		if err == nil {
			return p.Ping(ctx)
		}
		if s.first {
			p.o.Log.Error("Health ping failed with error - " + err.Error())
		}
	}
	return ctx.Err()
}

// stage is a part of hibernation: a ping at its start, then one every period.
type stage struct{ every, lasts time.Duration }

// due is the next ping: how long to wait for it; first in its stage.
type due struct {
	stage
	wait  time.Duration
	first bool
}

// schedule gives the pauses between the pings of hibernation, without end: 300 s, then 600 s for 1800 s, 1200 s for 3600 s,
// 2400 s for 7200 s, 3600 s for ever.
func schedule() iter.Seq[due] {
	return func(yield func(due) bool) {
		wait := 300 * time.Second
		stages := []stage{{600 * time.Second, 1800 * time.Second}, {1200 * time.Second, 3600 * time.Second},
			{2400 * time.Second, 7200 * time.Second}, {3600 * time.Second, 3600 * time.Second}}
		for i := 0; ; i = min(i+1, len(stages)-1) {
			s := stages[i]
			for done := time.Duration(0); done < s.lasts; done += s.every {
				if !yield(due{s, wait, done == 0}) {
					return
				}
				wait = s.every
			}
		}
	}
}

// refused tells an answer about this node from trouble on the way. What kept credentials from coming is the keeper's matter:
// it paces itself, so asking costs nothing.
func refused(err error) bool {
	var e *cloud.Error
	if errors.Is(err, cloud.ErrNoCredentials) || !errors.As(err, &e) || cloud.Throttled(err) {
		return false
	}
	return e.Status/100 == 4 && e.Status != http.StatusTooManyRequests
}

// doubling is 1 s doubled n times, at most a minute, up to a fifth more.
func doubling(n int) time.Duration {
	d := min(time.Second<<min(n, 6), time.Minute)
	return d + time.Duration(float64(d)*0.2*rand.Float64()) //nolint:gosec // a pause is no secret
}
