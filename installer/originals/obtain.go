package originals

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Source is where packages come from.
type Source struct {
	Region string
	Base   string // address of the bucket: https, http, or file for a folder
	Name   string // as people wrote it, remembered for later updates; empty: Amazon's own bucket

	HTTP *http.Client // nil: the network, or the folder

	Signed bucket.Signed // how this host verifies; nil: it has no root
}

// Client reads the source. What is not Amazon's own bucket has to be signed, where this host has a root.
func (s Source) Client() *bucket.Client {
	o := bucket.Options{Base: s.Base, HTTP: s.HTTP, Retries: 2, Signed: s.Signed}
	if fromAmazon(s.Base, s.Region) { // it signs no list: the rule of [Trust] counts, and packages of ours are not there
		o.Signed = nil
	}
	return bucket.New(o)
}

// Package is a package that this room keeps.
type Package struct {
	Agent     Kind              `json:"agent"`
	Version   manifests.Version `json:"version"`
	Packing   string            `json:"packing"` // deb, rpm, exe, pkg
	File      string            `json:"file"`    // below packages
	SHA256    string            `json:"sha256"`
	Source    string            `json:"source"`    // address of the bucket
	Signature string            `json:"signature"` // what is known of who made it
}

// ErrChanged says that a kept package is not what was kept.
var ErrChanged = fault.New(fault.Verify, "a package that was kept has been changed or is damaged",
	"remove it, and run the same command again: it is fetched anew")

// ErrContent says that an archive does not hold what its place in the manifest says.
var ErrContent = fault.New(fault.Verify, "the package is not the one that the region lists", "do not use this source until it is mended")

// archiveLimits are for archives of Amazon's agent, which hold a package of some 60 MB and on Ubuntu a snap beside it, in bytes.
func archiveLimits() unpack.Limits { return unpack.Limits{Files: 100, File: 512 << 20, Total: 1 << 30} }

// roomFactor is how many times the size of an archive a change needs on the disk: the archive, the package in it, and what it installs.
const roomFactor = 5

// obtain fetches a version, checks it and keeps it.
func (a *Agent) obtain(ctx context.Context, s Source, o Offer, t Trust) (Package, error) {
	p, err := a.packing()
	if err != nil {
		return Package{}, err
	}
	client := s.Client()
	dir := filepath.Join(a.Layout.Own(installer.OwnOriginal), downloadName)
	if free, err := host.FreeBytes(dir); err == nil && o.Size > 0 && free < uint64(roomFactor*o.Size) {
		return Package{}, fmt.Errorf("%w: %.1f MB are free in %s, about %.1f MB are needed", setup.ErrNoSpace, float64(free)/1e6, dir,
			float64(roomFactor*o.Size)/1e6)
	}
	archive := filepath.Join(dir, o.SHA256.String()+"-"+o.File)
	err = client.Fetch(ctx, bucket.Want{URL: client.FileURL(manifests.AgentPackage, o.Version, o.File), Path: archive, SHA256: o.SHA256,
		Size: o.Size, Progress: a.Ports.Progress("downloading " + o.File)})
	if errors.Is(err, bucket.ErrMissing) {
		return a.obtainLoose(ctx, client, s, o.Version, t, p)
	}
	if err != nil {
		return Package{}, err
	}
	a.Ports.Step("downloaded %s %s, checksum as in the manifest", o.File, o.Version)
	file, err := payloadOf(archive, dir, p)
	if err != nil {
		return Package{}, err
	}
	defer os.RemoveAll(filepath.Dir(file))
	var sig []byte
	if p.signed {
		if sig, err = signature(ctx, client, p.looseKey(o.Version, a.System.Arch)); err != nil {
			return Package{}, err
		}
	}
	kept, err := a.keep(ctx, file, p, o.Version, s, t, proof{listed: true, amazon: fromAmazon(s.Base, s.Region)}, sig)
	if err == nil {
		os.Remove(archive)
	}
	return kept, err
}

// obtainLoose takes the package that lies alone where the source has no archive of a version, as a mirror may have been made. Nothing lists
// its SHA-256, so its signature is all that counts.
func (a *Agent) obtainLoose(ctx context.Context, client *bucket.Client, s Source, v manifests.Version, t Trust, p packing) (Package,
	error) {
	key := p.looseKey(v, a.System.Arch)
	dir, err := os.MkdirTemp(filepath.Join(a.Layout.Own(installer.OwnOriginal), downloadName), "loose-")
	if err != nil {
		return Package{}, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, p.loose)
	if err := client.FetchUnlisted(ctx, key, file, a.Ports.Progress("downloading "+p.loose)); err != nil {
		return Package{}, err
	}
	sig, err := signature(ctx, client, key)
	if err != nil {
		return Package{}, err
	}
	a.Ports.Step("downloaded %s %s, which no manifest lists the checksum of", p.loose, v)
	return a.keep(ctx, file, p, v, s, t, proof{}, sig)
}

// payloadOf unpacks the system's package of an archive into a folder of its own.
func payloadOf(archive, dir string, p packing) (string, error) {
	work, err := os.MkdirTemp(dir, "unpacked-")
	if err != nil {
		return "", err
	}
	names, err := unpack.File(archive, work, archiveLimits(), func(name string) bool { return name == p.payload })
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%w: there is no %s in %s", ErrContent, p.payload, filepath.Base(archive))
	}
	if err != nil {
		os.RemoveAll(work)
		return "", err
	}
	return filepath.Join(work, p.payload), nil
}

// keep judges a package's file and gives it its place among the kept ones.
func (a *Agent) keep(ctx context.Context, file string, p packing, v manifests.Version, s Source, t Trust, known proof, sig []byte) (Package,
	error) {
	text, err := t.judge(file, p, known, sig)
	if err != nil {
		return Package{}, fmt.Errorf("%s %s: %w", filepath.Base(file), v, err)
	}
	if err := a.stated(ctx, p, file, v); err != nil {
		return Package{}, err
	}
	sum, err := host.SHA256File(file)
	if err != nil {
		return Package{}, err
	}
	kept := Package{Agent: Original, Version: v, Packing: p.name, File: sum + "-" + filepath.Base(file), SHA256: sum, Source: s.Base,
		Signature: text}
	if err := os.Chmod(file, 0o600); err != nil {
		return Package{}, err
	}
	if err := os.Rename(file, a.pathOf(kept)); err != nil {
		return Package{}, err
	}
	a.Ports.Step("%s", text)
	return kept, host.SyncDir(filepath.Dir(a.pathOf(kept)))
}

// stated fails where a package says that it is another one.
func (a *Agent) stated(ctx context.Context, p packing, file string, v manifests.Version) error {
	if p.look == nil {
		return nil
	}
	out, err := a.System.Run(ctx, filled(p.look, file)...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrContent, err)
	}
	said := strings.TrimSpace(out)
	said = said[strings.LastIndexByte(said, '\n')+1:] // warnings stand before it
	name, rest, _ := strings.Cut(said, " ")
	if has, ok := versionIn(rest); name != manifests.AgentPackage || !ok || has != v {
		return fmt.Errorf("%w: it says it is %s, not %s %s", ErrContent, printable(said), manifests.AgentPackage, v)
	}
	return nil
}

// pathOf is where a kept package lies.
func (a *Agent) pathOf(p Package) string {
	return filepath.Join(a.Layout.Own(installer.OwnOriginal), packagesName, filepath.Base(p.File))
}

// atHand tells whether a kept package is there and whole.
func (a *Agent) atHand(p Package) error {
	sum, err := host.SHA256File(a.pathOf(p))
	if err != nil {
		return err
	}
	if sum != p.SHA256 {
		return fmt.Errorf("%w: %s", ErrChanged, a.pathOf(p))
	}
	return nil
}
