package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func documentsUpdate(root string) plugins.Update {
	return plugins.Update{Root: root, Package: "amazon-ssm-agent", Version: "9.2.0.0", Source: "https://example/{Region}/manifest.json",
		MessageID: "aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.mi-0123456789abcdef0", Lane: "MessageDeliveryService",
		StepID: "awsupdateSsmAgent", PluginName: "aws:updateSsmAgent", Output: output.Location{Dir: filepath.Join(root, "out")}}
}

func TestADocumentsUpdateReachesTheUpdaterAsItsRequest(t *testing.T) {
	root := t.TempDir()
	r := updateRequest(documentsUpdate(root))
	if r.Want != "9.2.0.0" || r.AllowDowngrade || r.Why != ledger.ByDocument || r.Package != "amazon-ssm-agent" ||
		r.Source != "https://example/{Region}/manifest.json" {
		t.Errorf("%+v", r)
	}
	to := r.ReplyTo
	if to.CommandID != "2b196342-d7d4-436e-8f09-3883a1116ac3" || to.PluginKey != "awsupdateSsmAgent" ||
		to.PluginName != "aws:updateSsmAgent" ||
		to.Upstream != "MessageDeliveryService" || to.Stdout != filepath.Join(root, "out", "stdout") || to.StepName != "" || to.Prefix != "" {
		t.Errorf("%+v", to)
	}
}

func TestAnUpdatesAnswerNamesWhereOutputWasUploaded(t *testing.T) {
	u := documentsUpdate(t.TempDir())
	u.AllowDowngrade = true
	u.Output.Note = "note"
	u.Output.Upload = output.Upload{Bucket: "b", Prefix: "pre/cmd/mi-0/awsupdateSsmAgent", Step: "0.awsupdateSsmAgent"}
	r := updateRequest(u)
	if to := r.ReplyTo; to.Bucket != "b" || to.Note != "note" || to.Prefix != "pre/cmd/mi-0/awsupdateSsmAgent/0.awsupdateSsmAgent" ||
		to.StepName != "0.awsupdateSsmAgent" ||
		!r.AllowDowngrade {
		t.Errorf("%+v", to)
	}
}

// Why it died is for the log: the service is told the original's sentence.
func TestAnUpdaterThatCannotBeStartedIsToldInTheOriginalsWords(t *testing.T) {
	err := startUpdate(documentsUpdate(t.TempDir()), slog.New(slog.DiscardHandler)) // there is no program under this root
	if !errors.Is(err, updater.ErrDied) || err.Error() != "Updater died before updating, make sure your system is supported" {
		t.Error(err)
	}
}
