package updater

import (
	"context"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Ways in which an update stays open though its updater need not be waited for.
var (
	// ErrNextStart says that no launcher runs: the update takes effect, and proves itself, at the next start.
	ErrNextStart = errors.New("it takes effect at the next start of the service")
	// ErrOutOfReach says that the new version is alive, but that neither it nor the updater reaches the service.
	ErrOutOfReach = fault.New(fault.Unhealthy, "the new version is alive, but the service cannot be reached",
		"the new version stays on trial until the service can be reached; ssm-setup rollback takes it back")
	// ErrLost says that the updater is gone and the update still open.
	ErrLost = fault.New(fault.Other, "the updater is gone; the agent goes on with the update",
		"ssm-setup status shows how it ends")
)

// lostAfter is how long an open update may be without a process that holds the lock.
const lostAfter = 90 * time.Second

// tidyPatience is how long an updater may hold its lock after the outcome is known; then the next command might find it busy.
const tidyPatience = 3 * time.Second

// Follow watches the ledger until the update with the id ends, telling of every change. [ErrNextStart], [ErrOutOfReach] (after patience)
// and [ErrLost] leave it open.
func Follow(ctx context.Context, l installer.Layout, id string, patience time.Duration, tell func(ledger.Update)) (ledger.Outcome, error) {
	var revision uint64
	var deaf, gone, tidying time.Time
	var ended *ledger.Outcome
	for {
		led, err := ledger.Read(l)
		if err != nil {
			return ledger.Outcome{}, err
		}
		_, working := installer.UpdateLockHolder(l)
		if led.Last != nil && led.Last.ID == id {
			ended = led.Last
		}
		if ended != nil && (!working || led.Open != nil || heldFor(&tidying, true) > tidyPatience) { // open: it gave way to another
			return *ended, nil
		}
		if heldFor(&gone, !working) > lostAfter {
			return ledger.Outcome{}, ErrLost
		}
		if u := led.Open; u != nil && u.ID == id {
			if led.Revision != revision {
				revision = led.Revision
				tell(*u)
			}
			if u.NextStart && !working {
				return ledger.Outcome{}, ErrNextStart
			}
			if heldFor(&deaf, u.OutOfReach) > patience {
				return ledger.Outcome{}, ErrOutOfReach
			}
		}
		if err := host.Sleep(ctx, 50*time.Millisecond); err != nil {
			return ledger.Outcome{}, err
		}
	}
}

// heldFor tells how long a thing has been true.
func heldFor(began *time.Time, holds bool) time.Duration {
	switch {
	case !holds:
		*began = time.Time{}
		return 0
	case began.IsZero():
		*began = time.Now()
	}
	return time.Since(*began)
}
