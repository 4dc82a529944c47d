package pointer_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

var (
	hashA = strings.Repeat("0a", 32)
	hashB = strings.Repeat("b1", 32)
	full  = pointer.State{
		Sequence:  7,
		Active:    pointer.Target{Version: "9.3.0.0", Hash: hashA},
		Previous:  pointer.Target{Version: "9.2.0.0", Hash: hashB},
		SetAside:  pointer.Target{Version: "9.1.5.0", Hash: hashB},
		Floor:     "9.1.0.0",
		Probation: true,
	}
)

func encode(t testing.TB, s pointer.State) []byte {
	t.Helper()
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASlotIsReadAsItWasWritten(t *testing.T) {
	for _, s := range []pointer.State{
		full, {Sequence: 1, Active: pointer.OnFloor()}, {Sequence: 1<<64 - 1, Active: pointer.OnFloor(), Previous: full.Active},
	} {
		b := encode(t, s)
		if len(b) != pointer.SlotSize {
			t.Fatalf("%d bytes", len(b))
		}
		if got, err := pointer.Decode(b); err != nil || got != s {
			t.Errorf("Decode = %+v, %v; want %+v", got, err, s)
		}
	}
}

// Every byte of a slot may be the last one that reached the disk: what is read is the old state, the new one, or ErrSlot.
func TestATornSlotDoesNotCount(t *testing.T) {
	next := full
	next.Sequence, next.Probation, next.Active = 9, false, full.Previous
	old, new := encode(t, full), encode(t, next)
	for i := range len(old) + 1 {
		torn := append(bytes.Clone(new[:i]), old[i:]...)
		got, err := pointer.Decode(torn)
		if err == nil && got != full && got != next {
			t.Fatalf("torn at %d reads as %+v", i, got)
		}
		if err != nil && !errors.Is(err, pointer.ErrSlot) {
			t.Fatalf("torn at %d: %v", i, err)
		}
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	b := encode(t, full)
	for i := range bytes.TrimRight(b, " \n") {
		c := bytes.Clone(b)
		c[i] ^= 1
		if got, err := pointer.Decode(c); err == nil {
			t.Fatalf("bit in byte %d flipped: %+v", i, got)
		}
	}
}

func TestUnknownFieldsAreKept(t *testing.T) {
	// A slot of a later version: one more line, same checksum rule.
	const more = "wave=3 of 5\n"
	b := encodeWith(t, full, more)
	s, err := pointer.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	s.Sequence = 8
	if !bytes.Contains(encode(t, s), []byte(more)) {
		t.Error("the unknown field is lost")
	}
}

func TestTheHigherWholeSlotCounts(t *testing.T) {
	one, two := full, full
	one.Sequence, two.Sequence = 7, 8
	torn := encode(t, two)
	torn[20] ^= 1
	for name, c := range map[string]struct {
		a, b []byte
		want uint64
	}{
		"both":           {encode(t, one), encode(t, two), 8},
		"other order":    {encode(t, two), encode(t, one), 8},
		"newer torn":     {encode(t, one), torn, 7},
		"newer cut":      {encode(t, one), encode(t, two)[:500], 7},
		"one missing":    {nil, encode(t, two), 8},
		"one empty":      {[]byte{}, encode(t, one), 7},
		"one too long":   {append(encode(t, two), 'x'), encode(t, one), 7},
		"both missing":   {nil, nil, 0},
		"both torn":      {torn, torn, 0},
		"not understood": {[]byte(strings.Repeat("x", pointer.SlotSize)), nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := pointer.At(t.TempDir())
			os.MkdirAll(p.SlotDir(), 0o755)
			for i, b := range [][]byte{c.a, c.b} {
				if b != nil {
					os.WriteFile(p.Slot(i), b, 0o600)
				}
			}
			s, err := pointer.Read(p)
			if s.Sequence != c.want || (err != nil) != (c.want == 0) {
				t.Errorf("sequence %d, %v; want %d", s.Sequence, err, c.want)
			}
			if c.want == 0 && (!s.Active.IsFloor() || !errors.Is(err, pointer.ErrNone)) {
				t.Errorf("without a pointer: %+v, %v", s, err)
			}
		})
	}
}

// FuzzDecode looks behind the checksum: the fuzzer writes the lines, the rule of the format adds header and sum.
func FuzzDecode(f *testing.F) {
	f.Add("sequence=7\nactive=9.2.0.0 " + hashA + "\nprevious=floor\naside=\nfloor=9.1.0.0\nprobation=true\n")
	f.Add("sequence=1\nactive=floor\nmore=\nprobation=maybe\n")
	f.Fuzz(func(t *testing.T, lines string) {
		if len(lines) > 900 {
			return
		}
		s, err := pointer.Decode(slot("ssm-setup pointer 1\n" + lines))
		if err != nil {
			return
		}
		p := pointer.At("/r")
		for _, target := range []pointer.Target{s.Active, s.Previous, s.SetAside} {
			file := p.File(target)
			if !target.IsZero() && filepath.Dir(filepath.Dir(file)) != p.StoreDir() && file != p.Worker() {
				t.Fatalf("%+v lies at %s", target, file)
			}
		}
		again, err := s.Encode()
		if errors.Is(err, pointer.ErrTooLong) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if back, err := pointer.Decode(again); err != nil || back != s {
			t.Fatalf("%+v became %+v, %v", s, back, err)
		}
	})
}
