//go:build boot && linux

package boot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// releases that fail, by how test/broken fails.
var failing = map[string]string{"9.4.0.0": "exit", "9.5.0.0": "hang", "9.6.0.0": "exit-later"}

// sound releases are those that may run in the end.
var sound = []string{"9.1.0.0", "9.2.0.0", "9.3.0.0"}

// number is a setting of the long run, from the environment.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// powerHost is a host whose power is cut while it is updated under commands.
type powerHost struct {
	*host
	power   *powered
	random  *rand.Rand
	version string
	load    powerLoad
}

// powerLoad is a stream of commands, each of which adds a line to a file that no power cut reaches.
type powerLoad struct {
	mu   sync.Mutex
	sent []string // command ids, in the order of their numbers
	stop chan struct{}
	busy sync.WaitGroup
}

// Power is cut at random moments of updates, good and broken ones, under commands: after each cut one sound version runs, no update is
// open, the answer is true, and no command ran twice. `make power-long` makes a hundred cuts, this two.
func TestAHostComesThroughPowerCutsInUpdates(t *testing.T) {
	if os.Getenv("POWER_CUTS") == "" {
		t.Skip("make power-long sets POWER_CUTS: a hundred cuts take an hour")
	}
	cuts, seed := number("POWER_CUTS", 2), uint64(number("POWER_SEED", 1))
	machines := max(number("POWER_MACHINES", 2), 1)
	broken := brokenReleases(t)
	for n := range machines {
		kind := []string{"ext4", "xfs"}[n%2]
		t.Run(fmt.Sprintf("%s-%d", kind, n), func(t *testing.T) {
			t.Parallel()
			h := newPowerHost(t, kind, rand.New(rand.NewPCG(seed, uint64(n))), broken)
			for c := n; c < cuts; c += machines {
				h.cut(fmt.Sprintf("%s cut %d", t.Name(), c))
			}
		})
	}
}

// brokenReleases packs the releases that fail, and returns their folders.
func brokenReleases(t *testing.T) (folders []string) {
	t.Helper()
	dir := t.TempDir()
	for version, how := range failing {
		parts := filepath.Join(dir, "parts", version)
		const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="
		for name, x := range map[string][2]string{"amazon-ssm-agent": {"./cmd/amazon-ssm-agent", ""},
			"ssm-agent-worker": {"./test/broken", " -X main.how=" + how + " -X main.after=2"}} {
			if out, err := outside("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+version+x[1], "-o",
				filepath.Join(parts, name), x[0]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		if out, err := outside(filepath.Join(dist, "ssm-setup"), "build", "--version", version, "--bin", parts, "--only", "tar",
			"--platform", "linux/"+runtime.GOARCH, "--out", filepath.Join(dir, "releases")); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		folders = append(folders, filepath.Join(dir, "releases", version))
	}
	return folders
}

// newPowerHost installs 9.1.0.0 and registers it, beside a region that has all releases.
func newPowerHost(t *testing.T, kind string, random *rand.Rand, broken []string) *powerHost {
	t.Helper()
	p := newPowered(t, debian(t), kind)
	p.start()
	h := &powerHost{host: &host{machine: p.machine, sys: systems[0], region: local.Start(t)}, power: p, random: random, version: sound[0]}
	for _, v := range sound {
		h.publish(v)
	}
	for _, folder := range broken {
		cmd := exec.Command(filepath.Join(dist, "ssm-setup"), "publish", "--from", folder, "--deltas", "0", "--region", "local",
			"--endpoint", h.region.URL())
		cmd.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+h.region.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	h.configure()
	h.sh("sed -i 's/\"UpdateWatchSeconds\": *8/\"UpdateWatchSeconds\": 3/' /etc/amazon/ssm/amazon-ssm-agent.json")
	h.do(sound[0], h.sys.install)
	h.copy(filepath.Join(dist, "ssm-setup"), "/usr/bin/ssm-setup")
	h.sh("chmod 755 /usr/bin/ssm-setup")
	h.active()
	h.register()
	h.echo("installed")
	p.settled()
	return h
}

// cut asks for an update, cuts the power at a random moment of it, and looks at what comes back.
func (h *powerHost) cut(name string) {
	h.t.Helper()
	began := time.Now()
	to, window := h.target()
	document := h.random.IntN(2) == 0
	moment := time.Duration(h.random.Int64N(int64(window)))
	h.load.begin(h.host)
	id, asker := "", "person"
	if document {
		asker = "document"
		var err error
		id, err = h.region.SendCommand("AWS-UpdateSSMAgent", h.node, map[string][]string{"version": {to}, "allowDowngrade": {"true"}})
		must(h.t, err)
	} else {
		go func() { _, _ = h.try("ssm-setup", "update", "--version", to, "--allow-downgrade") }()
	}
	time.Sleep(moment)
	stop := "none open"
	if led, err := ledger.Read(installer.At(h.root)); err == nil && led.Open != nil {
		stop = led.Open.Stop
	}
	h.power.cutPower()
	h.load.end()
	from := h.version
	h.rest(from, to)
	answer := ""
	if document {
		answer = h.answered(id, from, to)
	}
	executed := h.load.check(h.host, filepath.Join(h.power.dir, "outside", "ran"))
	h.processes()
	h.echo("after")
	fmt.Printf("%s  %-62s %s → %s %-8s at %5.2f s, %-9s runs %s %-8s %s, %.0f s\n", time.Now().UTC().Format("15:04:05"), name, from, to,
		asker, moment.Seconds(), stop, h.version, answer, executed, time.Since(began).Seconds())
}

// target is a version to go to, and how long that takes at most.
func (h *powerHost) target() (version string, window time.Duration) {
	if h.random.IntN(3) == 0 {
		return []string{"9.4.0.0", "9.5.0.0", "9.6.0.0"}[h.random.IntN(3)], 12 * time.Second
	}
	var others []string
	for _, v := range sound {
		if v != h.version {
			others = append(others, v)
		}
	}
	return others[h.random.IntN(len(others))], 7 * time.Second
}

// rest waits until no update is open and no answer is owed, and a sound version runs that the region knows.
func (h *powerHost) rest(from, to string) {
	h.t.Helper()
	l := installer.At(h.root)
	var led ledger.Ledger
	var err error
	if !comes(patience, func() bool {
		led, err = ledger.Read(l)
		return err == nil && led.Open == nil && len(led.Owed) == 0
	}) {
		h.t.Fatalf("%s → %s: the ledger is not closed: %+v, owed %v, %v\n%s", from, to, led.Open, led.Owed, err, h.logs())
	}
	var pulse installer.Pulse
	if !comes(patience, func() bool {
		pulse, err = installer.ReadPulse(l.Pulse())
		nodes := h.region.Instances()
		return err == nil && time.Since(pulse.At) < 20*time.Second && (pulse.Version == from || pulse.Version == to) && len(nodes) == 1 &&
			nodes[0].AgentVersion == pulse.Version && nodes[0].PingStatus == "Online"
	}) {
		h.t.Fatalf("%s → %s: the pulse is %+v, %v, the region knows %+v\n%s", from, to, pulse, err, h.region.Instances(), h.logs())
	}
	if failing[pulse.Version] != "" {
		h.t.Fatalf("%s → %s: the release that fails runs\n%s", from, to, h.logs())
	}
	h.version = pulse.Version
}

// logs is what a person would look at.
func (h *powerHost) logs() string {
	out, _ := h.try("sh", "-c", "ls -lR /var/lib/amazon/ssm | head -80; tail -n 40 /var/log/amazon/ssm/*.log /var/log/amazon/ssm/*.txt; "+
		"journalctl --no-pager -b -u amazon-ssm-agent | tail -20; ps axo pid,ppid,args")
	return out
}

// answered waits for the document's answer, which has to be true.
func (h *powerHost) answered(id, from, to string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	inv, err := h.region.WaitCommand(ctx, id, h.node)
	if err != nil {
		h.t.Fatalf("%s → %s: no answer: %v\n%s", from, to, err, h.logs())
	}
	h.rest(from, to) // the document may have come to a host that was let alone before
	if success := inv.Status == "Success"; success != (h.version == to) {
		h.t.Fatalf("%s → %s: %s runs, and the answer is %s: %s %s\n%s", from, to, h.version, inv.Status, inv.StandardOutput,
			inv.StandardError, h.logs())
	}
	return inv.Status
}

// begin sends commands until the end.
func (l *powerLoad) begin(h *host) {
	l.stop = make(chan struct{})
	l.busy.Go(func() {
		for {
			l.mu.Lock()
			text := fmt.Sprint("command-", len(l.sent))
			if id, err := h.region.SendCommand("AWS-RunShellScript", h.node, map[string][]string{"commands": {
				"echo " + text + " >>/outside/ran; sleep 0.2; echo " + text}}); err == nil {
				l.sent = append(l.sent, id)
			}
			l.mu.Unlock()
			select {
			case <-l.stop:
				return
			case <-time.After(600 * time.Millisecond):
			}
		}
	})
}

func (l *powerLoad) end() {
	close(l.stop)
	l.busy.Wait()
}

// check waits for all answers: a command that succeeded ran once, no other one twice.
func (l *powerLoad) check(h *host, ran string) string {
	h.t.Helper()
	text, good := []byte(nil), 0
	for n, id := range l.sent {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		inv, err := h.region.WaitCommand(ctx, id, h.node)
		cancel()
		if err != nil {
			out, _ := h.try("sh", "-c", "cd /var/lib/amazon/ssm && ls -lR mi-*/document/state mi-*/channels | tail -60; "+
				"tail -n 60 /var/log/amazon/ssm/amazon-ssm-agent.log; grep -r "+id+" /var/log/amazon/ssm | tail -20")
			h.t.Fatalf("command %d, %s, has no answer: %v\n%+v\n%s", n, id, err, inv, out)
		}
		if text, err = os.ReadFile(ran); err != nil && !errors.Is(err, os.ErrNotExist) {
			h.t.Fatal(err)
		}
		times := bytes.Count(text, []byte(fmt.Sprintf("command-%d\n", n)))
		if success := inv.Status == "Success"; times > 1 || success && times != 1 {
			h.t.Errorf("command %d ran %d times, and the answer is %s: %s %s", n, times, inv.Status, inv.StandardOutput, inv.StandardError)
		} else if success {
			good++
		}
	}
	return fmt.Sprintf("%d commands, %d succeeded, %d lines", len(l.sent), good, strings.Count(string(text), "\n"))
}
