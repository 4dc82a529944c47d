package health_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

const op = "UpdateInstanceInformation"

// node is a registered machine whose pauses take no time.
type node struct {
	region *local.Region
	id     string
	pauses []time.Duration
	log    strings.Builder
	done   []error
	*health.Pinger
}

func newNode(t *testing.T, change ...func(*health.Options)) *node {
	t.Helper()
	n := &node{region: local.Start(t)}
	layout, cfg := installer.At(t.TempDir()), config.Default()
	cfg.Ssm.Endpoint = n.region.URL()
	aid, code, err := n.region.CreateActivation(1)
	if err != nil {
		t.Fatal(err)
	}
	pause := func(ctx context.Context, d time.Duration) error {
		n.pauses = append(n.pauses, d)
		return ctx.Err()
	}
	noPause := identity.Options{Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	if n.id, err = identity.Register(t.Context(), layout, cfg, noPause,
		identity.Activation{ID: aid, Code: code, Region: n.region.Name()}); err != nil {
		t.Fatal(err)
	}
	id, err := identity.Load(layout, cfg, noPause)
	if err != nil {
		t.Fatal(err)
	}
	client, err := id.Client(cloud.SSM())
	if err != nil {
		t.Fatal(err)
	}
	o := health.Options{Client: client, InstanceID: n.id, Version: "9.1.0.0", Period: 5 * time.Minute, Pause: pause,
		Done: func(err error) { n.done = append(n.done, err) }, Log: slog.New(slog.NewTextHandler(&n.log, nil))}
	for _, c := range change {
		c(&o)
	}
	n.Pinger = health.New(o)
	return n
}

// platformType is this system's name in pings.
func platformType() string {
	if name, ok := map[string]string{"windows": "Windows", "darwin": "MacOS"}[runtime.GOOS]; ok {
		return name
	}
	return "Linux"
}

// docs/protocol/identity.md, "Health pings".
func TestAPingSaysEverythingOfTheMachine(t *testing.T) {
	n := newNode(t, func(o *health.Options) {
		o.Channel = func() string { return "ec2messages" }
		o.Facts = func(context.Context) health.Facts {
			return health.Facts{ComputerName: "host.example", IPAddress: "192.0.2.1", PlatformName: "Debian GNU/Linux", PlatformVersion: "12"}
		}
	})
	if err := n.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := string(n.region.Calls(op)[0].Body)
	want := `{"AgentName":"amazon-ssm-agent","AgentStatus":"Active","AgentVersion":"9.1.0.0","AvailabilityZone":"","AvailabilityZoneId":"",` +
		`"ComputerName":"host.example","IPAddress":"192.0.2.1","InstanceId":"` + n.id + `","PlatformName":"Debian GNU/Linux",` +
		`"PlatformType":"` + platformType() + `","PlatformVersion":"12","SSMConnectionChannel":"ec2messages"}`
	if body != want {
		t.Errorf("%s\nwant\n%s", body, want)
	}
	if node := n.region.Instances()[0]; node.PingStatus != "Online" || node.AgentVersion != "9.1.0.0" {
		t.Error(node)
	}
	if len(n.done) != 1 || n.done[0] != nil {
		t.Error(n.done)
	}
}

func TestAProbeIsAnEmptyPing(t *testing.T) {
	n := newNode(t)
	if err := n.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `{"AgentName":"amazon-ssm-agent","AgentVersion":"9.1.0.0","InstanceId":"` + n.id + `","PlatformType":"` + platformType() + `"}`
	if body := string(n.region.Calls(op)[0].Body); body != want {
		t.Error(body)
	}
}

func TestThisMachineHasItsFacts(t *testing.T) {
	f := health.ThisMachine()(t.Context())
	if f.ComputerName == "" || f.PlatformName == "" {
		t.Errorf("%+v", f)
	}
}

func TestTheFirstPingIsFullAndAtOnce(t *testing.T) {
	n := newNode(t)
	if err := n.Awaken(t.Context()); err != nil || n.pauses != nil || n.region.Count(op) != 1 {
		t.Error(err, n.pauses)
	}
	if !strings.Contains(string(n.region.Calls(op)[0].Body), `"AgentStatus":"Active"`) {
		t.Error("the first ping is not a full one")
	}
}

// docs/protocol/identity.md, "Hibernation".
func TestARefusedNodeHibernates(t *testing.T) {
	n := newNode(t)
	const refusals = 14
	n.region.Break(op, refusals, 400, "AccessDeniedException")
	if err := n.Awaken(t.Context()); err != nil {
		t.Fatal(err)
	}
	var at []int
	sum := 0
	for _, p := range n.pauses {
		sum += int(p.Seconds())
		at = append(at, sum)
	}
	want := []int{300, 900, 1500, 2100, 3300, 4500, 5700, 8100, 10500, 12900, 16500, 20100, 23700, 27300}
	if len(at) != len(want) {
		t.Fatal(at)
	}
	for i := range want {
		if at[i] != want[i] {
			t.Fatalf("%v, want %v", at, want)
		}
	}
	calls := n.region.Calls(op)
	for i, c := range calls {
		full := strings.Contains(string(c.Body), "AgentStatus")
		if len(c.Body) > 0 && full != (i == len(calls)-1) { // of broken calls the body is not kept
			t.Errorf("ping %d: %s", i, c.Body)
		}
	}
	for _, text := range []string{"Entering SSM Agent hibernate - AccessDeniedException: ",
		"Agent is in hibernate mode. Reducing logging. Logging will be reduced to one log per backoff period",
		"Backing off health check to every 600 seconds for 1800 seconds."} {
		if strings.Count(n.log.String(), text) != 1 {
			t.Errorf("%q is not logged once:\n%s", text, n.log.String())
		}
	}
}

// A service that is in trouble or out of reach is asked again within a minute, unlike the original.
func TestAnOutageIsNoHibernation(t *testing.T) {
	n := newNode(t)
	n.region.Break(op, 40, 500, "") // ten pings of four attempts
	if err := n.Awaken(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(n.pauses) != 10 || n.pauses[0] > 2*time.Second || n.pauses[9] < time.Minute || n.pauses[9] > 72*time.Second {
		t.Error(n.pauses)
	}
	fresh := newNode(t)
	fresh.region.Break("RequestManagedInstanceRoleToken", 2, 400, "AccessDeniedException")
	if err := fresh.Awaken(t.Context()); err != nil || len(fresh.pauses) != 2 || fresh.pauses[1] > 3*time.Second {
		t.Error("credentials that come late are no refusal of the node", err, fresh.pauses)
	}
}

func TestPingsComeByTheConfiguredPeriod(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var n *node
	n = newNode(t, func(o *health.Options) {
		pause := o.Pause
		o.Pause = func(ctx context.Context, d time.Duration) error {
			if len(n.pauses) == 4 {
				stop()
			}
			return pause(ctx, d)
		}
	})
	n.region.Break(op, 1, 400, "InvalidInstanceId") // no failure ends it
	if err := n.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n.pauses[0] > 5*time.Minute || n.pauses[1] != 5*time.Minute || n.region.Count(op) != 4 {
		t.Error(n.pauses, n.region.Count(op))
	}
	if len(n.done) != 4 || cloud.Code(n.done[0]) != "InvalidInstanceId" || n.done[3] != nil {
		t.Error(n.done)
	}
}

func TestThePulseTellsOfBeatsAndRoundTrips(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	path := installer.At(t.TempDir()).Root + "/pulse"
	p := health.NewPulse(path, installer.Pulse{PID: 7, Version: "9.1.0.0", Sequence: 3}, func() time.Time { return now })
	if err := p.Beat(); err != nil {
		t.Fatal(err)
	}
	p.Known("mi-1")
	p.Pinged(errors.New("no network"))
	if err := p.Beat(); err != nil {
		t.Fatal(err)
	}
	got, err := installer.ReadPulse(path)
	if err != nil || got.Beats != 2 || got.LastFault != "no network" || got.InstanceID != "mi-1" || !got.LastRoundTrip.IsZero() ||
		!got.At.Equal(now) {
		t.Errorf("%+v %v", got, err)
	}
	p.Pinged(nil) // written without a beat
	got, err = installer.ReadPulse(path)
	if err != nil || !got.LastRoundTrip.Equal(now) || got.LastFault != "" || got.Beats != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

// What something on the way answers with, status 200 and all, is no sign that the region heard of this node.
func TestAPageOfAProxyIsNoRoundTrip(t *testing.T) {
	proxy := httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>please log in</html>") }),
	)
	defer proxy.Close()
	p := health.New(health.Options{InstanceID: "mi-0123456789abcdef0", Version: "9.1.0.0",
		Client: cloud.New(cloud.Options{Endpoint: proxy.URL, Region: "local", Service: "ssm", Retries: -1})})
	if err := p.Probe(t.Context()); cloud.Code(err) != cloud.SerializationError {
		t.Error(err)
	}
}

// The updater compares the ways that commands come by: which answered, which are denied, and which only were held to the end of a poll.
func TestThePulseSaysWhichLanesAnswer(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	path := installer.At(t.TempDir()).Root + "/pulse"
	p := health.NewPulse(path, installer.Pulse{}, func() time.Time { return now })
	if err := p.Beat(); err != nil {
		t.Fatal(err)
	}
	read := func() installer.Pulse {
		t.Helper()
		got, err := installer.ReadPulse(path)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := read(); got.Lanes == nil || len(got.Lanes) != 0 {
		t.Errorf("before any answer: %+v", got.Lanes)
	}
	p.Answered("ec2messages", nil) // written without a beat
	if got := read(); !got.Lanes["ec2messages"].Answered.Equal(now) || !got.LastRoundTrip.Equal(now) || !got.LastPing.IsZero() {
		t.Errorf("%+v", got)
	}
	p.Answered("other", &cloud.Error{Code: "AccessDeniedException", Status: 400})
	p.Answered("held", context.DeadlineExceeded)
	if err := p.Beat(); err != nil {
		t.Fatal(err)
	}
	if got := read(); !got.Lanes["other"].Denied || !got.Lanes["held"].Answered.Equal(now) || got.LastFault == "" {
		t.Errorf("%+v", got)
	}
}
