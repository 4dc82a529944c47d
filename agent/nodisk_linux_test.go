package agent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent"
	"github.com/ssm-setup/ssm-setup/agent/config"
)

// onSmallDisk is a registered machine whose state lies on a file system of its own, of 1 MiB.
func onSmallDisk(t *testing.T) *host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a file system")
	}
	h := newHost(t, nil)
	h.mount("tmpfs", 0, "size=1m")
	h.register()
	return h
}

func (h *host) mount(kind string, flags uintptr, data string) {
	h.Helper()
	h.until("the mount", func() bool { // busy while a file is open for writing
		err := syscall.Mount("ssm", h.layout.Data(), kind, flags, data)
		if !errors.Is(err, syscall.EBUSY) {
			h.must(err)
		}
		return err == nil
	})
	if flags&syscall.MS_REMOUNT == 0 {
		h.Cleanup(func() { h.noWorkers(); h.must(syscall.Unmount(h.layout.Data(), syscall.MNT_DETACH)) })
	}
}

// fill writes until the disk is full.
func (h *host) fill() {
	h.Helper()
	f, err := os.Create(filepath.Join(h.layout.Data(), "filler"))
	h.must(err)
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else {
			h.must(err)
		}
	}
}

// What people send then is `df -h`.
func TestOnADiskThatTakesNothingCommandsRunInMemoryOrAreAnswered(t *testing.T) {
	for what, spoil := range map[string]func(*host){
		"full":      (*host).fill,
		"read-only": func(h *host) { h.mount("", syscall.MS_REMOUNT|syscall.MS_RDONLY, "") },
	} {
		for _, when := range []string{"at the start", "at work"} {
			t.Run(what+" "+when, func(t *testing.T) {
				h, memory := onSmallDisk(t), t.TempDir()
				in := func(o *agent.Options) { o.Memory = memory }
				if when == "at the start" {
					spoil(h)
				}
				a := h.start(in)
				if when == "at work" {
					h.wait(h.shell("true"))
					h.until("nothing to be left of it", func() bool {
						return h.idle() && len(files(filepath.Join(h.layout.Data(), h.id, "channels"))) == 0
					})
					spoil(h)
				}
				ran := filepath.Join(t.TempDir(), "ran")
				inv := h.wait(h.shell("echo hello; echo x >> " + ran))
				if inv.Status != "Success" || !strings.HasPrefix(inv.StandardOutput, "hello\n\nThe agent's disk took nothing") {
					t.Errorf("%+v", inv)
				}
				if inv := h.wait(h.shell("echo " + strings.Repeat("x", 64<<10))); inv.Status != "Failed" {
					t.Errorf("%+v", inv)
				}
				long := h.shell("echo x >> " + ran + "; sleep 1000")
				h.until("it to run", func() bool { return h.read(ran) == "x\nx\n" })
				h.must(h.region.Cancel(long))
				if inv := h.wait(long); inv.Status != "Cancelled" {
					t.Errorf("%+v", inv)
				}
				a.stop()
				h.start(in)
				inv = h.wait(h.shell("cat " + ran))
				if !strings.HasPrefix(inv.StandardOutput, "x\nx\n") || strings.Count(inv.StandardOutput, "x\n") != 2 {
					t.Errorf("ran again: %+v", inv)
				}
				h.until("nothing to be left in memory", func() bool {
					kept := filepath.Join(memory, "ssm-setup", h.id)
					return len(files(filepath.Join(kept, "current")))+len(files(filepath.Join(kept, "channels"))) == 0
				})
			})
		}
	}
}

func TestACommandThatRunsInMemoryOutlivesItsAgent(t *testing.T) {
	h, memory := onSmallDisk(t), t.TempDir()
	in := func(o *agent.Options) { o.Memory = memory }
	h.fill()
	a := h.start(in)
	dir := t.TempDir()
	gate, ran := filepath.Join(dir, "gate"), filepath.Join(dir, "ran")
	id := h.shell("echo x >> " + ran + "; while [ -e " + ran + " ] && [ ! -e " + gate + " ]; do sleep 0.01; done; echo end")
	h.until("it to run", func() bool { return h.read(ran) == "x\n" })
	a.stop()
	h.start(in)
	h.must(os.WriteFile(gate, nil, 0o600))
	if inv := h.wait(id); inv.Status != "Success" || !strings.HasPrefix(inv.StandardOutput, "end\n") || h.read(ran) != "x\n" {
		t.Errorf("%+v, ran %q", inv, h.read(ran))
	}
}

// The disk keeps its state file then: no later agent may take it for one that waits.
func TestWhatWasAnsweredOnAReadOnlyDiskIsNotRunWhenItIsWritable(t *testing.T) {
	h, memory := onSmallDisk(t), t.TempDir()
	in := func(o *agent.Options) { o.Memory = memory }
	h.must(config.Set(h.layout.ConfigFile(), map[string]any{"Mds.CommandWorkersLimit": 1}))
	a := h.start(in)
	ran := filepath.Join(t.TempDir(), "ran")
	runs := h.shell("sleep 1000")
	h.until("one to run", func() bool { return len(files(h.state("current"))) == 1 && len(h.workers()) == 1 })
	waits := h.shell("echo x >> " + ran)
	h.until("one to wait", func() bool { return len(files(h.state("pending"))) == 1 })
	a.stop()
	h.noWorkers()
	h.mount("", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	a = h.start(in)
	for _, id := range []string{runs, waits} {
		if inv := h.wait(id); inv.Status != "Failed" {
			t.Errorf("%+v", inv)
		} else if id == waits && !strings.Contains(inv.Plugins[0].Output, "read-only file system") {
			t.Errorf("%+v", inv)
		}
	}
	a.stop()
	a = h.start(in)
	h.wait(h.shell("true"))
	a.stop()
	h.mount("", syscall.MS_REMOUNT, "")
	h.start(in)
	h.until("the journal to be empty", h.idle)
	if got := h.read(ran); got != "" {
		t.Errorf("it ran: %q", got)
	}
}

// fillNames takes every name that the disk has left: no file can be made there, and those that are there can be written.
func (h *host) fillNames() {
	h.Helper()
	for n := 0; ; n++ {
		f, err := os.Create(filepath.Join(h.layout.Data(), fmt.Sprint("filler-", n)))
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		h.must(err)
		h.must(f.Close())
	}
}

// The order to stop is a file in the folder of the command's worker.
func TestARunningCommandIsCancelledThoughTheDiskTakesNoFile(t *testing.T) {
	for what, c := range map[string]struct {
		memory  bool
		restart bool
	}{
		"where there is a folder in memory":                 {memory: true},
		"where there is one, by the next agent":             {memory: true, restart: true},
		"where there is none, by the agent that started it": {},
	} {
		t.Run(what, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Skip("needs root, to mount a file system")
			}
			h, memory := newHost(t, nil), ""
			if c.memory {
				memory = t.TempDir()
			}
			h.mount("tmpfs", 0, "size=4m,nr_inodes=500")
			h.register()
			in := func(o *agent.Options) { o.Memory = memory }
			a := h.start(in)
			script, _, runs := gated(t.TempDir())
			id := h.shell(script)
			h.until("the script to run", func() bool { return runs() == 1 })
			h.until("its worker to be written down", func() bool {
				return strings.Contains(h.read(filepath.Join(h.state("current"), id)), `"ProcInfo"`)
			})
			h.fillNames()
			if c.restart {
				a.stop()
				h.start(in)
			}
			h.must(h.region.Cancel(id))
			if inv := h.wait(id); inv.Status != "Cancelled" {
				t.Errorf("%+v", inv)
			}
			if left := files(filepath.Join(memory, "ssm-setup", h.id, "cancel")); memory != "" && len(left) != 0 {
				h.until("the order to go", func() bool { return len(files(filepath.Join(memory, "ssm-setup", h.id, "cancel"))) == 0 })
			}
		})
	}
}
