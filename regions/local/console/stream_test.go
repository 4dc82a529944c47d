package console_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/console"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// event is one server-sent event, read as the standard says.
type event struct{ name, data string }

// follow opens the stream of a page; the events come on the channel, which is closed at the end of the stream.
func (d *desk) follow(path string) <-chan event {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", d.at("live?at="+url.QueryEscape(path)), nil)
	must(d.t, err)
	req.AddCookie(&http.Cookie{Name: d.cookie.Name, Value: d.cookie.Value})
	res, err := d.client.Do(req)
	must(d.t, err)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		d.t.Fatalf("%s: %s", path, res.Status)
	}
	events := make(chan event, 1000)
	go func() {
		defer close(events)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 8<<20)
		lines.Split(streamLines)
		var e event
		for lines.Scan() {
			switch text := lines.Text(); {
			case text == "":
				events <- e
				e = event{}
			case strings.HasPrefix(text, "event: "):
				e.name = text[7:]
			case strings.HasPrefix(text, "data: "):
				e.data += text[6:] + "\n"
			}
		}
	}()
	return events
}

// streamLines splits at every end of line that streams know: also at a lone carriage return.
func streamLines(data []byte, end bool) (advance int, token []byte, err error) {
	for i, b := range data {
		if b == '\n' || b == '\r' {
			return i + 1, data[:i], nil
		}
	}
	if end && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// await reads events until one fits.
func await(t *testing.T, events <-chan event, what string, fits func(event) bool) event {
	t.Helper()
	late := time.After(2 * time.Minute)
	for {
		select {
		case e, open := <-events:
			if !open {
				t.Fatalf("the stream ended before %s", what)
			}
			if fits(e) {
				return e
			}
		case <-late:
			t.Fatalf("no %s", what)
		}
	}
}

func holds(text string) func(event) bool {
	return func(e event) bool { return e.name == "live" && strings.Contains(e.data, text) }
}

func TestPagesFollowTheRegionWithoutReload(t *testing.T) {
	d := open(t).enter()
	ctx := context.Background()
	hosts, calls := d.follow("hosts"), d.follow("calls?operation=ping")
	await(t, hosts, "an empty page", holds("No host is registered"))
	await(t, calls, "an empty log", holds("no such call"))
	h := d.hosts(1, "9.1.0.0")[0]
	await(t, hosts, "the host", holds("9.1.0.0"))
	must(t, h.Ping(ctx, "UpdateInitialized-9.2.0.0", "9.1.0.0"))
	await(t, hosts, "the update", holds("under way"))
	log := d.follow("calls")
	await(t, log, "the log", holds("RegisterManagedInstance"))
	id, err := d.region.SendCommand("AWS-RunShellScript", h.ID, map[string][]string{"commands": {"x"}})
	must(t, err)
	command := d.follow("command/" + id)
	await(t, command, "the command", holds("0 of 1 done"))
	m, err := h.Poll(ctx)
	must(t, err)
	for _, text := range []string{"one", "one\ntwo"} {
		must(t, h.Reply(ctx, m[0], wire.InProgress, "aws:runShellScript", wire.StepStatus{Status: wire.InProgress, StandardOutput: text}))
		await(t, command, "output as it comes", holds(text))
	}
	must(t, h.Reply(ctx, m[0], wire.Success, "aws:runShellScript", wire.StepStatus{Status: wire.Success, StandardOutput: "done"}))
	await(t, command, "the end", holds("1 of 1 done"))
	await(t, log, "the reply in the log", holds("SendReply"))
	must(t, d.region.Put("amazon-ssm-agent/9.2.0.0/a.tar.gz", []byte("x")))
	release := d.follow("release/9.2.0.0")
	await(t, release, "the release", holds("No host came to it since"))
	must(t, h.Ping(ctx, "Active", "9.2.0.0"))
	await(t, release, "the move", holds("from 9.1.0.0"))
	d.region.Advance(10 * time.Minute)
	await(t, hosts, "the lost host", holds("ConnectionLost"))
}

// A carriage return alone ends a line of a stream, too: a text must not begin a field or an event by it.
func TestATextCannotBreakOutOfItsEvent(t *testing.T) {
	d := open(t).enter()
	h := d.hosts(1, "9.1.0.0")[0]
	id, err := d.region.SendCommand("AWS-RunShellScript", h.ID, map[string][]string{"commands": {"x"}})
	must(t, err)
	m, err := h.Poll(context.Background())
	must(t, err)
	must(t, h.Reply(context.Background(), m[0], wire.Success, "aws:runShellScript", wire.StepStatus{Status: wire.Success,
		StandardOutput: "a\r\revent: stopped\rdata: x\r\n\r\nevent: live\ndata: y\n\nlast"}))
	events := d.follow("command/" + id)
	e := await(t, events, "the output", holds("last"))
	if e.name != "live" || !strings.Contains(e.data, "a\n\nevent: stopped\ndata: x\n\nevent: live\ndata: y\n\nlast") {
		t.Errorf("%q", e.data)
	}
	select {
	case e := <-events:
		t.Errorf("another event: %+v", e)
	default:
	}
}

func TestStreamsAreBounded(t *testing.T) {
	d := open(t).enter()
	first := d.follow("hosts")
	await(t, first, "the page", holds("No host"))
	for range 5 {
		await(t, d.follow("hosts"), "the page", holds("No host"))
	}
	note := await(t, first, "a note", func(e event) bool { return e.name == "note" })
	want(t, note.data, "Updates ended here")
	await(t, first, "its end", func(e event) bool { return e.name == "stopped" })
	if _, open := <-first; open {
		t.Error("the oldest stream goes on")
	}
	sessions := []*desk{d}
	for range 7 {
		other := *d
		other.cookie = nil
		other.enter()
		for range 5 {
			other.follow("hosts")
		}
		sessions = append(sessions, &other)
	}
	last := *d
	last.cookie = nil
	last.enter()
	res, _ := last.do("GET", last.at("live?at=hosts"), nil)
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || d.console.Streams() != 40 {
		t.Errorf("%s with %d streams", res.Status, d.console.Streams())
	}
	// The pages themselves are there, and leaving ends what a session follows.
	last.get("hosts")
	sessions[1].do("POST", sessions[1].at("leave"), url.Values{})
	for d.console.Streams() > 35 {
		time.Sleep(10 * time.Millisecond)
	}
}

// Nothing is queued for a reader that does not read: it is let go, and the region goes on.
func TestAReaderThatTakesNothingIsLetGo(t *testing.T) {
	d := open(t, func(o *console.Options) { o.Patience, o.Quiet = 300*time.Millisecond, time.Millisecond }).enter()
	h := d.hosts(1, "9.1.0.0")[0]
	id, err := d.region.SendCommand("AWS-RunShellScript", h.ID, map[string][]string{"commands": {"x"}})
	must(t, err)
	m, err := h.Poll(context.Background())
	must(t, err)
	conn, err := net.Dial("tcp", "127.0.0.1:"+portOf(d))
	must(t, err)
	defer conn.Close()
	must(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	_, err = fmt.Fprintf(conn, "GET %slive?at=command/%s HTTP/1.1\r\nHost: %s\r\nCookie: %s=%s\r\n\r\n", d.base, id,
		strings.TrimPrefix(d.console.URL(), "http://"), d.cookie.Name, d.cookie.Value)
	must(t, err)
	for d.console.Streams() == 0 {
		time.Sleep(time.Millisecond)
	}
	for i := 0; d.console.Streams() > 0; i++ {
		text := strings.Repeat(fmt.Sprintf("%d\n", i), 20_000)
		must(t, h.Reply(context.Background(), m[0], wire.InProgress, "aws:runShellScript", wire.StepStatus{Status: wire.InProgress,
			StandardOutput: text}))
	}
	want(t, d.get("hosts"), h.ID)
}

func portOf(d *desk) string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(d.console.URL(), "http://"))
	return port
}

// Many changes in quick succession are written together.
func TestABurstOfChangesIsWrittenTogether(t *testing.T) {
	d := open(t, func(o *console.Options) { o.Quiet = 200 * time.Millisecond }).enter()
	h := d.hosts(1, "9.0.0.0")[0]
	events := d.follow("hosts")
	await(t, events, "the page", holds("9.0.0.0"))
	for i := range 100 {
		must(t, h.Ping(context.Background(), "Active", fmt.Sprintf("9.1.0.%d", i)))
	}
	n := 0
	await(t, events, "the last change", func(e event) bool { n++; return strings.Contains(e.data, "9.1.0.99") })
	if n > 50 {
		t.Errorf("%d updates for 100 changes", n)
	}
}
