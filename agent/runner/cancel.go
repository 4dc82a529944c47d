package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// awayVariable names to a worker the file in memory whose presence is the order to stop, too.
const awayVariable = "SSM_DOCUMENT_WORKER_AWAY"

// Cancel tells the worker to kill what it runs and come to an end; Events then brings the results. A worker that does not obey within
// 300 s is killed. More than once is harmless. The order is a file in the job's folder; where that takes none it is one in memory, and
// our own child is told by its pipe. The error says that none of them took it.
func (w *Worker) Cancel() error {
	if err := w.order(); err != nil {
		return err
	}
	select {
	case w.cancel <- struct{}{}:
	default:
	}
	if w.original != nil {
		return nil
	}
	// Not started yet is no fault: a worker looks for the file before it does anything.
	if pid, held, err := holder(w.dir); err == nil && held && pid > 0 {
		_ = nudge(pid) // gone since: nothing to tell
	}
	return nil
}

func (w *Worker) order() error {
	if w.original != nil {
		return w.original.stop()
	}
	err := touch(filepath.Join(w.dir, cancelFile))
	if err != nil && w.away != "" {
		away := touchAway(w.away)
		if away == nil {
			return nil
		}
		err = errors.Join(err, away)
	}
	if err != nil && w.orders != nil {
		_, told := w.orders.Write([]byte{1})
		if told == nil {
			return nil
		}
		err = errors.Join(err, told)
	}
	return err
}

// touchAway makes the file in memory, in folders of this account alone: <memory>/ssm-setup/<instance>/<what it is for>.
func touchAway(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, own := range []string{filepath.Dir(filepath.Dir(dir)), filepath.Dir(dir), dir} {
		if !host.OwnFolder(own) {
			return fmt.Errorf("it is open to others: %s", own)
		}
	}
	return touch(path)
}

func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// awayFile is the file in memory, in the worker. The variable does not reach a script.
func awayFile() string {
	defer os.Unsetenv(awayVariable)
	return os.Getenv(awayVariable)
}

// ordered tells whether an order to stop lies somewhere.
func ordered(dir, away string) bool {
	for _, path := range []string{filepath.Join(dir, cancelFile), away} {
		if path == "" {
			continue
		}
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return originalCancels(dir)
}

// orders is closed when a byte comes by the pipe of the agent that started this worker. The end of the pipe is no order: that agent left.
// It is listened to until quit: what closed the input sooner would free its descriptor for another file.
func orders(quit <-chan struct{}) <-chan struct{} {
	told, in := make(chan struct{}), ownInput()
	go func() {
		if n, _ := in.Read(make([]byte, 1)); n > 0 {
			close(told)
		}
		<-quit
		_ = in.Close()
	}()
	return told
}
