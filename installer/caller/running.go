package caller

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Running is a local region that this account runs.
type Running struct {
	Region      string    `json:"region"`
	PID         int       `json:"pid"`
	Started     time.Time `json:"started"`  // when that process started; another one with its id did later
	Endpoint    string    `json:"endpoint"` // that commands use: plain, or over TLS where other machines reach the region, too
	TLSEndpoint string    `json:"tls_endpoint"`
	CA          string    `json:"ca"`          // file of the certificate that signs the region's
	Credentials string    `json:"credentials"` // shared credentials file of the region's administrator
}

// OverTLS tells whether the region is reached over TLS, and so only with its certificate.
func (r Running) OverTLS() bool { return strings.HasPrefix(r.Endpoint, "https://") }

// Faults of a local region's file.
var (
	ErrNotRunning = fault.New(fault.Region, "no such local region of this account runs",
		"start it in another terminal with ssm-setup local, or name its address with --endpoint")
	ErrStale = fault.New(fault.Region, "the local region's process has ended without removing its file",
		"start it again with ssm-setup local, or name another region's address with --endpoint")
	ErrForeignRegion = fault.New(fault.Permission, "other accounts have access to the local region's file",
		"run ssm-setup local as the account that uses it, or name its address with --endpoint")
)

func (c Caller) runningFile(region string) (string, error) {
	if c.Own == "" {
		return "", fault.New(fault.Other, "this account has no home folder", "set "+HomeVariable+" to a folder of its own")
	}
	if err := regions.Check(region); err != nil {
		return "", err
	}
	return filepath.Join(c.Own, "regions", region+".json"), nil
}

// Announce writes the file by which --region finds a region of this process. remove takes it away again, if it still is this process's.
// Where another process of this account runs a region of that name, the file stays that one's: Announce fails with [ErrTaken].
func (c Caller) Announce(r Running) (remove func(), err error) {
	path, err := c.runningFile(r.Region)
	if err != nil {
		return nil, err
	}
	if other, err := c.Running(r.Region); err == nil && other.PID != os.Getpid() {
		return nil, fmt.Errorf("%w: process %d, %s", ErrTaken, other.PID, other.Endpoint)
	}
	if regions.Insecure(r.Endpoint) {
		r.Endpoint = r.TLSEndpoint
	}
	r.PID = os.Getpid()
	r.Started, _ = host.ProcessStart(r.PID) // zero where the system does not say it
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := host.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return nil, err
	}
	return func() {
		if now, err := readRunning(path); err == nil && now.PID == r.PID {
			_ = host.RemoveFile(path)
		}
	}, nil
}

// ErrTaken says that another process of this account runs a region of that name.
var ErrTaken = fault.New(fault.Busy, "another local region of this name runs", "")

// Running is the local region of that name that this account runs. [ErrNotRunning] where there is no file, [ErrStale] where its process is
// gone, [ErrForeignRegion] where another account could have written the file.
func (c Caller) Running(region string) (Running, error) {
	path, err := c.runningFile(region)
	if err != nil {
		return Running{}, err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, fmt.Errorf("%w: %s", ErrNotRunning, region)
	}
	if err != nil {
		return Running{}, err
	}
	if err := c.sound(path); err != nil {
		return Running{}, fmt.Errorf("%w: %w", ErrForeignRegion, err)
	}
	if !info.Mode().IsRegular() || !private(info) {
		return Running{}, fmt.Errorf("%w: %s has mode %s", ErrForeignRegion, path, info.Mode())
	}
	r, err := readRunning(path)
	switch {
	case err != nil:
		return r, err
	case r.Region != region || r.Endpoint == "" || r.OverTLS() && !filepath.IsAbs(r.CA):
		return r, fmt.Errorf("%w: %s names no such region", ErrStale, path)
	case !host.Alive(r.PID):
		return r, fmt.Errorf("%w: process %d of %s", ErrStale, r.PID, path)
	}
	if started, err := host.ProcessStart(r.PID); err == nil && !r.Started.IsZero() && apart(started, r.Started) {
		return r, fmt.Errorf("%w: process %d of %s is another one by now", ErrStale, r.PID, path)
	}
	if r.OverTLS() {
		if err := c.sound(r.CA); err != nil {
			return r, fmt.Errorf("%w: its certificate: %w", ErrForeignRegion, err)
		}
	}
	return r, nil
}

// apart tells whether two times are not those of one start, which is known to about a second.
func apart(a, b time.Time) bool { return a.Sub(b).Abs() > 5*time.Second }

func readRunning(path string) (r Running, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
