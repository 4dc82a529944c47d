// Command broken is a release that passes every check before the switch and fails only as the service. It stands in for the
// agent's program in the broken releases of tests and of the demo, packed with `ssm-setup build --bin`.
//
// How it fails is linked in, -X main.how=…: exit (at once), exit-later (after 20 s, or the seconds linked in as main.after),
// hang (never beats), mute (beats, but never reaches the service), late (says that it reaches the service, and ends after those seconds:
// it is confirmed before). It answers -version and selftest like a sound one, and writes down when it began and when it broke, in a
// file "broken" beside its records.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Set by the linker.
var (
	how   = "exit"
	after = "20"
)

func main() {
	if len(os.Args) > 1 {
		answer(os.Args[1])
		return
	}
	child, ok := launcher.Attach()
	if !ok {
		fmt.Fprintln(os.Stderr, "not started by a launcher")
		os.Exit(1)
	}
	note("began")
	switch how {
	case "exit":
		note("broke")
		os.Exit(3)
	case "hang":
		select {}
	case "exit-later", "late":
		seconds, _ := strconv.Atoi(after)
		time.AfterFunc(time.Duration(seconds)*time.Second, func() {
			note("broke")
			os.Exit(3)
		})
	}
	beat(child)
}

// note adds a line to the file "broken": a word, the time and the process id.
func note(word string) {
	exe, _ := os.Executable()
	layout, err := installer.Of(exe)
	if err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(layout.Data(), "broken"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintln(f, word, time.Now().Format(time.RFC3339Nano), os.Getpid())
}

// answer does what is asked of a program before it is trusted.
func answer(word string) {
	switch word {
	case "-version", "--version":
		fmt.Println("SSM Agent version: " + stamp.Version())
	case "selftest":
		fmt.Println("ok " + stamp.Version())
	default:
		fmt.Fprintln(os.Stderr, "this release is broken on purpose")
		os.Exit(1)
	}
}

// beat is alive in every way but one: no round trip to the service.
func beat(child *launcher.Child) {
	exe, _ := os.Executable()
	layout, err := installer.Of(exe)
	if err != nil {
		os.Exit(4)
	}
	p := installer.Pulse{PID: os.Getpid(), Started: time.Now(), Version: stamp.Version(), Sequence: child.Sequence(),
		LastFault: "cannot reach the service"}
	if f, err := os.ReadFile(exe); err == nil {
		p.Hash = hash(f)
	}
	_ = os.MkdirAll(filepath.Dir(layout.Pulse()), 0o700)
	for {
		p.Beats++
		p.At = time.Now()
		if how == "late" {
			p.LastRoundTrip, p.LastPing, p.LastFault = p.At, p.At, ""
			p.Lanes = map[string]installer.Lane{"ec2messages": {Answered: p.At}}
		}
		_ = installer.WritePulse(layout.Pulse(), p)
		child.Beat()
		select {
		case <-child.Stop():
			os.Exit(0)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
