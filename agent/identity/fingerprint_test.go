package identity

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asRegistered is the machine of these tests as it was; its keys are those of Linux.
func asRegistered() hardware {
	return hardware{hardwareID: "abc\n", "processor-hash": "p", "memory-hash": "m", "bios-hash": "b", "system-hash": "s",
		"disk-info": "d", "hostname-info": "h", ipAddress: "192.0.2.10", "macaddr-info": "02:00:00:00:00:01"}
}

// but changes values of the machine.
func but(changes hardware) hardware {
	h := asRegistered()
	for k, v := range changes {
		h[k] = v
	}
	return h
}

// docs/protocol/identity.md, "Fingerprint comparison".
func TestWhichMachinesAreSimilar(t *testing.T) {
	otherIP := hardware{ipAddress: "192.0.2.11"}
	five := hardware{ipAddress: "x", "processor-hash": "", "memory-hash": "", "bios-hash": "", "system-hash": "", "disk-info": ""}
	noDmidecode := hardware{"processor-hash": "", "memory-hash": "", "bios-hash": "", "system-hash": ""}
	noDmidecodeOtherIP := hardware{"processor-hash": "", "memory-hash": "", "bios-hash": "", "system-hash": "", ipAddress: "x"}
	all := but(nil)
	for k := range all {
		if k != hardwareID && k != ipAddress {
			all[k] = "changed"
		}
	}
	rows := []struct {
		name      string
		current   hardware
		saved     hardware
		threshold int
		want      bool
	}{
		{"the same", but(nil), asRegistered(), 100, true},
		{"another id", but(hardware{hardwareID: "x"}), asRegistered(), 1, false},
		{"another id, threshold 0", but(hardware{hardwareID: "x"}), asRegistered(), 0, false},
		{"another id, no threshold", but(hardware{hardwareID: "x"}), asRegistered(), -1, true},
		{"another address", but(otherIP), asRegistered(), 40, true},
		{"another address, 88", but(otherIP), asRegistered(), 88, true},
		{"another address, 89", but(otherIP), asRegistered(), 89, false},
		{"another address, 0", but(five), asRegistered(), 0, true},
		{"three of nine, 40", but(five), asRegistered(), 40, false},
		{"three of nine, 33", but(five), asRegistered(), 33, true},
		{"the same address, all else changed", all, asRegistered(), 100, true},
		{"no dmidecode", but(noDmidecode), asRegistered(), 100, true},
		{"no dmidecode, another address", but(noDmidecodeOtherIP), asRegistered(), 44, true},
		{"no dmidecode, another address, 45", but(noDmidecodeOtherIP), asRegistered(), 45, false},
		{"nothing saved", but(nil), nil, 40, false},
		{"nothing saved, no threshold", but(nil), nil, -1, true},
		{"nothing now", nil, asRegistered(), 40, false},
	}
	for _, r := range rows {
		if got := similar(r.current, r.saved, r.threshold); got != r.want {
			t.Errorf("%s: %v", r.name, got)
		}
	}
}

// looks is a machine that shows something else at each look, the last for ever.
type looks struct {
	fingerprints
	states []hardware
	errs   []error
	full   int
	pauses []time.Duration
	log    strings.Builder
}

func newLooks(t *testing.T, saved *fingerprint, states ...hardware) *looks {
	t.Helper()
	l := &looks{states: states}
	l.fingerprints = fingerprints{vault: vault{filepath.Join(t.TempDir(), "Vault")}, log: slog.New(slog.NewTextHandler(&l.log, nil)),
		pause: func(ctx context.Context, d time.Duration) error { l.pauses = append(l.pauses, d); return ctx.Err() },
		probe: prober{
			quick: func() hardware {
				h := l.state()
				return hardware{hardwareID: h[hardwareID], ipAddress: h[ipAddress]}
			},
			full: func(context.Context) (hardware, error) {
				h := l.state()
				var err error
				if l.full < len(l.errs) {
					err = l.errs[l.full]
				}
				l.full++
				return h, err
			},
		}}
	if saved != nil {
		if err := l.vault.write(fingerprintKey, saved); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *looks) state() hardware { return l.states[min(l.full, len(l.states)-1)] }

func saved(threshold int) *fingerprint { return &fingerprint{"uuid-1", asRegistered(), threshold} }

// And no program runs where id and address decide.
func TestAnUnchangedMachineRunsNoProgram(t *testing.T) {
	for _, threshold := range []int{40, 100, NoThreshold} {
		l := newLooks(t, saved(threshold), but(hardware{"bios-hash": "new"}))
		if got, err := l.get(t.Context()); got != "uuid-1" || err != nil || l.pauses != nil || l.full != 0 {
			t.Error(got, err, l.pauses, l.full)
		}
		l.states[0][hardwareID] = "x" // once per process is enough
		if got, _ := l.get(t.Context()); got != "uuid-1" {
			t.Error(got)
		}
	}
}

func TestTheFirstFingerprintIsStored(t *testing.T) {
	l := newLooks(t, nil, asRegistered())
	l.errs = []error{errors.New("late")} // a source that does not answer counts as empty here
	got, err := l.get(t.Context())
	p, found, _ := l.stored()
	if err != nil || !found || p.Fingerprint != got || p.SimilarityThreshold != 40 || len(p.HardwareHash) != 9 || l.pauses != nil {
		t.Error(got, err, p)
	}
	if len(got) != 36 || got[14] != '4' || got != strings.ToLower(got) {
		t.Errorf("%s is no UUID v4", got)
	}
}

func TestAChangedMachineGetsANewFingerprint(t *testing.T) {
	l := newLooks(t, saved(60), but(hardware{hardwareID: "other\n"}))
	got, err := l.get(t.Context())
	p, _, _ := l.stored()
	if err != nil || got == "uuid-1" || p.Fingerprint != got || p.SimilarityThreshold != 60 || p.HardwareHash[hardwareID] != "other\n" {
		t.Error(got, err, p)
	}
	if len(l.pauses) != 2 || l.pauses[0] != 5*time.Second || l.full != 3 {
		t.Error(l.pauses, l.full)
	}
	if !strings.Contains(l.log.String(), "The hardware ID (other\\n) has changed from the registered value (abc\\n).") {
		t.Error(l.log.String())
	}
}

func TestAChangeThatPassesKeepsTheFingerprint(t *testing.T) {
	five := but(hardware{ipAddress: "", "processor-hash": "", "memory-hash": "", "bios-hash": "", "system-hash": "", "disk-info": ""})
	l := newLooks(t, saved(40), five, asRegistered())
	if got, err := l.get(t.Context()); got != "uuid-1" || err != nil || len(l.pauses) != 1 {
		t.Error(got, err, l.pauses)
	}
	if !strings.Contains(l.log.String(), "Machine configuration has changed more than the allowed threshold.") ||
		!strings.Contains(l.log.String(), "The 'bios-hash' value () has changed from the registered machine configuration value (b).") {
		t.Error(l.log.String())
	}
}

// The hazard of docs/protocol/identity.md, "Fingerprint generation": the original makes a new fingerprint here, and the node is lost.
func TestARecordThatCannotBeReadIsNoReasonForANewOne(t *testing.T) {
	l := newLooks(t, saved(40), asRegistered())
	path := filepath.Join(l.vault.store(), fingerprintKey)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.get(t.Context()); err == nil || len(l.pauses) != 2 {
		t.Error(err, l.pauses)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := l.get(t.Context()); got != "uuid-1" || err != nil {
		t.Error(got, err)
	}
}

func TestSourcesThatAreLateLeaveItOpen(t *testing.T) {
	five := but(hardware{ipAddress: "x", "processor-hash": "", "memory-hash": "", "bios-hash": "", "system-hash": "", "disk-info": ""})
	late := errors.New("late")
	l := newLooks(t, saved(40), five)
	l.errs = []error{late, late, late}
	if _, err := l.get(t.Context()); !errors.Is(err, late) {
		t.Error(err)
	}
	if p, _, _ := l.stored(); p.Fingerprint != "uuid-1" {
		t.Error("the fingerprint was replaced")
	}
}

func TestInvalidCharactersAreLeftOut(t *testing.T) {
	l := newLooks(t, nil, but(hardware{"hostname-info": "\xff"}))
	if _, err := l.get(t.Context()); err == nil || !strings.Contains(err.Error(), "Hardware hash generated contains invalid characters. ") {
		t.Error(err)
	}
}

func TestThisMachineHasAnIDAndAnAddress(t *testing.T) {
	h, err := fullHardware(t.Context())
	if err != nil || len(h) != 9 {
		t.Error(h, err)
	}
	if !decides(quickHardware(), h, 100) {
		t.Error("the machine is not like itself")
	}
	if hash, _ := hashOf(t.Context(), []string{os.Args[0], "-test.run=^$", "-test.list=^$"}); hash != "1B2M2Y8AsgTpgAmY7PhCfg==" {
		t.Errorf("hash of nothing: %s", hash)
	}
}

func TestTheFormOfAStoredFingerprint(t *testing.T) {
	text, _ := json.Marshal(saved(-1))
	if !strings.HasPrefix(string(text), `{"fingerprint":"uuid-1","hardwareHash":{`) || !strings.HasSuffix(string(text),
		`,"similarityThreshold":-1}`) {
		t.Errorf("%s", text)
	}
}
