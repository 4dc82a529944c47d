package launcher_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// actImpostor is any user's program that runs from the launcher's path, as far as /proc tells: in a namespace of its own it lies there.
func actImpostor(exe, path string) {
	if err := syscall.Mount(exe, path, "", syscall.MS_BIND, ""); err != nil {
		os.Exit(3)
	}
	_ = syscall.Exec(path, []string{path}, []string{"TEST_ORIGINAL=1"})
	os.Exit(4)
}

func TestAnotherUsersNamespaceHoldsUpNoLauncher(t *testing.T) {
	m := newMachineAlone(t)
	program, err := os.ReadFile(m.Launcher())
	m.ok(err)
	dir := folder(t)
	file := filepath.Join(dir, "program")
	m.ok(os.WriteFile(file, bytes.ReplaceAll(program, []byte(launcher.Mark), []byte("some-other/program/altogether")[:28]), 0o755))
	for up := dir; up != "/"; up = filepath.Dir(up) { // for the other account
		if info, err := os.Stat(up); err == nil && info.Mode()&0o001 == 0 {
			m.ok(os.Chmod(up, info.Mode()|0o011))
		}
	}
	impostor := exec.Command(file)
	impostor.Env = []string{"TEST_IMPOSTOR=" + m.Launcher()}
	in, err := impostor.StdinPipe()
	m.ok(err)
	defer in.Close()
	id := os.Getuid()
	if id == 0 {
		id = 65534
	}
	impostor.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}},
		Credential:  &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: true}}
	if err := impostor.Start(); err != nil {
		t.Skip("this system lets no user make a namespace: ", err)
	}
	defer func() { _ = impostor.Process.Kill(); _ = impostor.Wait() }()
	if os.Getuid() != 0 {
		t.Skip("only root can run as another account")
	}
	m.until("a program that seems to be the launcher", func() bool {
		exe, _ := host.ProcessExecutable(impostor.Process.Pid)
		return exe == m.Launcher()
	})
	m.launch()
	m.await("start floor 1", 1)
}

func TestAnOriginalThatDoesNotEndIsKilled(t *testing.T) {
	m := newMachineAlone(t)
	program, err := os.ReadFile(m.Launcher())
	m.ok(err)
	m.ok(os.Remove(m.Launcher()))
	m.ok(os.WriteFile(m.Launcher(), bytes.ReplaceAll(program, []byte(launcher.Mark), []byte("some-other/program/altogether")[:28]), 0o755))
	original := exec.Command(m.Launcher())
	original.Env = append(os.Environ(), "TEST_ORIGINAL=deaf")
	in, err := original.StdinPipe()
	m.ok(err)
	defer in.Close()
	m.ok(original.Start())
	ended := make(chan error, 1)
	go func() { ended <- original.Wait() }()
	m.ok(os.Remove(m.Launcher()))
	m.plant(m.Launcher())
	m.env = append(m.env, "TEST_SHORT_PATIENCE=1")
	m.launch()
	m.await("start floor 1", 1)
	if err := <-ended; err == nil || err.Error() != "signal: killed" {
		t.Errorf("the original ended with %v", err)
	}
}
