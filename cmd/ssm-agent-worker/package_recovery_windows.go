package main

import (
	"errors"
	"time"

	"golang.org/x/sys/windows/svc/mgr"
)

// setRecovery has the service started again a second after it ended, however often, and also when it ended by itself with an
// error. Windows Installer has a table for this, of which Windows's own documentation says that it does not work.
func setRecovery() error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	s, err := m.OpenService("AmazonSSMAgent")
	if err != nil {
		return err
	}
	defer s.Close()
	const day = 86400
	again := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: time.Second} // the last one counts for all that follow
	return errors.Join(s.SetRecoveryActions([]mgr.RecoveryAction{again, again, again}, day), s.SetRecoveryActionsOnNonCrashFailures(true))
}
