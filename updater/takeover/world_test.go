package takeover_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/takeover"
)

const (
	node      = "mi-0123456789abcdef0"
	commandID = "11111111-2222-3333-4444-555555555555"
	messageID = "aws.ssm." + commandID + "." + node
	original  = "3.3.9999.0"
	ours      = "9.1.0.0"
	amazons   = "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json"
	source    = "https://example.com/amazon-ssm-local/ssm-agent-manifest.json"
)

// world is a machine without a machine: what runs on it is in these members.
type world struct {
	*testing.T
	layout installer.Layout
	system takeover.System

	installed string
	manifest  *manifests.Manifest
	amazons   *manifests.Manifest // of Amazon's own bucket
	archives  map[string][]byte   // by address
	script    func(w *world, dir string, limit time.Duration, command []string) (string, int, bool)
	sick      map[string]bool // versions whose worker does not run
	deaf      error           // of the service

	ran      []string
	pauses   []time.Duration
	told     []string // replies, by their status
	payloads []string
	ids      []string // of replies
	deleted  []string
	health   []string
	forgot   int
	arrived  int
	rates    []int64 // of downloads
	offline  int     // replies that fail before one succeeds
}

func newWorld(t *testing.T, packing string) *world {
	t.Helper()
	w := &world{T: t, layout: installer.At(t.TempDir()), installed: original, archives: map[string][]byte{}, sick: map[string]bool{},
		manifest: manifests.NewManifest(manifests.DefaultUriFormat)}
	name, goos, manager := map[string]string{"deb": "Debian GNU/Linux", "rpm": "Amazon Linux", "snap": "Ubuntu", "tar": "macOS",
		"windows": "Microsoft Windows Server 2025"}[packing], "linux", "systemd"
	switch packing {
	case "tar":
		goos, manager = "darwin", "launchd"
	case "windows":
		goos, manager = "windows", "windows"
	}
	w.system = takeover.System{OS: goos, Arch: "amd64", Name: name, DPKG: packing == "deb", Snap: packing == "snap", Manager: manager,
		Facts: systems.Facts{OS: goos}, Root: w.layout.Root, Run: w.run, Commands: w.commands, Program: func() (string,
			error) {
			return filepath.Join(w.layout.Root, "program"), nil
		},
		Pause:  func(ctx context.Context, d time.Duration) error { w.pauses = append(w.pauses, d); return ctx.Err() },
		Random: func(int) int { return 0 }}
	w.put(os.MkdirAll(w.layout.UpdateRoot(), 0o700))
	w.put(os.WriteFile(filepath.Join(w.layout.Root, "program"), []byte("updater"), 0o700))
	for _, v := range []string{"3.3.1.0", original, ours, "9.2.0.0"} {
		w.list(v, "")
	}
	return w
}

func (w *world) put(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// file is the name of this machine's archive.
func (w *world) file() string {
	platform := "linux"
	switch {
	case w.system.OS == "darwin", w.system.OS == "windows":
		platform = w.system.OS
	case w.system.DPKG || w.system.Snap:
		platform = "ubuntu"
	}
	return manifests.ArchiveFile("amazon-ssm-agent", platform, "amd64")
}

// list has the region list a version.
func (w *world) list(version, status string) {
	w.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for _, name := range []string{"amazon-ssm-agent.deb", "amazon-ssm-agent.rpm", "install.sh", "uninstall.sh", "snap-install.sh",
		"install.ps1",
		"uninstall.ps1"} {
		w.put(a.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(version))}))
		_, err := a.Write([]byte(version))
		w.put(err)
	}
	w.put(errors.Join(a.Close(), z.Close()))
	sum := sha256.Sum256(b.Bytes())
	w.manifest.Add("amazon-ssm-agent", w.file(), manifests.FileVersion{Version: version, Checksum: hex.EncodeToString(sum[:]),
		Status: status})
	w.archives[version] = b.Bytes()
}

// run is every program of the system.
func (w *world) run(_ context.Context, dir string, limit time.Duration, command ...string) (string, int, error) {
	line := strings.Join(command, " ")
	w.ran = append(w.ran, strings.ReplaceAll(line, w.layout.Root, ""))
	if w.script != nil {
		if out, code, ok := w.script(w, dir, limit, command); ok {
			return out, code, nil
		}
	}
	switch {
	case strings.HasPrefix(line, "dpkg-query"):
		return "install ok installed " + w.installed + "-1\n", 0, nil
	case strings.HasPrefix(line, "rpm -q"), strings.HasPrefix(line, "snap list"), strings.HasSuffix(line, "--version"),
		strings.HasPrefix(line, "reg query"):
		return w.installed + "\n", 0, nil
	case strings.Contains(line, "--dry-run"), strings.Contains(line, "--test"):
	case strings.Contains(line, " -i "), strings.Contains(line, "rpm -U"), strings.Contains(line, "install.") &&
		!strings.Contains(line, "uninstall."):
		if strings.Contains(line, "install.") && dir == "" {
			break
		}
		w.installed = filepath.Base(dir)
		if strings.HasPrefix(w.installed, "9.") {
			w.pulse()
		}
	case strings.HasPrefix(line, "systemctl status"):
		return "   Active: active (running) since today\n", 0, nil
	case strings.HasPrefix(line, "sc query"):
		return "STATE : 4 RUNNING\n", 0, nil
	}
	return "", 0, nil
}

// pulse is our agent's sign of life.
func (w *world) pulse() {
	w.Helper()
	w.put(installer.WritePulse(w.layout.Pulse(), installer.Pulse{Version: w.installed, Started: time.Now().Add(time.Minute),
		LastRoundTrip: time.Now()}))
}

func (w *world) commands() [][]string {
	list := [][]string{{w.layout.Launcher()}}
	if !w.sick[w.installed] {
		list = append(list, []string{w.layout.Worker()})
	}
	return list
}

func (w *world) engine() *takeover.Engine {
	return &takeover.Engine{Layout: w.layout, System: w.system, Region: "local",
		Agent: wire.AgentInfo{Lang: "en-US", Name: "amazon-ssm-agent", OSVersion: "1", Version: ours},
		Open: func(_ context.Context, url string) (takeover.Source, error) {
			return takeover.Source{Manifest: func(context.Context) (*manifests.Manifest, error) {
				if url == amazons {
					return w.amazons, nil
				}
				return w.manifest, nil
			},
				Stable: func(context.Context) (manifests.Version, error) { return manifests.MustVersion(ours), nil },
				URL:    func(v manifests.Version, _ string) string { return v.String() },
				Fetch: func(_ context.Context, want bucket.Want) error {
					w.rates = append(w.rates, want.Rate)
					return os.WriteFile(want.Path, w.archives[want.URL], 0o600)
				}}, nil
		},
		Reporter: takeover.Reporter{
			Reply: func(_ context.Context, id, replyID, payload string) error {
				var r wire.Reply
				w.put(json.Unmarshal([]byte(payload), &r))
				if w.offline > 0 && r.DocumentStatus != "InProgress" {
					w.offline--
					return errors.New("no network")
				}
				w.told, w.payloads, w.ids = append(w.told, id+" "+r.DocumentStatus), append(w.payloads, payload), append(w.ids, replyID)
				return w.deaf
			},
			Delete: func(_ context.Context, id string) error { w.deleted = append(w.deleted, id); return w.deaf },
			Health: func(_ context.Context, status, version string) error {
				w.health = append(w.health, status+" "+version)
				return w.deaf
			},
		},
		Identity: func() (string, error) { return node, nil },
		Probe:    func(context.Context) error { return w.deaf },
		Arrived:  func(context.Context) error { w.arrived++; return nil },
		Forget:   func() error { w.forgot++; return os.RemoveAll(w.layout.Pulse()) }}
}

// order is the vector of an original's plugin, read.
func (w *world) order(target string, more ...string) takeover.Order {
	w.Helper()
	o, err := takeover.ParseOrder(append(vector(target), more...))
	w.put(err)
	o.Source = w.installed
	return o
}

// vector are the arguments that the plugin passes (docs/protocol/update.md, "Updater command line").
func vector(target string) []string {
	return []string{"-update", "-source.version", original, "-target.version", target, "-package.name", "amazon-ssm-agent",
		"-messageid", messageID, "-stdout", "stdout", "-stderr", "stderr", "-output.key", "key/awsupdateSsmAgent", "-output.bucket", "",
		"-manifest.url", source, "-upstream.service.name", "MessageDeliveryService"}
}

// step makes the folder of a step of schema 2.x, with what the plugin has printed.
func (w *world) step(name string) string {
	w.Helper()
	dir := filepath.Join(w.layout.Data(), node, "document", "orchestration", commandID, "awsupdateSsmAgent", name)
	w.put(os.MkdirAll(dir, 0o700))
	w.put(os.WriteFile(filepath.Join(dir, "stdout"), []byte("Successfully downloaded manifest\n"), 0o600))
	w.put(os.WriteFile(filepath.Join(dir, "stderr"), nil, 0o600))
	return dir
}

func (w *world) lastReply() (r wire.Reply) {
	w.Helper()
	if len(w.payloads) == 0 {
		w.Fatal("no reply")
	}
	w.put(json.Unmarshal([]byte(w.payloads[len(w.payloads)-1]), &r))
	return r
}

// output is the text of the last reply's one step.
func (w *world) output() string {
	w.Helper()
	for _, s := range w.lastReply().RuntimeStatus {
		return s.Output
	}
	return ""
}

// clean fails where something of the exchange is left.
func (w *world) clean() {
	w.Helper()
	for _, path := range []string{w.layout.Own(installer.OwnTakeover), filepath.Join(w.layout.Root,
		"etc/systemd/system/ssm-setup-takeover.service"),
		w.layout.UpdateLock(), filepath.Join(w.layout.Download(), "update")} {
		if _, err := os.Lstat(path); err == nil {
			w.Errorf("%s is left", path)
		}
	}
}

func (w *world) said(line string) bool {
	for _, r := range w.ran {
		if strings.Contains(r, line) {
			return true
		}
	}
	return false
}
