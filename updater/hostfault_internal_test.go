package updater

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// What keeps a switch from being written, or has to be taken back after it was, is this machine's doing: only a trial that failed counts
// against a version. (test/crash injects such errors at every call.)
func TestOnlyAFailedTrialCountsAgainstAVersion(t *testing.T) {
	w := work{u: &ledger.Update{}}
	causes := map[string]error{"a trial": w.failTrial("no heartbeat"),
		"superseded": &failure{code: codeRolledBack, fault: fault.Superseded, text: "x"}}
	for _, no := range diskErrors() {
		causes[no.Error()] = w.badInstall(fmt.Errorf("write the pointer: %w", &os.PathError{Op: "write", Path: "pointer/1", Err: no}))
	}
	causes["anything else"] = errors.New("too many open files")
	for name, cause := range causes {
		e := &Engine{Now: func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }}
		e.complete()
		w := &work{Engine: e, ledger: &ledger.File{}, u: &ledger.Update{ToVersion: manifests.MustVersion("9.2")}}
		for range 5 {
			w.noteFailure(cause)
			w.record(w.outcome(ledger.RolledBack))
		}
		if blocked := len(w.ledger.Skip) > 0; blocked != (name == "a trial") || len(w.ledger.Tried) > 0 {
			t.Errorf("%s: blocked %+v, tried %+v", name, w.ledger.Skip, w.ledger.Tried)
		}
	}
}
