package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Faults of a signature.
var (
	errNoGPG     = errors.New("gpg is not installed. Please install gpg to validate the signature of binaries or pass -skip-signature-validation flag")
	errSignature = errors.New("the signature of the package is not good")
)

// publicKey is the name of the key packages are checked with; it lies beside this program or beside the settings.
const publicKey = "amazon-ssm-agent.gpg"

// key finds the public key; empty if there is none.
func (s *setupRun) key() string {
	for _, dir := range []string{s.own, s.layout.ConfigDir()} {
		if path := filepath.Join(dir, publicKey); exists(path) {
			return path
		}
	}
	return ""
}

// checkSignature has gpg check the detached signature a region serves beside a deb or rpm (spec update 3.5). Packages are
// signed by whoever publishes them, so there is no key in this program: without one beside it the checksum must do.
func (s *setupRun) checkSignature(client *bucket.Client, format, archive string, v manifests.Version) error {
	family := map[string]string{"deb": "debian", "rpm": "linux"}[format]
	if family == "" {
		return nil
	}
	key := s.key()
	if key == "" {
		s.log.warn("there is no %s beside this program, so the signature is not checked; the checksum is that of the manifest", publicKey)
		return nil
	}
	if _, err := exec.LookPath("gpg"); err != nil {
		return errNoGPG
	}
	sig, err := client.Small(s.ctx, v.String()+"/"+manifests.Folder(family, runtime.GOARCH)+"/amazon-ssm-agent."+format+".sig", 64<<10)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(archive), "signature-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := host.WriteFile(filepath.Join(work, "sig"), sig, 0o600); err != nil {
		return err
	}
	return s.gpg(work, key, archive)
}

// gpg imports the key into a keyring of its own and verifies work/sig.
func (s *setupRun) gpg(work, key, archive string) error {
	keyring := filepath.Join(work, "keyring")
	run := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "gpg", append([]string{"--homedir", work, "--batch", "--no-default-keyring", "--keyring", keyring}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return out.String(), err
	}
	if out, err := run("--import", key); err != nil {
		return fmt.Errorf("%w: gpg does not take the key %s: %w: %s", errSignature, key, err, out)
	}
	out, err := run("--verify", filepath.Join(work, "sig"), archive)
	if err != nil || !bytes.Contains([]byte(out), []byte("Good signature from ")) {
		return fmt.Errorf("%w: %s", errSignature, out)
	}
	s.log.info("signature of %s is good", filepath.Base(archive))
	return nil
}
