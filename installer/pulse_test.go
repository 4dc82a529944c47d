package installer_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

func TestAPulseIsReadAsItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pulse")
	p := installer.Pulse{
		PID:      4711,
		Started:  time.Unix(1700000000, 0).UTC(),
		Version:  "9.2.0.0",
		Hash:     strings.Repeat("0a", 32),
		Sequence: 5,
		Beats:    12,
		At: time.Unix(1700000060, 0).
			UTC(),
		LastRoundTrip: time.Unix(1700000059, 5).UTC(),
		LastFault:     "no route",
		InstanceID:    "mi-0123456789abcdef0",
		BootID:        "81d0397f-9c1a-4aca-9b38-762248f1de78",
		LastPing:      time.Unix(1700000055, 123456789).UTC(),
		Lanes: map[string]installer.Lane{"ec2messages": {Answered: time.Unix(1700000056, 123456789).UTC(), Denied: true},
			"ssmmessages": {Answered: time.Unix(1700000057, 123456789).UTC(), Denied: true}},
	}
	for _, fault := range []string{"no route", "", strings.Repeat("€", 300), strings.Repeat("\x01", 300)} {
		p.LastFault = fault
		if err := installer.WritePulse(path, p); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != installer.PulseSize {
			t.Errorf("size %v, %v", info, err)
		}
		got, err := installer.ReadPulse(path)
		if !strings.HasPrefix(fault, got.LastFault) {
			t.Errorf("fault %q", got.LastFault)
		}
		got.LastFault = fault
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v, %v; want %+v", got, err, p)
		}
	}
	os.WriteFile(path, []byte("{"), 0o600)
	if _, err := installer.ReadPulse(path); !errors.Is(err, installer.ErrPulse) {
		t.Errorf("garbage: %v", err)
	}
	if _, err := installer.ReadPulse(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A reader meets writes at any moment and always gets a whole pulse.
func TestAPulseReadWhileWrittenIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pulse")
	stop := make(chan struct{})
	var writer sync.WaitGroup
	if err := installer.WritePulse(path, installer.Pulse{}); err != nil {
		t.Fatal(err)
	}
	writer.Go(func() {
		for n := uint64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
				_ = installer.WritePulse(path, installer.Pulse{Beats: n, LastFault: strings.Repeat("x", int(n%200))})
			}
		}
	})
	for range 300 {
		if _, err := installer.ReadPulse(path); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writer.Wait()
}
