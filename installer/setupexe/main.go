package setupexe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

const (
	wrongSwitch = 87 // ERROR_INVALID_PARAMETER
	folderName  = "AmazonSSMAgentSetup-"
)

const usage = `AmazonSSMAgentSetup %s
usage: AmazonSSMAgentSetup.exe [/quiet] [/norestart] [/repair | /uninstall] [/log FILE] [NAME=VALUE ...]
  REGION=... CODE=... ID=...   register this machine with an activation
  ENDPOINT=URL                 services in place of the region's own
  SOURCE=PLACE                 where packages come from, with REGION: an address, s3://bucket or a folder
  ALLOW_INSECURE=1             accept one of these that is plain http to another machine
  OVERRIDE=YES                 register again though there is a registration
  CLEARREGISTRATION=YES        with /uninstall: forget the registration, too
  SKIPSYMLINKSCAN=YES          install though there are links in the data folder
  ALLOWEC2INSTALL=YES          taken for compatibility
`

// world is what a run does to the machine.
type world struct {
	carried     func() ([]byte, error)           // the package
	install     func(order, string) (int, error) // msiexec's exit code
	remove      func(dir string) error
	removeLater func(dir string) error
	stderr      io.Writer
}

// Main is the program: it hands the package it carries to msiexec and returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "error: %v\n"+usage, err, stamp.Version())
		return wrongSwitch
	}
	if o.help {
		fmt.Fprintf(stdout, usage, stamp.Version())
		return 0
	}
	code, err := o.run(world{carried: embedded, install: install, remove: os.RemoveAll, removeLater: removeLater, stderr: stderr})
	if err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
	return code
}

// run unpacks the package into a folder of its own, for as long as msiexec runs. Whatever becomes of the folder, the code is
// msiexec's: the one who called decides by it.
func (o order) run(w world) (code int, err error) {
	pkg, err := w.carried()
	if err != nil {
		return 0, err
	}
	dir, err := ownFolder()
	if err != nil {
		return 0, err
	}
	defer func() {
		if fault := tidy(w, dir); fault != nil {
			fmt.Fprintf(w.stderr, "the folder %s could not be removed yet: %v\n", dir, fault)
		}
	}()
	path := filepath.Join(dir, "amazon-ssm-agent.msi")
	if err := os.WriteFile(path, pkg, 0o600); err != nil {
		return 0, err
	}
	return w.install(o, path)
}

// tidy removes the folder. What another program holds (a scanner does, for seconds) is tried again, and then left to Windows, which
// removes it at its next start.
func tidy(w world, dir string) (err error) {
	for wait := 50 * time.Millisecond; wait < time.Second; wait *= 2 {
		if err = w.remove(dir); err == nil {
			return nil
		}
		time.Sleep(wait)
	}
	return errors.Join(err, w.removeLater(dir))
}

// embedded reads this program's own file.
func embedded() ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(exe)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return Read(f, info.Size())
}
