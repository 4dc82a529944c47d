package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// startUpdate hands what a document asks for to the updater of this version, which answers the command. Documents are told that the
// updater is busy or died in the original's words and nothing more; why is in the log.
func startUpdate(u plugins.Update, log *slog.Logger) error {
	err := updater.Start(installer.At(u.Root), updateRequest(u))
	for _, known := range []error{updater.ErrDied, updater.ErrBusy} {
		if errors.Is(err, known) {
			log.Warn("updater did not take the request", "error", err)
			return known
		}
	}
	return err
}

// updateRequest is the document's wish in the updater's words.
func updateRequest(u plugins.Update) ledger.Request {
	to := &ledger.ReplyTo{MessageID: u.MessageID, CommandID: wire.CommandID(u.MessageID), PluginKey: u.StepID, PluginName: u.PluginName,
		Upstream: u.Lane, Started: u.Started, Stdout: filepath.Join(u.Output.Dir, "stdout"), Stderr: filepath.Join(u.Output.Dir, "stderr"),
		Note: u.Output.Note}
	if up := u.Output.Upload; up.Bucket != "" {
		to.Bucket, to.StepName, to.Prefix = up.Bucket, up.Step, strings.TrimPrefix(up.Prefix+"/"+up.Step, "/")
	}
	return ledger.Request{Want: u.Version, AllowDowngrade: u.AllowDowngrade, Why: ledger.ByDocument, Package: u.Package,
		Source: u.Source, ReplyTo: to}
}
