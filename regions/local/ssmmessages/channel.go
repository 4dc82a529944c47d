package ssmmessages

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/ground"
	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Limits of a channel.
const (
	hiddenFor  = 10 * time.Second // a job comes again after this, unless it is acknowledged
	atOnce     = 25               // jobs sent and not acknowledged
	firstWord  = 30 * time.Second
	writeLimit = 30 * time.Second
	mostFrame  = 2 << 20 // bytes
)

// channel is one open control channel.
type channel struct {
	s    *Channels
	node string
	conn *websocket.Conn
	raw  net.Conn
	end  context.CancelFunc
	room chan struct{} // an acknowledgement came

	writing sync.Mutex

	mu   sync.Mutex
	sent map[string]time.Time // jobs that are not acknowledged, by message id: when they were sent last
}

// keeper keeps the connection that an upgrade takes over, so that it can be cut.
type keeper struct {
	http.ResponseWriter
	raw net.Conn
}

// Hijack is for the upgrade.
func (k *keeper) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, b, err := http.NewResponseController(k.ResponseWriter).Hijack()
	k.raw = conn
	return conn, b, err
}

// openChannel upgrades a request and serves the channel until it is gone.
func (s *Channels) openChannel(a *protocol.Answer) error {
	node, err := s.own(a)
	if err != nil {
		return err
	}
	if q := a.Request.URL.Query(); q.Get("role") != "subscribe" || q.Get("stream") != "input" {
		return protocol.Refuse("ValidationException", "the query must be %s", wire.ControlChannelQuery)
	}
	k := &keeper{ResponseWriter: a}
	conn, err := websocket.Accept(k, a.Request, nil)
	if err != nil {
		return nil //nolint:nilerr // the library answered
	}
	defer conn.CloseNow() //nolint:errcheck // it is the end of it
	conn.SetReadLimit(mostFrame)
	ctx, end := context.WithCancel(a.Request.Context())
	defer end()
	if !s.knows(ctx, conn, node) {
		_ = conn.Close(websocket.StatusPolicyViolation, "the token is not good")
		return nil
	}
	c := &channel{s: s, node: node, conn: conn, raw: k.raw, end: end, room: make(chan struct{}, 1), sent: map[string]time.Time{}}
	s.serve(ctx, c)
	return nil
}

// knows reads the first message and holds its token against those given out.
func (s *Channels) knows(ctx context.Context, conn *websocket.Conn, node string) bool {
	ctx, cancel := context.WithTimeout(ctx, firstWord)
	defer cancel()
	kind, text, err := conn.Read(ctx)
	var first wire.OpenControlChannel
	if err != nil || kind != websocket.MessageText || json.Unmarshal(text, &first) != nil {
		return false
	}
	return s.take(first.TokenValue, node)
}

// serve sends and receives until the channel is gone.
func (s *Channels) serve(ctx context.Context, c *channel) {
	s.mu.Lock()
	s.open[c.node] = append(s.open[c.node], c)
	s.mu.Unlock()
	closed := s.o.Mail.Open(c.node)
	var loops sync.WaitGroup
	loops.Go(func() {
		defer c.end()
		for {
			_, b, err := c.conn.Read(ctx)
			if err != nil || c.receive(ctx, b) != nil {
				return
			}
		}
	})
	c.deliver(ctx)
	c.end()
	_ = c.conn.CloseNow()
	s.mu.Lock()
	if s.open[c.node] = slices.DeleteFunc(s.open[c.node], func(o *channel) bool { return o == c }); len(s.open[c.node]) == 0 {
		delete(s.open, c.node)
	}
	s.mu.Unlock()
	c.mu.Lock()
	var ids []string
	for id := range c.sent {
		ids = append(ids, id)
	}
	c.mu.Unlock()
	s.o.Mail.Release(ids)
	closed()
	loops.Wait()
}

func (s *Channels) newest(c *channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.open[c.node]
	return len(list) > 0 && list[len(list)-1] == c
}

// deliver sends what waits for the node until the channel is gone.
func (c *channel) deliver(ctx context.Context) {
	for {
		changed := c.s.o.Mail.Changed(c.node)
		again, err := c.send(ctx)
		if err != nil {
			return
		}
		timer := time.NewTimer(again)
		select {
		case <-changed:
		case <-c.room:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// send sends what is visible, and says how long until something hidden is visible again.
func (c *channel) send(ctx context.Context) (again time.Duration, err error) {
	o := c.s.o
	if !c.s.newest(c) {
		return time.Hour, nil
	}
	if err := o.Commands.Settle(); err != nil {
		return 0, err
	}
	var waiting []mailbox.Letter
	err = o.Records.View(func(tx *records.Tx) (err error) {
		if _, err := nodes.Present(tx, c.node); err != nil {
			return err
		}
		waiting, err = mailbox.Waiting(tx, c.node)
		return err
	})
	if err != nil {
		return 0, err
	}
	place := atOnce - c.unacknowledged()
	messages, again := o.Mail.Give(waiting, max(place, 0), hiddenFor)
	for _, m := range messages {
		c.mu.Lock()
		c.sent[m.MessageId] = o.Gate.Now()
		c.mu.Unlock()
		job := wire.AgentJob{Content: m.Payload, JobId: m.MessageId, Topic: m.Topic, SchemaVersion: 1}
		if err := c.write(ctx, wire.FrameJob, job); err != nil {
			return 0, err
		}
	}
	if place <= 0 {
		again = min(again, time.Second)
	}
	return again, nil
}

// unacknowledged are the jobs that were sent a short while ago.
func (c *channel) unacknowledged() (n int) {
	now := c.s.o.Gate.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.sent {
		if now.Sub(at) < hiddenFor {
			n++
		}
	}
	return n
}

// write sends one frame with that payload.
func (c *channel) write(ctx context.Context, kind string, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	b, err := wire.NewFrame(kind, uuid.NewString(), c.s.o.Gate.Now(), body).Bytes()
	if err != nil {
		return err
	}
	c.s.o.Frame(Seen{Kind: kind, Node: c.node, Payload: body})
	c.writing.Lock()
	defer c.writing.Unlock()
	times := 1
	switch d := c.s.disturbance(true, kind); {
	case ground.Sleep(ctx, d.Delay) != nil:
		return ctx.Err()
	case d.Drop:
		times = 0
	case d.Twice:
		times = 2
	case d.Corrupt:
		b[len(b)-1] ^= 1
	case d.Cut:
		c.cut(b)
		return errGone
	}
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	for range times {
		if err := c.conn.Write(ctx, websocket.MessageBinary, b); err != nil {
			return err
		}
	}
	return nil
}

// cut sends the first half of a binary message and ends the connection.
func (c *channel) cut(b []byte) {
	head := binary.BigEndian.AppendUint64([]byte{0x82, 127}, uint64(len(b)))
	_ = c.raw.SetWriteDeadline(time.Now().Add(writeLimit))
	_, _ = c.raw.Write(append(head, b[:len(b)/2]...))
	_ = c.raw.Close()
	c.end()
}

// receive takes one message of the node. An error ends the channel.
func (c *channel) receive(ctx context.Context, b []byte) error {
	f, err := wire.ParseFrame(b)
	if err != nil {
		c.s.o.Log.Warn("no frame came over a control channel", "node", c.node, "error", err)
		return nil
	}
	c.s.o.Frame(Seen{Kind: f.Type, Node: c.node, Payload: f.Payload})
	d := c.s.disturbance(false, f.Type)
	if d.Drop {
		return nil
	}
	if d.Cut {
		return errGone
	}
	if err := ground.Sleep(ctx, d.Delay); err != nil {
		return err
	}
	times := 1
	if d.Twice {
		times = 2
	}
	for range times {
		if err := c.handle(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// handle does what a frame asks for. What the region does not know is let pass.
func (c *channel) handle(ctx context.Context, f wire.Frame) error {
	switch f.Type {
	case wire.FrameJobAck:
		var ack wire.AgentJobAck
		if json.Unmarshal(f.Payload, &ack) == nil && c.addressed(ack.JobID) {
			return c.acknowledged(ack)
		}
	case wire.FrameReply:
		var reply wire.AgentJobReply
		if json.Unmarshal(f.Payload, &reply) == nil && c.addressed(reply.JobID) {
			return c.replied(ctx, f.ID, reply)
		}
	}
	return nil
}

// addressed tells whether a message was for this node.
func (c *channel) addressed(jobID string) bool { return strings.HasSuffix(jobID, "."+c.node) }

// acknowledged settles a job, or lets it come again where the node has no place for it now.
func (c *channel) acknowledged(ack wire.AgentJobAck) error {
	o := c.s.o
	switch ack.StatusCode {
	case wire.JobFull.Code, wire.JobClosed.Code:
		return nil
	}
	err := o.Records.Update(func(tx *records.Tx) error {
		if !mailbox.Known(tx, ack.JobID) {
			return nil
		}
		if err := o.Mail.Settle(tx, ack.JobID); err != nil {
			return err
		}
		switch ack.StatusCode {
		case wire.JobAccepted.Code, wire.JobDuplicate.Code:
			return o.Commands.Started(tx, ack.JobID)
		case wire.JobUnreadable.Code:
			return nil // a reply says what is wrong
		}
		return o.Commands.Undeliverable(tx, ack.JobID)
	})
	c.mu.Lock()
	delete(c.sent, ack.JobID)
	c.mu.Unlock()
	if c.unacknowledged() > atOnce/2 {
		return err // many places at once are worth a look into the mailbox
	}
	select {
	case c.room <- struct{}{}:
	default:
	}
	return err
}

// replied takes a reply once, and acknowledges it every time: also one that no try makes a reply.
func (c *channel) replied(ctx context.Context, id string, reply wire.AgentJobReply) error {
	err := c.s.o.Records.Update(func(tx *records.Tx) error {
		if !mailbox.Known(tx, reply.JobID) {
			return nil
		}
		_, err := c.s.o.Commands.Reply(tx, reply.JobID, id, reply.Content)
		return err
	})
	var f protocol.Fault
	if errors.As(err, &f) {
		c.s.o.Log.Warn("a reply cannot be read", "node", c.node, "error", err)
	} else if err != nil {
		return err
	}
	return c.write(ctx, wire.FrameReplyAck, wire.AgentJobReplyAck{JobID: reply.JobID, Acknowledged: id})
}
