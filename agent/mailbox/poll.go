package mailbox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Limits of polling (docs/protocol/runcommand.md, "Operations of ec2messages" and "Polling and back-off"). The pauses are
// ours: the original waits 2 s after every poll that took less than one.
const (
	visibility = 10                     // seconds until an unacknowledged message comes again
	tolerated  = 10 * time.Second       // an error later than this is the normal end of a long poll
	maxFaults  = 10                     // then the client is made anew
	unhurried  = 5 * time.Second        // a poll that took this long is followed at once
	minPause   = 100 * time.Millisecond // after a quick empty poll, doubling
	maxPause   = 2 * time.Second
	minWait    = time.Second // after a quick error, doubling
	maxWait    = 5 * time.Second
)

// poll asks for messages until the context ends.
func (l *polled) poll(ctx context.Context, accept Accept) {
	var empty, failed time.Duration // the last pauses
	var said string
	for {
		if l.handover.untilPolled(ctx); ctx.Err() != nil {
			return
		}
		began := l.Now()
		messages, err := l.getMessages(ctx)
		took := l.Now().Sub(began)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && took >= tolerated:
			l.Log.Warn("poll ended without an answer", "after", took, "error", err)
			empty, failed = 0, 0
		case err != nil:
			if text := err.Error(); text != said {
				said = text
				l.Log.Log(ctx, l.pollTrouble(err), "poll failed, trying again until it succeeds", "error", err)
			}
			l.count()
			failed = grow(failed, minWait, maxWait)
			_ = l.Pause(ctx, failed/2+rand.N(failed/2+1)) //nolint:gosec // a pause is no secret
		case len(messages) > 0:
			empty, failed, said = 0, 0, ""
			l.handleAll(ctx, messages, accept)
			l.untilNoneHeld(ctx)
		case took >= unhurried:
			empty, failed = 0, 0
		default:
			empty, failed, said = grow(empty, minPause, maxPause), 0, ""
			_ = l.Pause(ctx, empty)
		}
	}
}

// pollTrouble is how much a poll that failed matters: access denied is normal where commands come over ssmmessages.
func (l *polled) pollTrouble(err error) slog.Level {
	if cloud.Code(err) == "AccessDeniedException" && l.handover.isOpen() {
		return slog.LevelDebug
	}
	return slog.LevelError
}

func (l *polled) handleAll(ctx context.Context, messages []wire.Message, accept Accept) {
	for _, m := range messages {
		l.handle(ctx, m, accept)
	}
}

func grow(d, low, high time.Duration) time.Duration { return max(low, min(2*d, high)) }

func (l *polled) getMessages(ctx context.Context) ([]wire.Message, error) {
	in := wire.GetMessagesInput{Destination: l.InstanceID, MessagesRequestId: host.NewUUID(), VisibilityTimeoutInSeconds: visibility}
	var out wire.GetMessagesOutput
	client := l.current()
	err := client.Call(ctx, "GetMessages", in, &out)
	l.noteOutcome(ctx, err)
	return out.Messages, err
}

// call is every operation but the poll: a failure always counts.
func (l *polled) call(ctx context.Context, operation string, in, out any) error {
	err := l.current().Call(ctx, operation, in, out)
	l.noteOutcome(ctx, err)
	if err != nil && ctx.Err() == nil {
		l.count()
	}
	return err
}

func (l *polled) current() *cloud.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client
}

// noteOutcome tells the agent, and wakes the resending when the service is back.
func (l *polled) noteOutcome(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	l.Contact(EC2Messages, err)
	if err != nil && cloud.Timeout(err) {
		return // the end of a long poll says nothing
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	speaks := err == nil || declines(err)
	if speaks && l.silent {
		signal(l.heard)
	}
	l.silent = !speaks
}

// count counts a fault; ten of them, in a row or not, are the end of a client. The original announces a pause of 15
// minutes then and makes none; ours says what it does.
func (l *polled) count() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.faults++; l.faults < maxFaults {
		return
	}
	l.Log.Error("too many errors, the connection to ec2messages is made anew", "errors", l.faults)
	l.faults, l.client = 0, l.Dial(l.service)
}
