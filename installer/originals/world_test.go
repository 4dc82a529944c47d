package originals_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
)

const (
	amazon = "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1"
	other  = "https://mirror.example/amazon-ssm-eu-west-1"
	region = "eu-west-1"
	arch   = "amd64"
)

// world is a system with a package manager, a service manager and processes, and buckets it can reach. A stand-in package is a text:
// "amazon-ssm-agent VERSION" and words that say how it behaves.
type world struct {
	t    *testing.T
	root string
	home installer.Layout

	mu      sync.Mutex
	buckets map[string][]byte // by address
	asked   []string          // addresses that were asked for

	db      string // what dpkg says of the package; empty: it knows none
	text    string // of the installed package
	running bool
	pid     int // of the main program; the worker has the next
	looks   int
	id      string // of the registered node
	refuse  error  // of a registration
	vaults  bool   // the registration is what lies in the vault, and the original gives it up before it asks for another one

	commands []string      // that changed something
	under    []command     // that the agent works on
	halfway  chan struct{} // dpkg ends here with half a package in place
	steps    []string      // told to people
	masked   bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	must(t, host.MakeForPrograms(root))
	return &world{t: t, root: root, home: installer.At(root), buckets: map[string][]byte{}, pid: 100}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// agent is what a new process would have.
func (w *world) agent() *originals.Agent {
	l := installer.At(w.root)
	i := setup.Installation{Layout: l, Ports: setup.Ports{Registered: w.registered, Configure: config.Set,
		Step:     func(format string, args ...any) { w.steps = append(w.steps, fmt.Sprintf(format, args...)) },
		Progress: func(string) func(int64, int64) { return func(int64, int64) {} }}}
	return &originals.Agent{Installation: i, System: originals.System{Packing: "deb", OursFile: "amazon-ssm-agent-debian-amd64.deb",
		Arch:  arch,
		Facts: systems.Facts{OS: "linux", Kernel: "6.1.0", ID: "debian"}, Managed: true, Service: w, Run: w.run, Register: w.register,
		Pids:  w.pids,
		Pause: w.pass}}
}

func (w *world) registered(installer.Layout) (string, string, error) {
	if w.vaults {
		b, _ := os.ReadFile(w.key())
		if w.id = string(b); w.id != "" && !exists(w.home.Registration()) {
			return "", "", errors.New("half a registration")
		}
	}
	if w.id == "" {
		return "", "", nil
	}
	return w.id, region, nil
}

// source is a bucket, read through the world's own network.
func (w *world) source(base string) originals.Source {
	return originals.Source{Region: region, Base: base, Name: base, HTTP: &http.Client{Transport: w}}
}

// RoundTrip answers from the buckets.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	address := r.URL.String()
	w.asked = append(w.asked, address)
	answer := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r}
	b, ok := w.buckets[address]
	if !ok {
		answer.StatusCode = http.StatusNotFound
	}
	answer.ContentLength, answer.Body = int64(len(b)), io.NopCloser(bytes.NewReader(b))
	return answer, nil
}

// offer puts versions of the original into a bucket: manifest, archives, and the loose packages, signed by a key if there is one.
func (w *world) offer(base string, key *openpgp.Entity, at time.Time, versions ...string) {
	w.t.Helper()
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	if old, ok := w.buckets[base+"/ssm-agent-manifest.json"]; ok {
		var err error
		m, err = manifests.ParseManifest(old)
		must(w.t, err)
	}
	newest := ""
	for _, v := range versions {
		version, behaviour, _ := strings.Cut(v, " ")
		text := []byte("amazon-ssm-agent " + version + "-1 " + behaviour)
		archive := archived(w.t, map[string]string{"amazon-ssm-agent.deb": string(text), "install.sh": "#!/bin/sh\n",
			"uninstall.sh": "#!/bin/sh\n"})
		file := "amazon-ssm-agent-ubuntu-" + arch + ".tar.gz"
		sum := sha256.Sum256(archive)
		m.Add("amazon-ssm-agent", file, manifests.FileVersion{Version: version, Checksum: hex.EncodeToString(sum[:])})
		w.buckets[base+"/amazon-ssm-agent/"+version+"/"+file] = archive
		loose := base + "/" + version + "/debian_" + arch + "/amazon-ssm-agent.deb"
		w.buckets[loose] = text
		if key != nil {
			var sig bytes.Buffer
			must(w.t, openpgp.DetachSign(&sig, key, bytes.NewReader(text), &packet.Config{Time: func() time.Time { return at }}))
			w.buckets[loose+".sig"] = sig.Bytes()
		}
		newest = version
	}
	w.buckets[base+"/ssm-agent-manifest.json"] = m.Bytes()
	w.buckets[base+"/latest/VERSION"] = []byte(newest + "\n")
	w.buckets[base+"/stable/VERSION"] = []byte(strings.Fields(versions[0])[0] + "\n")
}

// ours lists a package of this project's agent in a bucket.
func (w *world) ours(base, version string) {
	w.t.Helper()
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	if old, ok := w.buckets[base+"/ssm-agent-manifest.json"]; ok {
		var err error
		m, err = manifests.ParseManifest(old)
		must(w.t, err)
	}
	text := []byte("amazon-ssm-agent " + version + "-1 ours")
	sum := sha256.Sum256(text)
	for _, file := range []string{"amazon-ssm-agent-debian-amd64.deb", "amazon-ssm-agent-ubuntu-amd64.tar.gz"} {
		m.Add("amazon-ssm-agent", file, manifests.FileVersion{Version: version, Checksum: hex.EncodeToString(sum[:])})
		w.buckets[base+"/amazon-ssm-agent/"+version+"/"+file] = text
	}
	w.buckets[base+"/ssm-agent-manifest.json"] = m.Bytes()
}

// archived is a tar.gz.
func archived(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for name, text := range files {
		must(t, a.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}))
		_, err := a.Write([]byte(text))
		must(t, err)
	}
	must(t, errors.Join(a.Close(), z.Close()))
	return b.Bytes()
}

// key is an OpenPGP key of this name, made at a time, that lives so many seconds; 0: for ever.
func key(t *testing.T, name string, made time.Time, life uint32) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity(name, "", "", &packet.Config{Time: func() time.Time { return made }, KeyLifetimeSecs: life, RSABits: 2048})
	must(t, err)
	return e
}

// trusting trusts keys.
func trusting(t *testing.T, keys ...*openpgp.Entity) originals.Trust {
	t.Helper()
	var trusted sign.Trusted
	for _, k := range keys {
		var b bytes.Buffer
		must(t, k.Serialize(&b))
		must(t, trusted.ReadKeys(b.Bytes()))
	}
	return originals.Trust{Keys: trusted}
}

// The service manager.

func (w *world) Status() (service.Status, error) {
	s := service.Status{Kind: "linux-systemd", Installed: w.db != "", Running: w.running, Boot: service.Enabled}
	if w.masked {
		s.Boot = service.Masked
	}
	return s, nil
}

func (w *world) Start(context.Context) error {
	if w.text == "" {
		return service.ErrNoManager
	}
	if !w.running {
		w.up()
	}
	return nil
}

func (w *world) Stop(context.Context) error { w.running = false; return nil }

func (w *world) Restart(ctx context.Context) error {
	w.running = false
	return w.Start(ctx)
}

// up starts the installed package's programs, which behave as its text says.
func (w *world) up() {
	w.running = !strings.Contains(w.text, "exits")
	w.pid += 10
	w.looks = 0
	if strings.Contains(w.text, "complains") {
		w.log("2026-01-02 03:04:05.0000 ERROR [CredentialRefresher] Failed to load credentials\n")
	}
	if strings.Contains(w.text, "grumbles") {
		w.log("2026-01-02 03:04:05.0000 ERROR [MessageService] something else\n")
	}
}

func (w *world) log(line string) {
	must(w.t, os.MkdirAll(w.home.Logs(), 0o755))
	f, err := os.OpenFile(filepath.Join(w.home.Logs(), "amazon-ssm-agent.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	must(w.t, err)
	_, err = f.WriteString(line)
	must(w.t, errors.Join(err, f.Close()))
}

func (w *world) pids(program string) []int {
	if !w.running {
		return nil
	}
	if program == w.home.Launcher() {
		return []int{w.pid}
	}
	w.looks++
	if strings.Contains(w.text, "restarts") && w.looks > 20 {
		w.looks = 0
		w.pid += 10
	}
	if strings.Contains(w.text, "workerless") {
		return nil
	}
	return []int{w.pid + 1}
}

func (w *world) key() string { return filepath.Join(w.home.Vault(), "Store", "RegistrationKey") }

// vault has the machine registered as a node, in files.
func (w *world) vault(id string) {
	w.vaults = true
	must(w.t, os.MkdirAll(filepath.Dir(w.key()), 0o700))
	must(w.t, os.WriteFile(w.key(), []byte(id), 0o600))
	must(w.t, os.WriteFile(w.home.Registration(), []byte(`{"ManagedInstanceID":"`+id+`"}`), 0o600))
}

// register is the original's -register.
func (w *world) register(_ context.Context, command ...string) (string, error) {
	if w.running {
		w.t.Error("it is registered while its service runs")
	}
	w.commands = append(w.commands, "register")
	if w.vaults {
		must(w.t, errors.Join(os.RemoveAll(w.home.Vault()), os.RemoveAll(w.home.Registration())))
	}
	if w.refuse != nil {
		return "Registration failed due to error registering the instance with AWS SSM. InvalidActivation: " + strings.Join(command,
			" ") + "\n", w.refuse
	}
	w.id = "mi-0123456789abcdef0"
	if w.vaults {
		w.vault(w.id)
	}
	return "Successfully registered", nil
}

// run is dpkg and systemctl.
func (w *world) run(ctx context.Context, c ...string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	file := c[len(c)-1]
	switch strings.Join(c[:2], " ") {
	case "dpkg-query -W":
		if w.db == "" {
			return "no packages found", errors.New("exit status 1")
		}
		return w.db + "\n", nil
	case "dpkg-deb --show":
		b, err := os.ReadFile(file)
		return "a warning\n" + string(b), err
	case "dpkg --dry-run":
		b, err := os.ReadFile(file)
		if strings.Contains(string(b), "unmet") {
			return "", setup.ErrPackager
		}
		return "", err
	case "dpkg --force-confdef":
		return "", w.dpkg(file)
	case "dpkg --force-remove-reinstreq":
		w.commands = append(w.commands, "remove")
		w.running, w.text = false, ""
		w.db = "deinstall ok config-files 3.3.1.0-1"
		os.Remove(w.home.Launcher())
		os.Remove(w.home.Worker())
		return "", nil
	}
	return "", fmt.Errorf("the test knows no %v", c)
}

func (w *world) dpkg(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	version := strings.Fields(string(b))[1]
	w.commands = append(w.commands, "install "+version)
	w.running = false
	if w.halfway != nil {
		w.db = "install reinstreq half-installed " + version
		close(w.halfway)
		select {}
	}
	if strings.Contains(string(b), "unpackable") {
		w.db = "install reinstreq half-installed " + version
		return setup.ErrPackager
	}
	must(w.t, os.MkdirAll(w.home.BinDir(), 0o755))
	content := b
	if strings.Contains(string(b), "ours") {
		content = []byte("x ssm-setup-version=" + strings.TrimSuffix(version, "-1") + "\x00 y")
	}
	for _, p := range []string{w.home.Launcher(), w.home.Worker()} {
		must(w.t, os.WriteFile(p, content, 0o755))
	}
	w.db, w.text = "install ok installed "+version, string(b)
	w.up()
	return nil
}

// has tells the version that is installed and whole; empty: none.
func (w *world) has() string {
	v, ok := strings.CutPrefix(w.db, "install ok installed ")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(v, "-1")
}

// kept are the names in the room's folder, and what they are for.
func (w *world) kept() (names []string) {
	entries, _ := os.ReadDir(filepath.Join(w.home.Own(installer.OwnOriginal), "packages"))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (w *world) told(text string) bool { return strings.Contains(strings.Join(w.steps, "\n"), text) }

var activation = setup.Activation{ID: strings.Repeat("i", 36), Code: "the-secret-code-of-this"}

// replace puts another archive in a version's place, listed with its checksum.
func (w *world) replace(base, version string, files map[string]string) {
	w.t.Helper()
	m, err := manifests.ParseManifest(w.buckets[base+"/ssm-agent-manifest.json"])
	must(w.t, err)
	const file = "amazon-ssm-agent-ubuntu-amd64.tar.gz"
	archive := archived(w.t, files)
	sum := sha256.Sum256(archive)
	m.Add("amazon-ssm-agent", file, manifests.FileVersion{Version: version, Checksum: hex.EncodeToString(sum[:])})
	w.buckets[base+"/amazon-ssm-agent/"+version+"/"+file] = archive
	w.buckets[base+"/ssm-agent-manifest.json"] = m.Bytes()
}

func sigOf(w *world, key *openpgp.Entity, text string) []byte {
	var sig bytes.Buffer
	must(w.t, openpgp.DetachSign(&sig, key, strings.NewReader(text), nil))
	return sig.Bytes()
}

// install installs a version from Amazon's bucket and registers it.
func (w *world) install(t *testing.T, version string) {
	t.Helper()
	_, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon), Version: version, Activation: activation})
	must(t, err)
}

// put makes a file of the system.
func (w *world) put(path string) {
	path = filepath.Join(w.root, path)
	must(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(w.t, os.WriteFile(path, []byte("x"), 0o755))
}

// lock has another updater at work: a process of that name, which lives as long as the test.
func (w *world) lock() {
	own, err := os.Executable()
	must(w.t, err)
	program, err := os.ReadFile(own)
	must(w.t, err)
	updater := filepath.Join(w.t.TempDir(), "updater")
	if filepath.Ext(own) == ".exe" {
		updater += ".exe"
	}
	must(w.t, os.WriteFile(updater, program, 0o755))
	cmd := exec.Command(updater)
	cmd.Env = append(os.Environ(), "STAND_IN_UPDATER=1")
	stdin, err := cmd.StdinPipe()
	must(w.t, errors.Join(err, cmd.Start()))
	w.t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	must(w.t, os.MkdirAll(w.home.Data(), 0o755))
	must(w.t, os.WriteFile(w.home.UpdateLock(), fmt.Appendf(nil, "%d\n", cmd.Process.Pid), 0o600))
}

func TestMain(m *testing.M) {
	if os.Getenv("STAND_IN_UPDATER") != "" {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
		return
	}
	os.Exit(m.Run())
}

func (w *world) deactivate(version string) {
	m, err := manifests.ParseManifest(w.buckets[amazon+"/ssm-agent-manifest.json"])
	must(w.t, err)
	m.SetStatus("amazon-ssm-agent", manifests.MustVersion(version), manifests.Inactive)
	w.buckets[amazon+"/ssm-agent-manifest.json"] = m.Bytes()
}

// removeVersion takes a version out of Amazon's manifest.
func (w *world) removeVersion(version string) {
	m, err := manifests.ParseManifest(w.buckets[amazon+"/ssm-agent-manifest.json"])
	must(w.t, err)
	for i := range m.Packages {
		for j := range m.Packages[i].Files {
			f := &m.Packages[i].Files[j]
			f.AvailableVersions = slices.DeleteFunc(f.AvailableVersions, func(v manifests.FileVersion) bool { return v.Version == version })
		}
	}
	w.buckets[amazon+"/ssm-agent-manifest.json"] = m.Bytes()
}
