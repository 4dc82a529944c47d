package setupcli

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Faults of a signature.
var (
	errNoGPG     = errors.New("gpg is not installed. Please install gpg to validate the signature of binaries or pass -skip-signature-validation flag")
	errSignature = errors.New("the signature of the package is not good")
)

// checkSignature checks a downloaded package before it is installed, in its system's way (docs/protocol/update.md, "Signature
// check"). The original knows one signer and carries his key. Our packages are signed by the party that publishes them: its key is
// named by -public-key, lies beside this program or with the settings, or was built into this program; without any of them that is
// said, and the checksum must do.
func (s *run) checkSignature(client *bucket.Client, format pack.Format, archive string, v manifests.Version) error {
	switch format.Signed.Installers {
	case pack.DetachedOpenPGP:
		return s.checkOpenPGP(client, format, archive, v)
	case pack.Authenticode:
		return s.checkSigner(archive)
	case pack.NoProof:
	}
	s.log.info("a portable archive has no signature of its own; its checksum is that of the manifest")
	return nil
}

// checkOpenPGP has gpg check the detached signature that a region serves beside a package.
func (s *run) checkOpenPGP(client *bucket.Client, format pack.Format, archive string, v manifests.Version) error {
	work, err := os.MkdirTemp(filepath.Dir(archive), "signature-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	key, err := s.key(work)
	if err != nil {
		return err
	}
	if key == "" {
		s.log.warn("the signature is not checked: no -public-key is given, there is no %s beside this program or below %s, and none was built in; "+
			"the checksum is that of the manifest", pack.KeyName, s.agent.ConfigDir())
		return nil
	}
	if _, err := exec.LookPath("gpg"); err != nil {
		return errNoGPG
	}
	sig, err := client.Small(s.ctx, v.String()+"/"+format.Loose(pack.Platform{OS: runtime.GOOS,
		Arch: runtime.GOARCH})[0]+pack.SignatureSuffix, 64<<10)
	if err != nil {
		return err
	}
	if err := host.WriteFile(filepath.Join(work, "sig"), sig, 0o600); err != nil {
		return err
	}
	return s.gpg(work, key, archive)
}

// key is the file with the public key; empty if there is none. The one built in is written into a work folder.
func (s *run) key(work string) (string, error) {
	if s.PublicKey != "" {
		return s.PublicKey, nil
	}
	for _, path := range []string{filepath.Join(s.own, pack.KeyName), filepath.Join(s.agent.ConfigDir(), pack.KeyName),
		filepath.Join(s.agent.ConfigDir(), pack.KeyFile)} {
		if setup.Exists(path) {
			return path, nil
		}
	}
	if s.builtIn == "" {
		return "", nil
	}
	key, err := base64.StdEncoding.DecodeString(s.builtIn)
	if err != nil {
		return "", fmt.Errorf("%w: the key built into this program cannot be read: %w", errSignature, err)
	}
	path := filepath.Join(work, pack.KeyName)
	return path, host.WriteFile(path, key, 0o600)
}

// gpg imports the key into a keyring of its own and verifies work/sig.
func (s *run) gpg(work, key, archive string) error {
	keyring := filepath.Join(work, "keyring")
	run := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "gpg", append([]string{"--homedir", work, "--batch", "--no-default-keyring", "--keyring", keyring},
			args...)...)
		cmd.Env = setup.CleanEnvironment(s.agent.Layout, "LC_ALL=C")
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
	out, err := run("--status-fd", "1", "--verify", filepath.Join(work, "sig"), archive)
	// gpg calls the signature of a revoked key good, and only warns.
	if err != nil || !strings.Contains(out, "Good signature from ") || strings.Contains(out, "[GNUPG:] REVKEYSIG ") ||
		strings.Contains(out, "[GNUPG:] EXPSIG ") {
		return fmt.Errorf("%w: %s", errSignature, out)
	}
	s.log.info("signature of %s is good, by the key %s", filepath.Base(archive), key)
	return nil
}
