//go:build unix

package story_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// The figures of the README: `make bench`. Each is measured from outside, on the real binaries, against a local region; none is
// asserted, since a machine may be busy.

// fleet is one installed host for a figure.
type fleet struct {
	b      *testing.B
	root   string
	region *local.Region
	node   string
}

// hire installs 9.1.0.0 into a throwaway root and registers it.
func hire(b *testing.B) *fleet {
	b.Helper()
	b.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	f := &fleet{b: b, root: filepath.Join(b.TempDir(), "root")}
	f.region = local.Start(b)
	b.Setenv("AWS_SHARED_CREDENTIALS_FILE", f.region.CredentialsFile())
	f.tool("publish", "--from", filepath.Join(built, "releases", "9.1.0.0"), "--region", "local", "--endpoint", f.region.URL())
	id, code, err := f.region.CreateActivation(1)
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("SSM_ACTIVATION_ID", id)
	b.Setenv("SSM_ACTIVATION_CODE", code)
	f.tool("install", "--root", f.root, "--region", "local", "--endpoint", f.region.URL())
	b.Cleanup(func() { f.tool("uninstall", "--root", f.root) })
	f.node = f.region.Instances()[0].InstanceID
	return f
}

func (f *fleet) tool(args ...string) {
	f.b.Helper()
	if out, err := exec.Command(filepath.Join(built, "bin", "ssm-setup"), args...).CombinedOutput(); err != nil {
		f.b.Fatalf("ssm-setup %s: %v\n%s", args[0], err, out)
	}
}

// command runs one command and returns the time from sending it to the region's having its result.
func (f *fleet) command(line string) time.Duration {
	f.b.Helper()
	began := time.Now()
	id, err := f.region.SendCommand("AWS-RunShellScript", f.node, map[string][]string{"commands": {line}})
	if err != nil {
		f.b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if inv, err := f.region.WaitCommand(ctx, id, f.node); err != nil || inv.Status != "Success" {
		f.b.Fatalf("%+v, %v", inv, err)
	}
	return time.Since(began)
}

// processes are the pids of everything started from the root.
func (f *fleet) processes() []int {
	pids, err := host.Processes()
	if err != nil {
		f.b.Fatal(err)
	}
	return slices.DeleteFunc(pids, func(pid int) bool {
		exe, err := host.ProcessExecutable(pid)
		return err != nil || !strings.HasPrefix(exe, f.root)
	})
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

func BenchmarkFigureBinaries(b *testing.B) {
	for b.Loop() {
		for _, name := range []string{"amazon-ssm-agent", "ssm-agent-worker"} {
			info, err := os.Stat(filepath.Join(built, "parts", "9.1.0.0", name))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/1e6, "MB-"+name)
		}
	}
	dir := b.TempDir()
	cmd := exec.Command(filepath.Join(built, "bin", "ssm-setup"), "build", "--bin", filepath.Join(built, "parts", "9.1.0.0"), "--only", "deb",
		"--out", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	debs, _ := filepath.Glob(filepath.Join(dir, "*", "*.deb"))
	info, err := os.Stat(debs[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB-deb")
}

func BenchmarkFigureCommand(b *testing.B) {
	f := hire(b)
	f.command("true")
	var all []time.Duration
	for b.Loop() {
		all = append(all, f.command("echo hello"))
	}
	b.ReportMetric(median(all), "ms-median")
}

// BenchmarkFigureIdle is the resident memory (PSS) of all processes after 60 s without work.
func BenchmarkFigureIdle(b *testing.B) {
	f := hire(b)
	f.command("true")
	for b.Loop() {
		time.Sleep(time.Minute)
	}
	total := 0
	for _, pid := range f.processes() {
		total += pss(b, pid)
	}
	b.ReportMetric(float64(total)/1000, "MB-pss")
	b.ReportMetric(float64(len(f.processes())), "processes")
}

func pss(b *testing.B, pid int) (kB int) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		b.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if f := strings.Fields(s.Text()); f[0] == "Pss:" {
			kB, _ = strconv.Atoi(f[1])
		}
	}
	return kB
}

// BenchmarkFigureStart is the time from starting the launcher to its agent's first ping at the region, BenchmarkFigureStop from
// SIGTERM to the end of both.
func BenchmarkFigureStart(b *testing.B) {
	f := hire(b)
	var starts, stops []time.Duration
	for b.Loop() {
		stops = append(stops, f.stop())
		before := f.region.Count("UpdateInstanceInformation")
		began := time.Now()
		cmd := exec.Command(filepath.Join(f.root, "usr/bin/amazon-ssm-agent"), "service", "--root", f.root)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "AWS_SHARED_CREDENTIALS_FILE=" + installer.At(f.root).Credentials()}
		host.Detached(cmd)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		go cmd.Wait()
		for f.region.Count("UpdateInstanceInformation") == before {
			time.Sleep(time.Millisecond)
		}
		starts = append(starts, time.Since(began))
		time.Sleep(300 * time.Millisecond)
	}
	b.ReportMetric(median(starts), "ms-to-first-ping")
	b.ReportMetric(median(stops), "ms-to-stop")
}

// stop ends the launcher and waits for everything to be gone.
func (f *fleet) stop() time.Duration {
	began := time.Now()
	for _, pid := range f.processes() {
		args, _ := host.ProcessArguments(pid)
		if exe, _ := host.ProcessExecutable(pid); filepath.Base(exe) == "amazon-ssm-agent" && len(args) > 0 {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
	for len(f.processes()) > 0 {
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

// BenchmarkFigureUpdateGap is how long no agent process of the host is there during an update.
func BenchmarkFigureUpdateGap(b *testing.B) {
	f := hire(b)
	f.tool("publish", "--from", filepath.Join(built, "releases", "9.2.0.0"), "--region", "local", "--endpoint", f.region.URL())
	lock := installer.At(f.root).Pointer().AgentLock()
	var gap time.Duration
	for b.Loop() {
		done := make(chan error, 1)
		go func() {
			done <- exec.Command(filepath.Join(built, "bin", "ssm-setup"), "update", "--root", f.root).Run()
		}()
		var without time.Duration
		last := time.Now()
		for running := true; running; {
			select {
			case err := <-done:
				if err != nil {
					b.Fatal(err)
				}
				running = false
			default:
			}
			now := time.Now()
			if _, held, _ := host.Holder(lock); !held {
				without += now.Sub(last)
			}
			last = now
			time.Sleep(time.Millisecond)
		}
		gap = max(gap, without)
	}
	b.ReportMetric(float64(gap.Milliseconds()), "ms-without-agent")
}
