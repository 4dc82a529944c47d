package updater_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// TestMain is also the other process of some tests: called as "updater" it answers as its environment says, called as "asker" it
// wants an update while another is under way, called as "holder" it holds the update lock of its first argument until its input ends,
// called as "stuck" it is an updater whose region never sends its manifest.
func TestMain(m *testing.M) {
	switch os.Args[0] {
	case "updater":
		for n, _ := strconv.Atoi(os.Getenv("FLOOD")); n > 0; n-- {
			fmt.Fprintln(os.Stderr, strings.Repeat("flood ", 1000))
		}
		fmt.Print(os.Getenv("ANSWER"))
		if file := os.Getenv("COPY"); file != "" {
			_ = os.WriteFile(file, []byte(strings.Join(os.Args[1:], " ")), 0o600)
		}
		if os.Args[1] == "run" && os.Getenv("DIES") != "" { // with the request in the ledger
			l := installer.At(os.Args[len(os.Args)-1])
			b, _ := ledger.Open(l)
			r, _ := ledger.ReadRequest(os.Args[3])
			_ = b.Enter(r, time.Now())
			os.Exit(1)
		}
		os.Exit(0)
	case "asker":
		e := updater.Engine{Layout: installer.At(os.Args[1])}
		_, _ = e.Run(context.Background(), ledger.Request{Want: os.Args[2], Why: ledger.ByCommandLine}, func(s string) { fmt.Println(s) })
		os.Exit(0)
	case "stuck":
		e := updater.Engine{Layout: installer.At(os.Args[1]), Identity: func() (string, error) { return "", nil },
			Settings: updater.Settings{Source: "https://region.example/amazon-ssm-x-1/ssm-agent-manifest.json", Region: "x-1"},
			Open: func(context.Context, string) (updater.Source, error) {
				return updater.Source{Manifest: func(context.Context) (*manifests.Manifest, error) { select {} }}, nil
			}}
		_, _ = e.Run(context.Background(), command(ledger.Request{}), func(s string) { fmt.Println(s) })
		os.Exit(0)
	case "holder":
		lock, err := installer.LockUpdate(installer.At(os.Args[1]))
		fmt.Println(err)
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = lock.Release()
		os.Exit(0)
	}
	os.Exit(inMemory(m.Run))
}

// inMemory has temporary folders lie in memory where there is such a place: everything here is synced again and again.
func inMemory(run func() int) int {
	dir, err := os.MkdirTemp("/dev/shm", "updater-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		os.Setenv("TMPDIR", dir)
	}
	return run()
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	return exe
}

func TestTheUpdatersFirstLineDecides(t *testing.T) {
	l := installer.At(t.TempDir())
	copied := filepath.Join(t.TempDir(), "arguments")
	for answer, want := range map[string]error{
		"taken x\n": nil, "busy\n": updater.ErrBusy, "": updater.ErrDied, "nonsense\n": updater.ErrDied,
	} {
		p := updater.Program{Path: self(t), Name: "updater", Environment: []string{"ANSWER=" + answer, "COPY=" + copied}}
		id, err := updater.Launch(context.Background(), p, l, ledger.Request{Want: "9.2.0.0"})
		if !errors.Is(err, want) || (want == nil) != (id != "") {
			t.Errorf("%q: %q, %v", answer, id, err)
		}
		left, _ := filepath.Glob(filepath.Join(l.UpdateRoot(), "ask", "*"))
		if want != nil && len(left) != 0 {
			t.Errorf("%q: the request is still there", answer)
		}
		for _, f := range left { // taken, by an updater that does not exist
			r, err := ledger.ReadRequest(f)
			if err != nil || r.Want != "9.2.0.0" || r.ID != id {
				t.Errorf("%+v, %v", r, err)
			}
			os.Remove(f)
		}
	}
	p := updater.Program{Path: self(t), Name: "updater", Environment: []string{"ANSWER=refused the disk is on fire\n"}}
	if _, err := updater.Launch(context.Background(), p, l, ledger.Request{}); err == nil || err.Error() != "the disk is on fire" {
		t.Errorf("refused: %v", err)
	}
	p.Path = filepath.Join(t.TempDir(), "none")
	if _, err := updater.Launch(context.Background(), p, l, ledger.Request{}); !errors.Is(err, updater.ErrDied) {
		t.Errorf("no program: %v", err)
	}
	lock, err := installer.LockUpdate(l) // the one that does not start leaves it to the next
	must(t, err)
	must(t, lock.Release())
}

// The running agent looks for open updates once a minute.
func TestTheProgramThatAskedHasAnUpdateGoOnWhoseUpdaterDied(t *testing.T) {
	l := installer.At(t.TempDir())
	copied := filepath.Join(t.TempDir(), "arguments")
	p := updater.Program{Path: self(t), Name: "updater", Environment: []string{"ANSWER=taken x\n", "DIES=1", "COPY=" + copied}}
	_, err := updater.Launch(context.Background(), p, l, ledger.Request{Want: "9.2.0.0"})
	must(t, err)
	var arguments []byte
	for range 6000 {
		if arguments, _ = os.ReadFile(copied); strings.HasPrefix(string(arguments), "resume") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if want := "resume --root " + l.Root; string(arguments) != want {
		t.Errorf("the last updater was called with %q, not %q", arguments, want)
	}
}

func TestAnUpdaterThatPrintsWithoutEndFillsNoDisk(t *testing.T) {
	l := installer.At(t.TempDir())
	must(t, os.MkdirAll(l.Logs(), 0o755))
	p := updater.Program{Path: self(t), Name: "updater", Environment: []string{"ANSWER=taken x\n", "FLOOD=2000"}}
	_, err := updater.Launch(context.Background(), p, l, ledger.Request{Want: "9.2.0.0"})
	must(t, err)
	info, err := os.Stat(updater.LogFile(l))
	if err != nil || info.Size() > 64<<10 {
		t.Errorf("%v, %v", info, err)
	}
}

// hold has another process hold the update lock.
func hold(t *testing.T, l installer.Layout) {
	t.Helper()
	cmd := exec.Command(self(t))
	cmd.Args = []string{"holder", l.Root}
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	b := make([]byte, 64)
	n, _ := out.Read(b)
	if string(b[:n]) != "<nil>\n" {
		t.Fatalf("the holder says %q", b[:n])
	}
}

func TestASecondUpdaterIsBusy(t *testing.T) {
	w := newWorld(t)
	hold(t, w.layout)
	var said string
	o, err := w.engine().Run(context.Background(), ledger.Request{}, func(s string) { said = s })
	if o != nil || !errors.Is(err, updater.ErrBusy) || said != "busy" {
		t.Fatalf("%+v, %v, %q", o, err, said)
	}
	if err.Error() != "Another update in progress, try again later" {
		t.Errorf("%q", err)
	}
	before := w.now
	must(t, w.engine().Resume(context.Background())) // leaves it to the other
	if w.now.Sub(before) < 10*time.Second {
		t.Error("resume does not wait for the lock")
	}
}

// The folder of the lock, and the file that originals know, were removed, and another updater came.
func TestAnUpdaterWhoseLockAnotherHasLeavesEverythingToIt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder with an open file cannot be removed")
	}
	w := newWorld(t)
	e := w.engine()
	wait, came := e.Pause, false
	e.Pause = func(ctx context.Context, d time.Duration) error {
		if led, _ := ledger.Read(w.layout); led.Open != nil && led.Open.Stop == ledger.StopWatch && !came {
			came = true
			must(t, os.RemoveAll(w.layout.Pointer().UpdaterLock()))
			must(t, os.Remove(w.layout.UpdateLock()))
			hold(t, w.layout)
		}
		return wait(ctx, d)
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if o != nil || err != nil || !came {
		t.Errorf("%+v, %v, %t", o, err, came)
	}
	if led, err := ledger.Read(w.layout); err != nil || led.Open == nil || led.Open.Stop != ledger.StopWatch {
		t.Errorf("%+v, %v", led.Open, err)
	}
	if _, err := os.Stat(w.layout.UpdateLock()); err != nil {
		t.Errorf("it removed the other's lock: %v", err)
	}
}

func TestAWatchWithoutTheServiceGivesWay(t *testing.T) {
	w := deafUntil(t, "9.1.0.0")
	led, _ := ledger.Read(w.layout)
	if led.Last.Kind != "up-to-date" || led.Last.Want != "9.1.0.0" {
		t.Errorf("the newer request ended so: %+v", led.Last)
	}
	if len(led.Skip) != 0 {
		t.Errorf("a version whose update was superseded is blocked: %+v", led.Skip)
	}
	w.whole("9.1.0.0")
}

func TestAWatchWithoutTheServiceCanBeRolledBack(t *testing.T) {
	w := deafUntil(t, ledger.Previous)
	led, _ := ledger.Read(w.layout)
	if o := led.Last; o.Kind != ledger.WentBack || o.FromVersion != ver("9.2.0.0") || o.RunningVersion != ver("9.1.0.0") {
		t.Errorf("%+v", led.Last)
	}
	w.whole("9.1.0.0")
}

// givenUp is why a version that died three times is taken back.
const givenUp = "its process ended: exit code 3"

// deafUntil updates to 9.2.0.0 while the service is out of reach, and has another process want something else then.
func deafUntil(t *testing.T, want string) *world {
	w := newWorld(t)
	e := w.engine()
	asked := false
	wait := e.Pause
	e.Pause = func(ctx context.Context, d time.Duration) error {
		led, _ := ledger.Read(w.layout)
		w.mu.Lock()
		w.reachable = asked
		w.mu.Unlock()
		if led.Open != nil && led.Open.OutOfReach && !asked {
			asked = true
			cmd := exec.Command(self(t))
			cmd.Args = []string{"asker", w.layout.Root, want}
			if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "taken ") {
				t.Errorf("the newer request: %q, %v", out, err)
			}
		}
		return wait(ctx, d)
	}
	w.reachable = false
	if _, err := e.Run(context.Background(), ledger.Request{}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestOutcomesReadLikeThis(t *testing.T) {
	const file = "http://region/9.2.0.0/"
	for name, c := range map[string]struct {
		change func(*world)
		want   string
		text   string
	}{
		"up to date": {func(w *world) { w.versions = []string{"9.1.0.0"} }, "", `Updating amazon-ssm-agent from 9.1.0.0 to 9.1.0.0
amazon-ssm-agent 9.1.0.0 has already been installed
update skipped
9.1.0.0 is what region x-1 offers: up to date
`},
		"inactive": {func(w *world) { w.status["9.2.0.0"] = "Inactive" }, "9.2.0.0", `Updating amazon-ssm-agent from 9.1.0.0 to 9.2.0.0
amazon-ssm-agent version 9.2.0.0 is deprecated/inactive, update skipped
region x-1 marks 9.2.0.0 as Inactive; it stays at 9.1.0.0, newest active is 9.1.0.0
`},
		"unknown": {func(*world) {}, "9.9.0.0", `Updating amazon-ssm-agent from 9.1.0.0 to 9.9.0.0
amazon-ssm-agent target version 9.9.0.0 is unsupported on current platform
update skipped
region x-1 does not list 9.9.0.0 yet; its newest is 9.2.0.0, so it may be behind another region, which ssm-setup regions shows; ` +
			`it stays at 9.1.0.0
hint: Unsupported on current platform
`},
		"not listed": {func(*world) {}, "9.1.5.0", `Updating amazon-ssm-agent from 9.1.0.0 to 9.1.5.0
amazon-ssm-agent target version 9.1.5.0 is unsupported on current platform
Failed to update amazon-ssm-agent to 9.1.5.0
No rollback needed
region x-1 does not list 9.1.5.0 for this platform; the newest it has is 9.2.0.0
hint: Unsupported on current platform
`},
		"nonsense": {func(*world) {}, "nonsense", `Invalid target version: nonsense
No rollback needed
"nonsense" names no version region x-1 has; give four parts such as 9.1.0.0, latest, stable, or a constraint such as '>=9.1'
`},
		"crash": {func(w *world) { w.nature["9.2.0.0"] = "dead" }, "", `Updating amazon-ssm-agent from 9.1.0.0 to 9.2.0.0
Successfully downloaded FILE
Initiating amazon-ssm-agent update to 9.2.0.0
failed to update amazon-ssm-agent to 9.2.0.0, failed to start the agent, ErrorMessage=` + givenUp + `
Initiating rollback amazon-ssm-agent to 9.1.0.0
rolledback amazon-ssm-agent to 9.1.0.0
Failed to update amazon-ssm-agent to 9.2.0.0
9.2.0.0 did not become healthy on this host; 9.1.0.0 runs again, and 9.2.0.0 is blocked here: only an update that names it installs it
`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.change(w)
			got := w.run(ledger.Request{Want: c.want}).Text()
			if at := strings.Index(got, file); at >= 0 {
				end := at + strings.IndexByte(got[at:], '\n')
				got = got[:at] + "FILE" + got[end:]
			}
			if got != c.text {
				t.Errorf("got\n%s\nwant\n%s", got, c.text)
			}
		})
	}
}
