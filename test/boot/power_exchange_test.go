//go:build boot && linux

package boot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// Power is cut at random moments while Amazon's agent and ours take each other's place by a document: one of the two runs in the end, and
// the answer says which. `make power-long` runs it.
func TestAnExchangeOfAgentsComesThroughPowerCuts(t *testing.T) {
	cuts, seed := number("POWER_EXCHANGES", 0), uint64(number("POWER_SEED", 1))
	if cuts == 0 {
		t.Skip("takes minutes: make power-long")
	}
	for n, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 100+uint64(n)))
			p := newPowered(t, debian(t), kind)
			p.start()
			h := exchangesOn(&host{machine: p.machine, sys: systems[0], region: local.Start(t)}, "")
			p.settled()
			version := amazons33
			for c := n; c < cuts; c += 2 {
				version = h.cutExchange(fmt.Sprintf("%s exchange %d", t.Name(), c), p, version, random)
			}
		})
	}
}

// cutExchange has a document exchange the agents, cuts the power, and returns which version runs then.
func (h exchanges) cutExchange(name string, p *powered, from string, random *rand.Rand) string {
	h.t.Helper()
	began, to := time.Now(), "9.1.0.0"
	if from == to {
		to = amazons33
	}
	id, err := h.region.SendCommand("AWS-UpdateSSMAgent", h.node, map[string][]string{"version": {to}, "allowDowngrade": {"true"}})
	must(h.t, err)
	// Before the record is there, a command that the stand-in took is in its memory alone: it is no agent that survives anything.
	record := filepath.Join(h.root, "var/lib/ssm-setup/takeover/record")
	h.eventually("the exchange to begin", func() bool { _, err := os.Stat(record); return err == nil })
	moment := time.Duration(random.Int64N(int64(8 * time.Second)))
	time.Sleep(moment)
	row := "over"
	if text, err := os.ReadFile(record); err == nil {
		var r struct{ Step string }
		must(h.t, json.Unmarshal(text, &r))
		row = r.Step
	}
	p.cutPower()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	inv, err := h.region.WaitCommand(ctx, id, h.node)
	logs := func() string {
		out, _ := h.try("sh", "-c", "tail -60 /var/log/amazon/ssm/*.txt /var/log/amazon/ssm/*.log; ls -lR /var/lib/ssm-setup; "+
			"dpkg -l amazon-ssm-agent; "+
			"systemctl status amazon-ssm-agent ssm-setup-takeover; journalctl --no-pager -b | tail -40")
		return out
	}
	if err != nil {
		h.t.Fatalf("%s, cut after %s at %s: no answer: %v\n%s", name, moment, row, err, logs())
	}
	runs := from
	if inv.Status == "Success" {
		runs = to
	}
	if !comes(patience, func() bool {
		nodes := h.region.Instances()
		return len(nodes) == 1 && nodes[0].AgentVersion == runs && nodes[0].PingStatus == "Online"
	}) {
		h.t.Fatalf("%s, cut after %s at %s: the answer is %s %s, and the region knows %+v\n%s", name, moment, row, inv.Status,
			inv.StandardOutput, h.region.Instances(), logs())
	}
	h.active()
	h.isEnabled("enabled")
	h.eventually("the keeper to be gone", func() bool {
		return h.sh("ls /var/lib/ssm-setup /etc/systemd/system/ssm-setup-takeover.service 2>/dev/null; true") == ""
	})
	h.sh("cmp /root/settings /etc/amazon/ssm/amazon-ssm-agent.json && test -z \"$(dpkg --audit)\"")
	if runs == "9.1.0.0" {
		h.processes()
		h.echo("after")
	}
	fmt.Printf("%s  %-62s %s → %s document at %5.2f s, %-9s runs %s %s, %.0f s\n", time.Now().UTC().Format("15:04:05"), name, from, to,
		moment.Seconds(), row, runs, inv.Status, time.Since(began).Seconds())
	return runs
}
