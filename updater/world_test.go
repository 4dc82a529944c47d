package updater_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// world is a machine made small: a true tree of an installation, a clock that moves only when a test or the engine waits, the true
// launcher on that clock, an agent that writes the true pulse file, and a region that is three functions.
type world struct {
	t      testing.TB
	layout installer.Layout

	mu        sync.Mutex
	now       time.Time
	launcher  *launching // nil: none runs
	again     time.Time  // before it the launcher has no turn: a slow machine
	reachable bool       // the service, from this machine
	lanes     bool       // agents say which ways that commands come by answer
	instance  string
	nature    map[string]string // version → dead, mute, brief, hang; else sound
	agent     *process
	pids      int
	deaths    int      // of agents, since the launcher was started
	versions  []string // what the region has
	status    map[string]string
	sent      []wire.Reply
	deleted   []string
	health    []string
	spoilt    func(archive []byte) []byte // what the region really gives
	free      uint64
	unpacked  int64  // listed
	floor     string // version a package installed
}

// process is an agent at work.
type process struct {
	pid     int
	file    string
	version string
	born    time.Time
	pulse   installer.Pulse
	trip    time.Time
	beat    bool // since the launcher last listened
}

const beat = 5 * time.Second

// program is the content of an agent program of a version.
func program(version string) []byte {
	return []byte("program ssm-setup-version=" + version + "\x00 and so on")
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t:         t,
		layout:    installer.At(t.TempDir()),
		now:       time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		reachable: true,
		instance:  "mi-00000000000000001",
		nature:    map[string]string{},
		versions:  []string{"9.1.0.0", "9.2.0.0"},
		floor:     "9.1.0.0",
		status:    map[string]string{},
		free:      1 << 40,
	}
	must(t, os.Chmod(w.layout.Root, 0o755)) // whatever the umask: nothing is run from where others may write
	w.put(w.layout.Launcher(), program("9.1.0.0"))
	w.put(w.layout.Worker(), program("9.1.0.0"))
	must(t, os.MkdirAll(w.layout.Data(), 0o755))
	must(t, w.store().MakeSlots("9.1.0.0"))
	w.boot()
	t.Cleanup(w.killLauncher)
	w.advance(time.Minute)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) put(path string, content []byte) {
	w.t.Helper()
	must(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(w.t, os.WriteFile(path, content, 0o755))
}

func (w *world) store() store.Store { return store.Store{Paths: w.layout.Pointer()} }

// advance lets time go by, a second at a time, and launcher and agent live through it.
func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := w.now.Add(d); w.now.Before(end); {
		step := min(time.Second, end.Sub(w.now))
		w.now = w.now.Add(step)
		w.live()
	}
}

// upgrade is a package that brings another floor, and restarts the service.
func (w *world) upgrade(version string) {
	_ = os.Remove(w.layout.Worker()) // by another file of that name, as packages do
	w.put(w.layout.Launcher(), program(version))
	w.put(w.layout.Worker(), program(version))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor = version
	w.restart()
}

// engine is an updater on this machine.
func (w *world) engine() *updater.Engine {
	locked := func(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }
	return &updater.Engine{
		Layout: w.layout,
		Settings: updater.Settings{Source: "http://region/amazon-ssm-x-1/ssm-agent-manifest.json", Region: "x-1", Watch: 30 * time.Second,
			Agent: wire.AgentInfo{Name: "amazon-ssm-agent", Version: "9.1.0.0"}},
		Open: func(context.Context, string) (updater.Source, error) { return w.region(), nil },
		Reporter: updater.Reporter{
			Reply: func(_ context.Context, message, id, payload string) (err error) {
				locked(func() {
					var r wire.Reply
					if !w.reachable {
						err = errors.New("out of reach")
						return
					}
					if err = json.Unmarshal([]byte(payload), &r); err == nil {
						w.sent = append(w.sent, r)
					}
				})
				return err
			},
			Delete: func(_ context.Context, message string) (err error) {
				locked(func() { w.deleted = append(w.deleted, message) })
				return nil
			},
			Health: func(_ context.Context, status, version string) error {
				locked(func() { w.health = append(w.health, status+" "+version) })
				return nil
			},
		},
		Probe: func(context.Context) (err error) {
			locked(func() {
				if !w.reachable {
					err = errors.New("out of reach")
				}
			})
			return err
		},
		Identity: func() (id string, err error) { locked(func() { id = w.instance }); return id, nil },
		System: &updater.System{
			Launcher: func() (pid int, running bool) {
				locked(func() { pid, running = 77, w.launcher != nil })
				return pid, running
			},
			Agent: func() (pid int, running bool) {
				locked(func() {
					if w.agent != nil {
						pid, running = w.agent.pid, true
					}
				})
				return pid, running
			},
			StopAgent: func(_ context.Context, pid int) error {
				locked(func() {
					if w.agent != nil && w.agent.pid == pid {
						w.endAgent("exit code 0")
					}
				})
				return nil
			},
			Program: func(pid int) (file string, err error) {
				err = os.ErrNotExist
				locked(func() {
					if w.agent != nil && w.agent.pid == pid {
						file, err = w.agent.file, nil
					}
				})
				return file, err
			},
			Floor: func() (manifests.Version, error) { return ver(w.floor), nil },
			Free:  func(string) (uint64, error) { return w.free, nil },
			Try: func(_ context.Context, file string, args ...string) (string, error) {
				content, err := os.ReadFile(file)
				if err != nil || args[0] != "-version" {
					return "", err
				}
				version, _, _ := strings.Cut(strings.SplitAfter(string(content), "version=")[1], "\x00")
				return "SSM Agent version: " + version, nil
			},
			Boot: "boot",
		},
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		Pause: func(ctx context.Context, d time.Duration) error {
			runtime.Gosched()
			w.advance(d)
			return ctx.Err()
		},
	}
}

func ver(text string) manifests.Version { return manifests.MustVersion(text) }

// archive is the portable archive of a version.
func archive(version string) []byte {
	if runtime.GOOS == "windows" {
		return zipped(version)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, name := range []string{"README.md", "ssm-agent-worker"} {
		content := program(version)
		_ = t.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
		_, _ = t.Write(content)
	}
	_ = t.Close()
	_ = z.Close()
	return b.Bytes()
}

func zipped(version string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"README.md", "ssm-agent-worker.exe"} {
		f, _ := z.Create(name)
		_, _ = f.Write(program(version))
	}
	_ = z.Close()
	return b.Bytes()
}

// region is the bucket.
func (w *world) region() updater.Source {
	file := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	entry := manifests.File{Name: file}
	for _, v := range w.versions {
		sum := sha256.Sum256(archive(v))
		entry.AvailableVersions = append(
			entry.AvailableVersions,
			manifests.FileVersion{Version: v, Checksum: hex.EncodeToString(sum[:]), Status: w.status[v], UnpackedSize: w.unpacked},
		)
	}
	return updater.Source{
		Manifest: func(context.Context) (*manifests.Manifest, error) {
			return &manifests.Manifest{SchemaVersion: "1.0", UriFormat: "http://region/{PackageVersion}/{FileName}",
				Packages: []manifests.Package{{Name: manifests.AgentPackage, Files: []manifests.File{entry}}}}, nil
		},
		Stable: func(context.Context) (manifests.Version, error) { return ver(w.versions[0]), nil },
		URL:    func(v manifests.Version, file string) string { return "http://region/" + v.String() + "/" + file },
		Fetch: func(_ context.Context, want bucket.Want) error {
			data := archive(strings.Split(want.URL, "/")[3])
			if w.spoilt != nil {
				data = w.spoilt(data)
			}
			want.Progress(int64(len(data)), int64(len(data)))
			return os.WriteFile(want.Path, data, 0o600)
		},
	}
}

// run has a request worked off.
func (w *world) run(r ledger.Request) ledger.Outcome {
	w.t.Helper()
	o, err := w.engine().Run(context.Background(), r, func(string) {})
	if err != nil || o == nil {
		w.t.Fatalf("Run: %v, %v", o, err)
	}
	return *o
}

// command is a request that came over ec2messages.
func command(r ledger.Request) ledger.Request {
	r.Why = ledger.ByDocument
	r.ReplyTo = &ledger.ReplyTo{MessageID: "aws.ssm.c-1.mi-1", PluginKey: "awsupdateSsmAgent", PluginName: "aws:updateSsmAgent"}
	return r
}

// revive starts a launcher, and that an agent.
func (w *world) revive() (pid int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.boot()
	return 77, nil
}

// running is the version of the agent at work, after it had time to come up.
func (w *world) running() string {
	w.advance(10 * time.Second)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.agent == nil {
		return ""
	}
	return w.agent.version
}

// whole fails unless the machine is at rest with this version, or one of these.
func (w *world) whole(want ...string) {
	w.t.Helper()
	state, err := w.store().Read()
	must(w.t, err)
	led, err := ledger.Read(w.layout)
	must(w.t, err)
	got := w.running()
	switch {
	case state.Probation:
		w.t.Fatalf("still on probation: %+v", state)
	case led.Open != nil:
		w.t.Fatalf("update still open at %s", led.Open.Stop)
	case !slices.Contains(want, got):
		w.t.Fatalf("%q runs, want one of %q; pointer %+v", got, want, state)
	}
	active := state.Active.Version
	if state.Active.IsFloor() {
		active = w.floor
	}
	if active != got {
		w.t.Fatalf("%s runs, the pointer says %s", got, active)
	}
}

// final is the last reply of the one step.
func (w *world) final() wire.StepStatus {
	w.t.Helper()
	if len(w.sent) == 0 {
		w.t.Fatal("no reply")
	}
	return w.sent[len(w.sent)-1].RuntimeStatus["awsupdateSsmAgent"]
}

func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}
