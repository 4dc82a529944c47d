//go:build boot

package browser_test

import (
	"context"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/local/console"
	"github.com/ssm-setup/ssm-setup/regions/local/simulated"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// A fleet in the middle of an update, of simulated hosts: docs/console.png is this test's picture.
func TestAFleetInTheMiddleOfAnUpdateIsSeenAtAGlance(t *testing.T) {
	b := openTab(t)
	r := local.Start(t)
	page, err := console.Open(r, console.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, page.Close()) })
	for _, v := range []string{"9.0.0.0", "9.1.0.0", "9.2.0.0"} {
		must(t, r.Put("amazon-ssm-agent/"+v+"/amazon-ssm-agent-linux-amd64.tar.gz", []byte(v)))
	}
	must(t, r.Put("latest/VERSION", []byte("9.2.0.0")))
	key, err := simulated.Key()
	must(t, err)
	names := []string{"build-01", "build-02", "db-01", "db-02", "edge-01", "edge-02", "web-01", "web-02", "web-03"}
	hosts := fleetOf(t, r, key, names)
	ctx := context.Background()
	in := map[string]any{"DocumentName": "AWS-UpdateSSMAgent", "Targets": []any{map[string]any{"Key": "InstanceIds", "Values": ids(hosts)}}}
	must(t, r.Ask(ctx, "SendCommand", in, nil))
	for i, h := range hosts {
		m, err := h.Poll(ctx)
		must(t, err)
		must(t, h.Acknowledge(ctx, m[0]))
		must(t, h.Ping(ctx, "UpdateInitialized-9.2.0.0", "9.1.0.0"))
		status, document := wire.StepStatus{Status: wire.Success, Output: "updated"}, wire.Success
		switch {
		case i < 4:
			must(t, h.Ping(ctx, "Active", "9.2.0.0"))
			must(t, h.Ping(ctx, "UpdateSucceeded-9.2.0.0", "9.1.0.0"))
		case i == 4:
			must(t, h.Ping(ctx, "UpdateFailed_VerificationRollback_ErrorUpdateFailRollbackSuccess-9.2.0.0", "9.1.0.0"))
			status, document = wire.StepStatus{Status: wire.Failed, Code: 1}, wire.Failed
		default:
			continue
		}
		must(t, h.Reply(ctx, m[0], document, "awsupdateSsmAgent", status))
	}
	b.do(chromedp.Navigate(page.Link()))
	b.reads("9 hosts", "under way", "undone", "up to date")
	b.shot("fleet")
	if size := pictureSize(t); size > 200_000 {
		t.Errorf("docs/console.png has %d bytes, at most 200000", size)
	}
}

func fleetOf(t *testing.T, r *local.Region, key *rsa.PrivateKey, names []string) (hosts []*simulated.Host) {
	t.Helper()
	id, code, err := r.CreateActivation(len(names))
	must(t, err)
	for i, name := range names {
		h, err := simulated.Register(context.Background(), r.URL(), r.Name(), id, code, key)
		must(t, err)
		h.Facts.ComputerName, h.Facts.IPAddress = name, fmt.Sprintf("192.0.2.%d", i+10)
		must(t, h.Ping(context.Background(), "Active", "9.1.0.0"))
		hosts = append(hosts, h)
	}
	return hosts
}

func ids(hosts []*simulated.Host) (all []string) {
	for _, h := range hosts {
		all = append(all, h.ID)
	}
	return all
}

func pictureSize(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join("..", "..", "docs", "console.png"))
	must(t, err)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	must(t, err)
	if !strings.Contains(string(readme), "docs/console.png") {
		t.Error("the README does not show the picture")
	}
	return info.Size()
}
