//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"runtime"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/test/model/disk"
	"github.com/ssm-setup/ssm-setup/updater"
)

// engine is an updater of the machine.
func (m *machine) engine(p *proc) *updater.Engine {
	return &updater.Engine{
		Layout: m.layout, Log: m.logger(),
		Settings: updater.Settings{Source: "http://region/amazon-ssm-x-1/ssm-agent-manifest.json", Region: "x-1", Watch: 30 * time.Second,
			Agent: wire.AgentInfo{Name: "amazon-ssm-agent", Version: "9.1.0.0"}},
		Open: func(context.Context, string) (updater.Source, error) { return m.region(), nil },
		Reporter: updater.Reporter{
			Reply: func(_ context.Context, _, _, payload string) error {
				m.before("reply", "")
				var r wire.Reply
				if err := json.Unmarshal([]byte(payload), &r); err != nil {
					return err
				}
				if r.DocumentStatus != "InProgress" {
					m.history.final = append(m.history.final, r.DocumentStatus)
				}
				return nil
			},
			Delete: func(context.Context, string) error { return nil },
			Health: func(context.Context, string, string) error { return nil },
		},
		Probe:    func(context.Context) error { return nil },
		Identity: func() (string, error) { return "mi-1", nil },
		System: &updater.System{
			Launcher: func() (int, bool) {
				if m.launcher == nil || m.launcher.proc.Dead {
					return 0, false
				}
				return m.launcher.proc.ID, true
			},
			Agent: func() (int, bool) {
				if m.agent == nil {
					return 0, false
				}
				return m.agent.proc.ID, true
			},
			StopAgent: func(_ context.Context, pid int) error {
				m.before("stop the agent", "")
				if m.agent != nil && m.agent.proc.ID == pid {
					m.agent.how = "signal 15"
					m.kill(m.agent.proc)
				}
				return nil
			},
			Program: disk.Program,
			Floor:   func() (manifests.Version, error) { return manifests.ParseVersion(versionIn(m.layout.Launcher())) },
			Free:    func(string) (uint64, error) { return 1 << 40, nil },
			Try: func(_ context.Context, file string, args ...string) (string, error) {
				if v := versionIn(file); v != "" {
					return "SSM Agent version: " + v, nil
				}
				return "", fs.ErrInvalid
			},
			Boot: m.boots,
		},
		Now:   func() time.Time { return m.now },
		Pause: func(ctx context.Context, d time.Duration) error { p.wait(d); return ctx.Err() },
	}
}

// archive is the portable archive of a version.
func archive(version string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	content := program(version)
	_ = t.WriteHeader(&tar.Header{Name: "ssm-agent-worker", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	_, _ = t.Write(content)
	_ = t.Close()
	_ = z.Close()
	return b.Bytes()
}

// region is what the bucket has.
func (m *machine) region() updater.Source {
	file := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	entry := manifests.File{Name: file}
	for _, v := range m.scenario.versions {
		sum := sha256.Sum256(archive(v))
		entry.AvailableVersions = append(entry.AvailableVersions, manifests.FileVersion{Version: v, Checksum: hex.EncodeToString(sum[:])})
	}
	return updater.Source{
		Manifest: func(context.Context) (*manifests.Manifest, error) {
			return &manifests.Manifest{SchemaVersion: "1.0", UriFormat: "http://region/{PackageVersion}/{FileName}",
				Packages: []manifests.Package{{Name: manifests.AgentPackage, Files: []manifests.File{entry}}}}, nil
		},
		Stable: func(context.Context) (manifests.Version, error) {
			return manifests.ParseVersion(m.scenario.versions[0])
		},
		URL: func(v manifests.Version, file string) string { return "http://region/" + v.String() + "/" + file },
		Fetch: func(_ context.Context, want bucket.Want) error {
			data := archive(strings.Split(want.URL, "/")[3])
			want.Progress(int64(len(data)), int64(len(data)))
			return disk.WriteFile(want.Path, data, 0o600)
		},
	}
}
