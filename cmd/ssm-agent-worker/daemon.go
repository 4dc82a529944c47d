package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/ssm-setup/ssm-setup/agent"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// runAgent is the agent as the launcher's child, or by hand. SIGTERM and the launcher's word mean leave. Signals that
// would end it are caught and not ignored, so that no script inherits an ignored one.
func runAgent([]string) int {
	child, _ := launcher.Attach()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGPIPE)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGTERM, os.Interrupt)
	var by atomic.Value // the signal that ends it
	go func() {
		by.Store(<-caught)
		stop()
	}()
	executable, err := os.Executable()
	if err != nil {
		return sorry(err, "")
	}
	layout, err := installer.Of(executable)
	if err != nil {
		return sorry(err, "install it with: ssm-setup install")
	}
	err = agent.Run(ctx, agent.Options{Layout: layout, Child: child, Executable: executable, Resume: resume(layout),
		Releases: lookForReleases(layout), Console: os.Stdout, Lean: true})
	if err != nil && (ctx.Err() == nil || errors.Is(err, agent.ErrRival)) {
		return sorry(err, "")
	}
	if s, ok := by.Load().(os.Signal); ok && child != nil {
		return endBy(s) // so that the launcher sees who ended it
	}
	return 0
}

// sorry tells a person what went wrong and what to do next: hint, else what the error itself proposes.
func sorry(err error, hint string) int {
	fmt.Fprintln(fault.Writer(os.Stderr), "error:", err)
	if hint == "" {
		hint = fault.HintOf(err)
	}
	if hint != "" {
		fmt.Fprintln(os.Stderr, "hint:", hint)
	}
	return 1
}
