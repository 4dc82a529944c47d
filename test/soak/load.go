//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is a steady stream of commands to one host: each adds a line to a file of the host, and prints it.
type load struct {
	m    *machine
	ran  string // the file
	stop chan struct{}
	busy sync.WaitGroup

	paused         sync.RWMutex // held for reading by each command
	sent, answered atomic.Int64
}

// begin starts the streams.
func (l *load) begin() {
	for range l.m.soak.load {
		l.busy.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				case <-time.After(250 * time.Millisecond):
				}
				l.paused.RLock()
				l.one()
				l.paused.RUnlock()
			}
		})
	}
}

// one sends a command and waits for its answer.
func (l *load) one() {
	text := fmt.Sprint("line-", l.sent.Add(1))
	id, err := l.m.region.SendCommand("AWS-RunShellScript", l.m.node, map[string][]string{"commands": {
		"echo " + text + " >>'" + l.ran + "'; echo " + text}})
	if err != nil {
		l.m.fault("%s: command %s is not sent: %v", l.m.name, text, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	inv, err := l.m.region.WaitCommand(ctx, id, l.m.node)
	if err != nil || inv.Status != "Success" || strings.TrimSpace(inv.StandardOutput) != text {
		l.m.fault("%s: command %s: %s, %q, %v", l.m.name, text, inv.Status, inv.StandardOutput, err)
		return
	}
	l.answered.Add(1)
}

// still lets all commands end and none begin while something is looked at.
func (l *load) still(look func()) {
	l.paused.Lock()
	defer l.paused.Unlock()
	look()
}

// end stops the streams.
func (l *load) end() {
	close(l.stop)
	l.busy.Wait()
}

// executed counts what the host ran: lines, and different ones.
func (l *load) executed() (lines, different int) {
	text, err := os.ReadFile(l.ran)
	if err != nil {
		return 0, 0
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		lines++
		seen[line] = true
	}
	return lines, len(seen)
}
