// Package authority keeps the certificate of a region's own authority where the agent finds it. AWS's regions need none: the system's
// roots know them. A local region that is reached over TLS has an authority of its own, which no system knows.
//
// Files of this room, written by `ssm-setup install` and `register`:
//
//	<settings>/region-ca.pem    the certificates, PEM; readable by all accounts
//	/etc/systemd/system/amazon-ssm-agent.service.d/authority-of-ssm-setup.conf   under systemd: AWS_CA_BUNDLE with that path
//
// Programs of the agent call [Adopt] at their start, which sets AWS_CA_BUNDLE where it is not set; systemd has done so already where it
// runs, for Amazon's agent, too. What must always be true: an agent believes that authority alone while the file is there, so it goes as
// soon as the host is given to another region; a file that another account could have written does not count.
package authority

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Variable is what programs read: the path of a file of certificates, which are believed in place of the system's roots.
const Variable = "AWS_CA_BUNDLE"

// DropIn is the file by which systemd gives the variable to the service.
const DropIn = "/etc/systemd/system/amazon-ssm-agent.service.d/authority-of-ssm-setup.conf"

// maxFile bounds a file of certificates, in bytes.
const maxFile = 1 << 20

// File is where the certificates of an installation lie.
func File(l installer.Layout) string { return filepath.Join(l.ConfigDir(), "region-ca.pem") }

// Use has this process, and the programs it starts, believe the authority in a file from now on, and no other.
func Use(file string) { _ = os.Setenv(Variable, file) } // fails for names with = or NUL only

// Kept tells whether an installation has one.
func Kept(l installer.Layout) bool {
	_, err := os.Stat(File(l))
	return err == nil
}

// Adopt completes the environment of an agent with what is kept, unless it has an authority already.
func Adopt(l installer.Layout) {
	if os.Getenv(Variable) == "" && Kept(l) && host.CheckFile(File(l)) == nil {
		Use(File(l))
	}
}

// Keep copies the certificates of a file for an installation's agent. systemd says that it runs the service. The next start uses them.
func Keep(l installer.Layout, file string, systemd bool) error {
	text, err := read(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.ConfigDir(), 0o755); err != nil {
		return err
	}
	return write(l, text, systemd)
}

func write(l installer.Layout, text []byte, systemd bool) error {
	if err := host.WriteFile(File(l), text, 0o644); err != nil || !systemd {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(DropIn), 0o755); err != nil {
		return err
	}
	return host.WriteFile(DropIn, []byte("# Written by ssm-setup: the region's own authority.\n[Service]\nEnvironment=\""+Variable+"="+
		File(l)+"\"\n"), 0o644)
}

// read is a file of certificates that is one.
func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fault.Wrap(fault.Usage, fmt.Errorf("%s has more than %d bytes", file, maxFile), "")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block == nil || block.Type != "CERTIFICATE" || bytes.Contains(text, []byte("PRIVATE KEY")) {
		return nil, fault.Wrap(fault.Usage, fmt.Errorf("%s is no file of certificates", file), "")
	}
	return text, nil
}

// Remember returns a function that brings back what is kept now, or that nothing is.
func Remember(l installer.Layout) (restore func(systemd bool) error) {
	former, err := os.ReadFile(File(l))
	return func(systemd bool) error {
		if err != nil {
			return Forget(l)
		}
		return write(l, former, systemd)
	}
}

// Forget removes what Keep wrote.
func Forget(l installer.Layout) error {
	files := []string{File(l)}
	if l.System() {
		files = append(files, DropIn)
	}
	var errs []error
	for _, path := range files {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if l.System() {
		_ = os.Remove(filepath.Dir(DropIn)) // unless others are in it
	}
	return errors.Join(errs...)
}
