package delta_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/delta"
)

// programs are two texts that differ as programs do: pieces moved, numbers raised by the same few amounts, some new.
func programs(seed uint64, size int) (old, fresh []byte) {
	r := rand.New(rand.NewPCG(seed, 1))
	old = make([]byte, size)
	for i := range old {
		old[i] = byte(r.Uint32() >> (r.Uint32() % 8))
	}
	fresh = bytes.Clone(old)
	for range size / 200 {
		fresh[r.IntN(size)] += 32
	}
	cut, to := r.IntN(size/2), r.IntN(size/2)
	moved := bytes.Clone(fresh[cut : cut+size/4])
	fresh = append(fresh[:cut:cut], fresh[cut+size/4:]...)
	fresh = append(fresh[:to:to], append(append(moved, []byte("something that was not there before, at all")...), fresh[to:]...)...)
	return old, fresh
}

func apply(old, patch []byte) ([]byte, error) {
	var out bytes.Buffer
	_, err := delta.Apply(context.Background(), &out, bytes.NewReader(old), int64(len(old)), bytes.NewReader(patch), int64(len(patch)))
	return out.Bytes(), err
}

func TestADeltaMakesTheNewProgramOfTheOldOne(t *testing.T) {
	long, longer := programs(7, 300_000)
	one, other := programs(3, 5000)
	for name, c := range map[string][2][]byte{
		"moved and changed": {long, longer}, "back": {longer, long}, "small": {one, other}, "the same": {one, one}, "nothing alike": {one, long},
		"from nothing": {nil, one}, "to nothing": {one, nil}, "nothing at all": {nil, nil}, "cut": {one, one[2000:3000]},
		"its end first": {one, append(bytes.Clone(one[3000:]), one[:3000]...)}, "one byte": {{1}, {2}},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := delta.Make(t.Context(), c[0], c[1])
			if err != nil {
				t.Fatal(err)
			}
			again, err := delta.Make(t.Context(), c[0], c[1])
			if err != nil || !bytes.Equal(patch, again) {
				t.Errorf("made twice it differs: %v", err)
			}
			got, err := apply(c[0], patch)
			if err != nil || !bytes.Equal(got, c[1]) {
				t.Fatalf("%d of %d bytes: %v", len(got), len(c[1]), err)
			}
			h, err := delta.ReadHeader(bytes.NewReader(patch), int64(len(patch)))
			if err != nil || h.FromSize != int64(len(c[0])) || h.ToSize != int64(len(c[1])) {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
	if patch, _ := delta.Make(t.Context(), long, longer); len(patch) > len(longer)/20 {
		t.Errorf("a delta of %d bytes for %d", len(patch), len(longer))
	}
}

func TestADeltaForAnotherProgramIsRefused(t *testing.T) {
	old, fresh := programs(5, 5000)
	patch, err := delta.Make(t.Context(), old, fresh)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(old)
	other[100]++
	for _, wrong := range [][]byte{other, old[:4999], append(bytes.Clone(old), 0), nil, fresh} {
		if out, err := apply(wrong, patch); !errors.Is(err, delta.ErrDelta) || len(out) > 0 {
			t.Errorf("%d bytes written, %v", len(out), err)
		}
	}
}

// crafted is a delta with these streams, for these programs.
func crafted(old, fresh []byte, toSize uint64, streams ...[]byte) []byte {
	patch, err := delta.Make(context.Background(), old, fresh)
	if err != nil {
		panic(err)
	}
	patch = patch[:120]
	binary.LittleEndian.PutUint64(patch[80:], toSize)
	for i, s := range streams {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 9)
		_, _ = w.Write(s)
		_ = w.Close()
		binary.LittleEndian.PutUint64(patch[88+8*i:], uint64(b.Len()))
		patch = append(patch, b.Bytes()...)
	}
	return patch
}

func piece(move int64, take, fresh uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(binary.AppendVarint(nil, move), take), fresh)
}

func TestAHostileDeltaIsRefusedAndWritesNoMoreThanItSays(t *testing.T) {
	old, fresh := []byte("0123456789"), []byte("01234567890123456789")
	stay := binary.AppendUvarint(binary.AppendUvarint(nil, 20), 0)
	bomb := make([]byte, 8<<20)
	good := crafted(old, fresh, 20, append(piece(0, 10, 0), piece(-10, 10, 0)...), stay, nil, nil)
	if out, err := apply(old, good); err != nil || !bytes.Equal(out, fresh) {
		t.Fatalf("the sound one: %q, %v", out, err)
	}
	number := func(at int, n uint64) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint64(b[at:], n)
		return b
	}
	for name, patch := range map[string][]byte{
		"nothing": nil, "short": good[:119], "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
		"a page":                    []byte("<html>please log in"),
		"another beginning":         append([]byte("SSMDLT2\n"), good[8:]...),
		"an old program too large":  number(72, 1<<40),
		"a new program too large":   number(80, 1<<63),
		"a stream beyond the end":   number(88, 1<<62),
		"a stream that wraps":       number(112, ^uint64(0)),
		"reads before the program":  crafted(old, fresh, 20, piece(-1, 10, 0), stay, nil, nil),
		"reads behind the program":  crafted(old, fresh, 20, piece(1, 10, 0), stay, nil, nil),
		"moves far":                 crafted(old, fresh, 20, piece(-1<<62, 10, 0), stay, nil, nil),
		"takes more than it makes":  crafted(old, fresh, 5, piece(0, 10, 0), stay, nil, nil),
		"new beyond what it makes":  crafted(old, fresh, 5, piece(0, 0, 10), nil, nil, bomb),
		"a number that overflows":   crafted(old, fresh, 20, bytes.Repeat([]byte{0xff}, 30), stay, nil, nil),
		"empty pieces without end":  crafted(old, fresh, 20, bomb, stay, nil, nil),
		"empty runs without end":    crafted(old, fresh, 20, piece(0, 10, 0), bomb, nil, nil),
		"no runs":                   crafted(old, fresh, 20, piece(0, 10, 0), nil, nil, nil),
		"no changes":                crafted(old, fresh, 20, piece(0, 10, 0), []byte{0, 10}, nil, nil),
		"no new bytes":              crafted(old, fresh, 20, piece(0, 0, 20), nil, nil, nil),
		"a stream that goes on":     crafted(old, fresh, 20, append(piece(0, 10, 0), piece(-10, 10, 0)...), stay, bomb, nil),
		"another program in effect": crafted(old, fresh, 20, append(piece(0, 10, 0), piece(-9, 9, 1)...), stay, nil, []byte("x")),
	} {
		t.Run(name, func(t *testing.T) {
			out, err := apply(old, patch)
			if !errors.Is(err, delta.ErrDelta) || len(out) > 20 {
				t.Errorf("%d bytes written, %v", len(out), err)
			}
		})
	}
}

func TestApplyingEndsWithItsContext(t *testing.T) {
	old, fresh := programs(1, 5000)
	patch, err := delta.Make(t.Context(), old, fresh)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := delta.Apply(ctx, &bytes.Buffer{}, bytes.NewReader(old), 5000, bytes.NewReader(patch), int64(len(patch))); !errors.Is(err,
		context.Canceled) {
		t.Error(err)
	}
	if _, err := delta.Make(ctx, old, fresh); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzApply(f *testing.F) {
	old, fresh := programs(9, 3000)
	for _, c := range [][2][]byte{{old, fresh}, {old, old}, {old, nil}, {old, fresh[1000:2000]}} {
		patch, err := delta.Make(context.Background(), c[0], c[1])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(patch)
	}
	f.Fuzz(func(t *testing.T, patch []byte) {
		h, _ := delta.ReadHeader(bytes.NewReader(patch), int64(len(patch)))
		out, err := apply(old, patch)
		if int64(len(out)) > h.ToSize {
			t.Fatalf("%d bytes written, it says %d", len(out), h.ToSize)
		}
		if err != nil && !errors.Is(err, delta.ErrDelta) {
			t.Fatal(err)
		}
	})
}

func FuzzMake(f *testing.F) {
	old, fresh := programs(11, 2000)
	f.Add(old, fresh)
	f.Add([]byte{}, old)
	f.Fuzz(func(t *testing.T, old, fresh []byte) {
		patch, err := delta.Make(context.Background(), old, fresh)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := apply(old, patch); err != nil || !bytes.Equal(got, fresh) {
			t.Fatalf("%d of %d bytes: %v", len(got), len(fresh), err)
		}
	})
}

// The programs of two releases, where scripts/delta.sh has built them: DELTA_OLD and DELTA_NEW are their files.
func TestRatioOfTwoPrograms(t *testing.T) {
	if os.Getenv("DELTA_OLD") == "" {
		t.Skip("measured by scripts/delta.sh")
	}
	old, err := os.ReadFile(os.Getenv("DELTA_OLD"))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := os.ReadFile(os.Getenv("DELTA_NEW"))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := delta.Make(t.Context(), old, fresh)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("DELTA_OUT"), patch, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := apply(old, patch); err != nil || !bytes.Equal(got, fresh) {
		t.Fatal(err)
	}
}

// Applying as a process of its own, for its memory: DELTA_OLD and DELTA_PATCH are files.
func TestApplyAlone(t *testing.T) {
	if os.Getenv("DELTA_PATCH") == "" {
		t.Skip("measured by scripts/delta.sh")
	}
	var files [2]*os.File
	var sizes [2]int64
	for i, name := range []string{os.Getenv("DELTA_OLD"), os.Getenv("DELTA_PATCH")} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		files[i], sizes[i] = f, info.Size()
	}
	if _, err := delta.Apply(t.Context(), io.Discard, files[0], sizes[0], files[1], sizes[1]); err != nil {
		t.Fatal(err)
	}
}
