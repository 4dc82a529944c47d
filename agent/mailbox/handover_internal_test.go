package mailbox

import (
	"context"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// docs/protocol/runcommand.md, "MDS or MGS?": polls end a minute after the channel was opened; they begin again when it is lost.
func TestPollsRestAMinuteAfterTheChannelWasOpened(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	h := newHandover(func() time.Time { return now })
	polled := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		h.untilPolled(ctx)
		return ctx.Err() == nil
	}
	if !polled() {
		t.Error("not polled before there is a channel")
	}
	h.channel(true, false)
	now = now.Add(59 * time.Second)
	if !polled() {
		t.Error("not polled 59 s after the channel was opened")
	}
	now = now.Add(time.Second)
	if polled() {
		t.Error("polled a minute after the channel was opened")
	}
	again := make(chan struct{})
	go func() { h.untilPolled(context.Background()); close(again) }()
	h.channel(false, false)
	<-again
	if h.isDenied() {
		t.Error("denied")
	}
	if h.channel(false, true); !h.isDenied() || !polled() {
		t.Error("a channel that is denied")
	}
	if h.channel(true, false); h.isDenied() || !polled() {
		t.Error("a channel that is open again")
	}
}

func TestAReplyThatIsTooLongIsShortenedUntilItFits(t *testing.T) {
	b := make([]byte, 24_000)
	for i := range b {
		b[i] = 1 // \u0001 in JSON
	}
	long := func(text string) wire.Reply {
		return wire.Reply{RuntimeStatus: map[string]wire.StepStatus{"a": {StandardOutput: text, StandardError: text}}}
	}
	if text := fitting(long(string(b))); len(text) > 120_000 || len(text) < 50_000 {
		t.Errorf("%d bytes", len(text))
	}
	if text := fitting(long("short")); len(text) > 1000 {
		t.Errorf("%d bytes", len(text))
	}
}
