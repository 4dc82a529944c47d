package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

var errDied = errors.New("Updater died before updating, make sure your system is supported") //nolint:staticcheck // the original's words

// update is the plugin (docs/protocol/update.md, "Plugin sequence"): the newest updater of the region, with every flag, and the lock.
func update(id *identity.Identity, message string, a asked) error {
	l := installer.At("")
	lock, err := host.TakePidLock(l.UpdateLock(), host.IsUpdater, time.Now)
	if err != nil {
		return errors.New("Another update in progress, try again later") //nolint:staticcheck // the original's words
	}
	step := filepath.Join(l.Data(), id.InstanceID, "document", "orchestration", wire.CommandID(message), "awsupdateSsmAgent",
		"awsupdateSsmAgent")
	if err := os.MkdirAll(step, 0o700); err != nil {
		return err
	}
	manifest, err := updateSource(l)
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(step, "stdout"), []byte("Successfully downloaded manifest\n"), 0o600),
			os.WriteFile(filepath.Join(step, "stderr"), nil, 0o600))
	}
	var program string
	if err == nil {
		program, err = newestUpdater(l, manifest)
	}
	if err != nil {
		return errors.Join(err, lock.Release())
	}
	started, _ := json.Marshal(map[string]any{"StandOut": "", "StartDateTime": time.Now()})
	if err := os.WriteFile(filepath.Join(l.UpdateRoot(), "updatepluginresult.json"), started, 0o600); err != nil {
		return errors.Join(err, lock.Release())
	}
	lane := "MessageDeliveryService"
	if strings.Contains(how, "mgs") {
		lane = "MessageGatewayService"
	}
	args := []string{"-update"}
	if a.value("allowDowngrade") != "true" {
		args = append(args, "-disable.downgrade")
	}
	target := a.value("version")
	if target == "" {
		target = "None"
	}
	args = append(args, "-source.version", version, "-target.version", target, "-package.name", "amazon-ssm-agent", "-messageid",
		message,
		"-stdout", "stdout", "-stderr", "stderr", "-output.key", "prefix/awsupdateSsmAgent", "-output.bucket", "", "-manifest.url",
		manifest,
		"-upstream.service.name", lane)
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.SysProcAttr = filepath.Dir(program), ownGroup()
	if err := cmd.Start(); err != nil {
		return errors.Join(err, lock.Release())
	}
	go func() { _ = cmd.Wait() }()
	time.Sleep(time.Second)
	if !host.Alive(cmd.Process.Pid) {
		return errors.Join(errDied, lock.Release())
	}
	return os.WriteFile(l.UpdateLock(), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600) // it is the updater's now
}

// updateSource is the manifest that the settings name.
func updateSource(l installer.Layout) (string, error) {
	var settings struct{ Agent struct{ UpdateSource string } }
	text, err := os.ReadFile(l.ConfigFile())
	if err == nil {
		err = json.Unmarshal(text, &settings)
	}
	return settings.Agent.UpdateSource, err
}

// newestUpdater fetches and unpacks the newest updater package.
func newestUpdater(l installer.Layout, manifest string) (string, error) {
	base := strings.TrimSuffix(manifest, "/ssm-agent-manifest.json")
	body, err := get(manifest)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(body)
	body.Close()
	if err != nil {
		return "", err
	}
	m, err := manifests.ParseManifest(text)
	if err != nil {
		return "", err
	}
	platform := "linux"
	if _, err := exec.LookPath("dpkg"); err == nil && !strings.Contains(release(), "amzn") {
		platform = "ubuntu"
	}
	file := manifests.ArchiveFile(manifests.UpdaterPackage, platform, runtime.GOARCH)
	listing, err := m.Listing(manifests.UpdaterPackage, file)
	if err != nil {
		return "", err
	}
	newest := listing.Latest().String()
	body, err = get(fmt.Sprintf("%s/%s/%s/%s", base, manifests.UpdaterPackage, newest, file))
	if err != nil {
		return "", err
	}
	defer body.Close()
	dir := filepath.Join(l.UpdateRoot(), manifests.UpdaterPackage, newest)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	z, err := gzip.NewReader(body)
	if err != nil {
		return "", err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(dir, "updater"), nil
		}
		if err != nil {
			return "", err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return "", err
		}
		if err := host.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), b, os.FileMode(h.Mode).Perm()); err != nil {
			return "", err
		}
	}
}

func release() string {
	text, _ := os.ReadFile("/etc/os-release")
	return string(text)
}

func get(url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, res.Status)
	}
	return res.Body, nil
}
