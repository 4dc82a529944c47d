//go:build integration

package browser_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/simulated"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// memoryMost is what the region may hold in memory with its fleet, in kB (VmHWM, the most it ever had).
const memoryMost = 60_000

// fleet is the number of simulated hosts, and rounds how often each of them pings and moves to another version.
const (
	fleet  = 50
	rounds = 10
)

// Fifty hosts poll, ping, answer a command and are updated, while a page follows: the page shows all of it, and the region stays small.
func TestFiftyHostsOnThePageUpdateLiveInSixtyMegabytes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	r := startRegion(t)
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	page := followHosts(t, ctx, r)
	hosts := register(t, ctx, r)
	page.reads("<b>50</b> hosts", "9.1.0.0: 50")
	for _, h := range hosts {
		go answer(ctx, h)
	}
	var ids []string
	for _, h := range hosts {
		ids = append(ids, h.ID)
	}
	sent := strings.Fields(strings.ReplaceAll(awsOutput(r, "ssm send-command --document-name AWS-RunShellScript --parameters commands=true "+
		"--instance-ids "+strings.Join(ids, " ")+" --query Command.CommandId --output text"), "\"", ""))
	if len(sent) != 1 {
		t.Fatalf("sent %q", sent)
	}
	for round := range rounds {
		version := fmt.Sprintf("9.1.%d.0", round+1)
		for _, h := range hosts {
			must(t, h.Ping(ctx, "UpdateInitialized-"+version, fmt.Sprintf("9.1.%d.0", round)))
			must(t, h.Ping(ctx, "Active", version))
		}
		page.reads(version + ": 50")
	}
	page.until("all fifty succeeded", func(html string) bool { return strings.Count(html, ">Success</span>") == fleet })
	if most := memory(t, r.process.Pid); most > memoryMost {
		t.Errorf("the region took %d kB, at most %d", most, memoryMost)
	} else {
		t.Logf("the region took %d kB at most; %d updates of the page", most, page.count)
	}
}

func awsOutput(r *region, arguments string) string {
	r.t.Helper()
	file := r.dir + "/aws.txt"
	r.shell("aws --endpoint-url " + r.URL + " --region local " + arguments + " >" + file)
	text, err := os.ReadFile(file)
	must(r.t, err)
	return string(text)
}

func register(t *testing.T, ctx context.Context, r *region) (hosts []*simulated.Host) {
	t.Helper()
	made := strings.Fields(awsOutput(r, fmt.Sprintf("ssm create-activation --iam-role x --registration-limit %d "+
		"--query [ActivationId,ActivationCode] --output text", fleet)))
	key, err := simulated.Key()
	must(t, err)
	for i := range fleet {
		h, err := simulated.Register(ctx, r.URL, "local", made[0], made[1], key)
		must(t, err)
		h.Facts.ComputerName = fmt.Sprintf("host%02d.example", i)
		must(t, h.Ping(ctx, "Active", "9.1.0.0"))
		hosts = append(hosts, h)
	}
	return hosts
}

// answer polls as an agent does, and takes every command as done.
func answer(ctx context.Context, h *simulated.Host) {
	for ctx.Err() == nil {
		messages, err := h.Poll(ctx)
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		for _, m := range messages {
			if h.Acknowledge(ctx, m) == nil {
				_ = h.Reply(ctx, m, wire.Success, "aws:runShellScript", wire.StepStatus{Status: wire.Success,
					StandardOutput: strings.Repeat("line of output\n", 1000)})
			}
		}
	}
}

// memory is the most that a process ever held, in kB.
func memory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	kB, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(text))[1])
	must(t, err)
	return kB
}

// followed is the page as its stream has it.
type followed struct {
	t     *testing.T
	pages chan string
	html  string
	count int
}

// followHosts lets itself in and follows the list of hosts.
func followHosts(t *testing.T, ctx context.Context, r *region) *followed {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address) // a browser knows that names below localhost are this machine's
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}}
	res, err := client.Get(r.link())
	must(t, err)
	defer res.Body.Close()
	cookie := res.Cookies()[0]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Console+cookie.Path+"live?at="+url.QueryEscape("hosts"), nil)
	must(t, err)
	req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	stream, err := client.Do(req)
	must(t, err)
	if stream.StatusCode != http.StatusOK {
		t.Fatal(stream.Status)
	}
	p := &followed{t: t, pages: make(chan string)}
	go func() {
		defer stream.Body.Close()
		lines, html := bufio.NewScanner(stream.Body), ""
		lines.Buffer(nil, 8<<20)
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				html += text + "\n"
			} else if lines.Text() == "" {
				select {
				case p.pages <- html:
				case <-ctx.Done():
					return
				}
				html = ""
			}
		}
	}()
	return p
}

// until waits for a state of the page.
func (p *followed) until(what string, fits func(html string) bool) {
	p.t.Helper()
	late := time.After(long)
	for !fits(p.html) {
		select {
		case p.html = <-p.pages:
			p.count++
		case <-late:
			p.t.Fatalf("the page never shows %s\n%s", what, p.html)
		}
	}
}

func (p *followed) reads(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.until(text, func(html string) bool { return strings.Contains(html, text) })
	}
}
