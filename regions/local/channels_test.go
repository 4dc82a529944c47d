package local_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// control is a control channel as an agent opens it.
type control struct {
	*agentNode
	conn *websocket.Conn
}

// createChannel asks for a token for the channel of a node.
func (n *agentNode) createChannel(id string) (status int, body string) {
	n.t.Helper()
	text := `{"MessageSchemaVersion":"1.0","RequestId":"` + uuid.NewString() + `"}`
	req, err := http.NewRequest("POST", n.region.URL()+wire.ControlChannelPath+id, strings.NewReader(text))
	must(n.t, err)
	req.Header.Set("Content-Type", "application/json")
	must(n.t, n.sigV4("ssmmessages")(req, []byte(text)))
	res, err := http.DefaultClient.Do(req)
	must(n.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	must(n.t, err)
	return res.StatusCode, string(answer)
}

func tokenIn(body string) string {
	_, rest, _ := strings.Cut(body, "<TokenValue>")
	token, _, _ := strings.Cut(rest, "</TokenValue>")
	return token
}

// dial upgrades and sends the first message.
func (n *agentNode) dial(token string) (*websocket.Conn, error) {
	n.t.Helper()
	address := n.region.URL() + wire.ControlChannelPath + n.id + "?" + wire.ControlChannelQuery
	req, err := http.NewRequest("GET", address, nil)
	must(n.t, err)
	must(n.t, n.sigV4("ssmmessages")(req, nil))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: req.Header})
	if err != nil {
		return nil, err
	}
	n.t.Cleanup(func() { conn.CloseNow() })
	first, err := json.Marshal(wire.OpenControlChannel{MessageSchemaVersion: "1.0", RequestId: uuid.NewString(), TokenValue: token,
		AgentVersion: "9.4.0.0", PlatformType: "linux"})
	must(n.t, err)
	return conn, conn.Write(ctx, websocket.MessageText, first)
}

// channel opens a control channel, and waits until the region knows it.
func (n *agentNode) channel() *control {
	n.t.Helper()
	status, body := n.createChannel(n.id)
	if status != http.StatusCreated {
		n.t.Fatalf("%d %s", status, body)
	}
	before := n.region.Channels(n.id)
	conn, err := n.dial(tokenIn(body))
	must(n.t, err)
	for end := time.Now().Add(time.Minute); n.region.Channels(n.id) == before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatal("the region knows of no channel")
		}
	}
	return &control{n, conn}
}

// next is the next frame; an error where none comes in the time.
func (c *control) next(limit time.Duration) (wire.Frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, b, err := c.conn.Read(ctx)
	if err != nil {
		return wire.Frame{}, err
	}
	return wire.ParseFrame(b)
}

// job is the next frame, which has to be an agent_job.
func (c *control) job() (wire.AgentJob, wire.Frame) {
	c.t.Helper()
	f, err := c.next(time.Minute)
	must(c.t, err)
	var job wire.AgentJob
	must(c.t, json.Unmarshal(f.Payload, &job))
	if f.Type != wire.FrameJob || job.SchemaVersion != 1 {
		c.t.Fatalf("%+v", f)
	}
	return job, f
}

func (c *control) write(kind, id string, payload any) {
	c.t.Helper()
	body, err := json.Marshal(payload)
	must(c.t, err)
	b, err := wire.NewFrame(kind, id, time.Now(), body).Bytes()
	must(c.t, err)
	must(c.t, c.conn.Write(context.Background(), websocket.MessageBinary, b))
}

func (c *control) ack(job wire.AgentJob, f wire.Frame, s wire.JobStatus) {
	c.t.Helper()
	c.write(wire.FrameJobAck, uuid.NewString(), wire.AgentJobAck{JobID: job.JobId, Acknowledged: f.ID, CreatedDate: wire.ISOMillis(f.Created),
		StatusCode: s.Code, ErrorMessage: s.Message})
}

// replies sends a reply and returns what acknowledges it.
func (c *control) replies(job wire.AgentJob, id, status string, steps map[string]wire.StepStatus) wire.AgentJobReplyAck {
	c.t.Helper()
	content, err := json.Marshal(wire.Reply{DocumentStatus: status, RuntimeStatus: steps})
	must(c.t, err)
	c.write(wire.FrameReply, id, wire.AgentJobReply{SchemaVersion: 1, JobID: job.JobId, Content: string(content), Topic: job.Topic})
	f, err := c.next(time.Minute)
	must(c.t, err)
	var ack wire.AgentJobReplyAck
	must(c.t, json.Unmarshal(f.Payload, &ack))
	if f.Type != wire.FrameReplyAck {
		c.t.Fatalf("%+v", f)
	}
	return ack
}

// waitStatus waits until a command stands so on its node.
func waitStatus(t *testing.T, r *local.Region, id string, n *agentNode, want string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		got := statusOf(t, r, id, n)
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s, not %s", got, want)
		}
	}
}

func TestACommandReachesItsNodeOverAControlChannel(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	connected := func() (status string) {
		t.Helper()
		var out struct{ Target, Status string }
		must(t, r.Ask(context.Background(), "GetConnectionStatus", map[string]string{"Target": n.id}, &out))
		if out.Target != n.id {
			t.Errorf("%+v", out)
		}
		return out.Status
	}
	if s := connected(); s != "notconnected" {
		t.Errorf("before: %s", s)
	}
	c := n.channel()
	if s := connected(); s != "connected" {
		t.Errorf("then: %s", s)
	}
	id := sendShell(t, r, n, "echo hello")
	job, f := c.job()
	var send wire.SendCommand
	must(t, json.Unmarshal([]byte(job.Content), &send))
	if job.JobId != wire.MessageID(id, n.id) || job.Topic != wire.TopicSendCommand || send.CommandId != id {
		t.Errorf("%+v", job)
	}
	c.ack(job, f, wire.JobAccepted)
	waitStatus(t, r, id, n, "InProgress")
	last := uuid.NewString()
	for _, reply := range []struct{ id, status string }{{uuid.NewString(), wire.InProgress}, {last, wire.Success}, {last, wire.Success}} {
		ack := c.replies(job, reply.id, reply.status, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, "hello\n", "")})
		if ack.Acknowledged != reply.id || ack.JobID != job.JobId {
			t.Errorf("%+v", ack)
		}
	}
	if inv, err := r.Invocation(id, n.id); err != nil || inv.Status != "Success" || inv.StandardOutput != "hello\n" {
		t.Errorf("%+v, %v", inv, err)
	}
	if kept := r.Replies(id, n.id); len(kept) != 2 {
		t.Errorf("%d replies kept of 2 and a copy", len(kept))
	}
	r.CloseChannels(n.id)
	for end := time.Now().Add(time.Minute); connected() != "notconnected" && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if s := connected(); s != "notconnected" {
		t.Errorf("at last: %s", s)
	}
}

func TestAJobComesAgainUnlessTheNodeTookIt(t *testing.T) {
	for _, row := range []struct {
		status wire.JobStatus // of the acknowledgement; none: there is none
		again  bool
		stands string
	}{
		{wire.JobStatus{}, true, "Pending"}, {wire.JobFull, true, "Pending"}, {wire.JobClosed, true, "Pending"},
		{wire.JobAccepted, false, "InProgress"}, {wire.JobDuplicate, false, "InProgress"}, {wire.JobUnreadable, false, "Pending"},
		{wire.JobUnexpected, false, "Failed"}, {wire.JobInvalid, false, "Failed"}, {wire.JobFailed, false, "Failed"},
	} {
		r := local.Start(t)
		n := newNode(t, r)
		c := n.channel()
		id := sendShell(t, r, n, "echo")
		job, f := c.job()
		if row.status != (wire.JobStatus{}) {
			c.ack(job, f, row.status)
		}
		mark := sendShell(t, r, n, "echo mark")
		second, g := c.job() // the acknowledgement came before
		if wire.CommandID(second.JobId) != mark {
			t.Errorf("%s: %+v", row.status.Message, second)
		}
		c.ack(second, g, wire.JobAccepted)
		waitStatus(t, r, mark, n, "InProgress")
		if s := statusOf(t, r, id, n); s != row.stands {
			t.Errorf("%s: stands at %s", row.status.Message, s)
		}
		r.Advance(11 * time.Second)
		if !row.again {
			sendShell(t, r, n, "echo last")
		}
		next, _ := c.job()
		if again := next.JobId == job.JobId; again != row.again {
			t.Errorf("%s: comes again: %v", row.status.Message, again)
		}
	}
}

// The newest open control channel of a node brings its messages, polls bring them where there is none, and neither brings what the other
// gave out a moment ago.
func TestANodesMessagesComeByOneLane(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	r.HoldPolls(time.Millisecond)
	sendShell(t, r, n, "echo polled")
	polled := n.poll()
	if len(polled) != 1 {
		t.Fatalf("%d", len(polled))
	}
	old := n.channel()
	fresh := n.channel()
	id := sendShell(t, r, n, "echo hello")
	if job, _ := fresh.job(); wire.CommandID(job.JobId) != id {
		t.Errorf("%+v", job)
	}
	if got := n.poll(); len(got) != 0 {
		t.Errorf("polled beside a channel: %+v", got)
	}
	fresh.conn.CloseNow()
	if job, f := old.job(); wire.CommandID(job.JobId) != id { // not acknowledged there
		t.Errorf("%+v", job)
	} else {
		old.ack(job, f, wire.JobAccepted)
	}
	waitStatus(t, r, id, n, "InProgress")
	old.conn.CloseNow()
	for end := time.Now().Add(time.Minute); r.Channels(n.id) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	r.Advance(11 * time.Second)
	if got := n.poll(); len(got) != 1 || got[0].MessageId != polled[0].MessageId {
		t.Errorf("%+v", got)
	}
}

func TestAControlChannelIsForItsNodeWithAFreshToken(t *testing.T) {
	r := local.Start(t)
	n, other := newNode(t, r), newNode(t, r)
	if status, body := n.createChannel(other.id); status != http.StatusForbidden || !strings.Contains(body, "<AccessDeniedException>") {
		t.Errorf("another's: %d %s", status, body)
	}
	good := func() string { _, body := n.createChannel(n.id); return tokenIn(body) }
	_, foreign := other.createChannel(other.id)
	used := good()
	conn, err := n.dial(used)
	must(t, err)
	c := control{n, conn}
	for end := time.Now().Add(time.Minute); r.Channels(n.id) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	expired := good()
	r.ExpireChannelTokens()
	for what, token := range map[string]string{"none": "", "invented": uuid.NewString(), "another's": tokenIn(foreign), "used": used,
		"expired": expired} {
		conn, err := n.dial(token)
		must(t, err)
		if _, err := (&control{n, conn}).next(time.Minute); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v", what, err)
		}
	}
	id := sendShell(t, r, n, "echo")
	if job, _ := c.job(); wire.CommandID(job.JobId) != id {
		t.Error("the good channel is no longer served")
	}
	r.DenyChannels(true)
	if status, body := n.createChannel(n.id); status != http.StatusForbidden || !strings.Contains(body, "<AccessDeniedException>") {
		t.Errorf("denied: %d %s", status, body)
	}
}

// At most 25 jobs are on their way at once, so that none comes again only because the node had many before it.
func TestManyCommandsAreSentAsTheNodeTakesThem(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	const many = 60
	var ids []string
	for range many {
		ids = append(ids, sendShell(t, r, n, "echo"))
	}
	c := n.channel()
	var got []string
	var frames []wire.Frame
	var jobs []wire.AgentJob
	for range 25 {
		job, f := c.job()
		got, frames, jobs = append(got, wire.CommandID(job.JobId)), append(frames, f), append(jobs, job)
	}
	for i := range jobs {
		c.ack(jobs[i], frames[i], wire.JobAccepted)
	}
	for range many - 25 {
		job, f := c.job()
		got = append(got, wire.CommandID(job.JobId))
		c.ack(job, f, wire.JobAccepted)
	}
	if !slices.Equal(got, ids) || r.Count("agent_job") != many {
		t.Errorf("%d of %d in another order, or %d sent", len(got), many, r.Count("agent_job"))
	}
}

func TestFramesAreDisturbedOnPurpose(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	c := n.channel()
	once := func(want local.Disturbance) {
		left := 1
		r.Disturb(func(toNode bool, kind string) local.Disturbance {
			if left--; left < 0 || !toNode {
				return local.Disturbance{}
			}
			return want
		})
	}
	once(local.Disturbance{Twice: true})
	id := sendShell(t, r, n, "echo")
	first, _ := c.job()
	if again, _ := c.job(); again.JobId != first.JobId || wire.CommandID(first.JobId) != id {
		t.Errorf("%+v", again)
	}
	once(local.Disturbance{Corrupt: true})
	sendShell(t, r, n, "echo")
	if f, err := c.next(time.Minute); err == nil {
		t.Errorf("not corrupt: %+v", f)
	}
	once(local.Disturbance{Drop: true})
	lost := sendShell(t, r, n, "echo")
	next := sendShell(t, r, n, "echo")
	if job, _ := c.job(); wire.CommandID(job.JobId) != next {
		t.Errorf("not dropped: %+v, lost is %s", job, lost)
	}
	once(local.Disturbance{Cut: true})
	sendShell(t, r, n, "echo")
	if f, err := c.next(time.Minute); err == nil {
		t.Errorf("not cut: %+v", f)
	}
	r.Mend()
	for end := time.Now().Add(time.Minute); r.Channels(n.id) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if job, _ := n.channel().job(); wire.CommandID(job.JobId) != id {
		t.Errorf("a new channel begins with %+v", job)
	}
}
