//go:build unix

package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Of is the account that owns the folder of an installation, or the nearest folder above that is there. other is false where the caller
// is not root, where the folder is root's, and for the system's installation (an empty root). It fails with host.ErrForeign where the
// account may not be meant.
func Of(root string) (a Account, other bool, err error) {
	if root == "" || os.Geteuid() != 0 {
		return a, false, nil
	}
	dir, err := nearest(root)
	if err != nil {
		return a, false, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return a, false, err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner == 0 {
		return a, false, nil
	}
	refused := foreign(fmt.Errorf("%w: %s is user %d's", host.ErrForeign, dir, owner))
	known, err := user.LookupId(strconv.FormatUint(uint64(owner), 10))
	if err != nil {
		return a, false, refused
	}
	gid, err := strconv.ParseUint(known.Gid, 10, 32)
	if err != nil || os.Getenv("SUDO_UID") != known.Uid && !within(dir, known.HomeDir) {
		return a, false, refused
	}
	return Account{Name: known.Username, Home: known.HomeDir, uid: owner, gid: uint32(gid)}, true, nil
}

// nearest is a folder, links followed, or the nearest above it that is there.
func nearest(path string) (string, error) {
	path, err := filepath.Abs(path)
	for err == nil {
		var real string
		if real, err = filepath.EvalSymlinks(path); err == nil {
			return real, nil
		}
		if errors.Is(err, os.ErrNotExist) && path != filepath.Dir(path) {
			path, err = filepath.Dir(path), nil
		}
	}
	return "", err
}

// within tells whether a folder lies in a home. Accounts of services have / or nothing as theirs.
func within(dir, home string) bool {
	home, err := filepath.EvalSymlinks(home)
	return err == nil && home != "/" && strings.HasPrefix(dir+"/", home+"/")
}

func (a Account) run(ctx context.Context, p Program) (exitCode int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	if runtime.GOOS == "linux" { // the account may not be able to see the folder that the program lies in
		self = "/proc/self/exe"
	}
	cmd := exec.CommandContext(ctx, self, p.Arguments[1:]...)
	cmd.Args[0] = p.Arguments[0]
	cmd.Env = host.CleanEnvironment(os.Environ(), "", "HOME="+a.Home, "USER="+a.Name)
	for _, name := range p.Variables {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: []uint32{}}}
	cmd.Stdout, cmd.Stderr = piped{p.Out}, piped{p.Err}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var in io.WriteCloser
	if p.readsInput() {
		if in, err = cmd.StdinPipe(); err != nil {
			return 0, err
		}
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("run as %s: %w", a.Name, err)
	}
	if in != nil {
		go func() { // a terminal that is never written to ends with this process
			_, _ = io.Copy(in, p.In)
			_ = in.Close()
		}()
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("run as %s: %w", a.Name, err)
	}
	return 0, nil
}

// piped hides a file, which would be handed on as it is: the account gets no descriptor of the caller's terminal.
type piped struct{ io.Writer }
