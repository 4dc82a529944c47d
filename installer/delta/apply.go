package delta

import (
	"bufio"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
)

// block is how much is read, changed and written at once, in bytes.
const block = 64 << 10

// Apply writes to out the program that a delta of size bytes makes of the old one. ErrDelta for a delta that is damaged, hostile or for
// another program; then, and after any other error, what out got is worth nothing.
func Apply(ctx context.Context, out io.Writer, old io.ReaderAt, oldSize int64, patch io.ReaderAt, size int64) (Header, error) {
	h, err := ReadHeader(patch, size)
	if err != nil {
		return h, err
	}
	if oldSize != h.FromSize {
		return h, fmt.Errorf("%w: it is for a program of %d bytes, this one has %d", ErrDelta, h.FromSize, oldSize)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, &stopping{ctx.Err, io.NewSectionReader(old, 0, oldSize)}); err != nil {
		return h, err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != h.From {
		return h, fmt.Errorf("%w: it is for the program with SHA-256 %s, this one has %s", ErrDelta, h.From, got)
	}
	a := &applying{ended: ctx.Err, h: h, old: old, out: out, sum: sha256.New(), buf: make([]byte, block)}
	at := int64(headerSize)
	for i, n := range h.streams {
		a.streams[i] = bufio.NewReaderSize(flate.NewReader(bufio.NewReader(io.NewSectionReader(patch, at, n))), 4<<10)
		at += n
	}
	if err := a.pieces(); err != nil {
		return h, err
	}
	if got := hex.EncodeToString(a.sum.Sum(nil)); got != h.To {
		return h, fmt.Errorf("%w: it makes a program with SHA-256 %s, and says %s", ErrDelta, got, h.To)
	}
	return h, nil
}

// stopping reads until its context ends.
type stopping struct {
	ended func() error
	r     io.Reader
}

func (s *stopping) Read(p []byte) (int, error) {
	if err := s.ended(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// applying is one delta at work.
type applying struct {
	ended   func() error // of the caller's context
	h       Header
	old     io.ReaderAt
	out     io.Writer
	sum     hash.Hash
	streams [streams]*bufio.Reader
	buf     []byte

	made, at     int64 // how much of the new program is written, and where in the old one the next piece begins by itself
	stay, change int64 // what is left of the present run
}

// pieces follows the control stream to its end.
func (a *applying) pieces() error {
	for a.made < a.h.ToSize {
		if err := a.piece(); err != nil {
			return err
		}
	}
	for _, s := range a.streams {
		if _, err := s.ReadByte(); !errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: a stream of it does not end with its last piece", ErrDelta)
		}
	}
	return nil
}

// piece follows one piece.
func (a *applying) piece() error {
	move, err := binary.ReadVarint(a.streams[control])
	if err != nil {
		return damaged(err)
	}
	take, err := a.length(control, a.h.ToSize-a.made)
	if err != nil {
		return err
	}
	fresh, err := a.length(control, a.h.ToSize-a.made-take)
	if err != nil {
		return err
	}
	if move > a.h.FromSize || move < -a.h.FromSize || a.at+move < 0 || a.at+move > a.h.FromSize || take > a.h.FromSize-(a.at+move) {
		return fmt.Errorf("%w: it leads outside the old program", ErrDelta)
	}
	if take == 0 && fresh == 0 {
		return fmt.Errorf("%w: a piece of it is empty", ErrDelta)
	}
	a.at += move
	if err := a.changed(take); err != nil {
		return err
	}
	return a.fresh(fresh)
}

// length is the next number of a stream, at most most.
func (a *applying) length(stream int, most int64) (int64, error) {
	n, err := binary.ReadUvarint(a.streams[stream])
	if err != nil {
		return 0, damaged(err)
	}
	if n > uint64(max(most, 0)) {
		return 0, fmt.Errorf("%w: a piece of it is longer than what is left", ErrDelta)
	}
	return int64(n), nil
}

// changed writes the next bytes of the old program, those of the runs changed.
func (a *applying) changed(n int64) error {
	for n > 0 {
		part := a.buf[:min(n, block)]
		if _, err := a.old.ReadAt(part, a.at); err != nil {
			return err
		}
		if err := a.add(part); err != nil {
			return err
		}
		if err := a.write(part); err != nil {
			return err
		}
		a.at += int64(len(part))
		n -= int64(len(part))
	}
	return nil
}

// add changes the bytes of a part that the runs name.
func (a *applying) add(part []byte) (err error) {
	for len(part) > 0 {
		if a.stay == 0 && a.change == 0 {
			if a.stay, err = a.length(runs, MostProgram); err != nil {
				return err
			}
			if a.change, err = a.length(runs, MostProgram); err != nil {
				return err
			}
			if a.stay == 0 && a.change == 0 {
				return fmt.Errorf("%w: a run of it is empty", ErrDelta)
			}
		}
		skip := min(a.stay, int64(len(part)))
		part, a.stay = part[skip:], a.stay-skip
		if a.stay > 0 {
			continue
		}
		n := min(a.change, int64(len(part)))
		for i := range part[:n] {
			by, err := a.streams[changes].ReadByte()
			if err != nil {
				return damaged(err)
			}
			part[i] += by
		}
		part, a.change = part[n:], a.change-n
	}
	return nil
}

// fresh writes the next bytes that the old program does not have.
func (a *applying) fresh(n int64) error {
	for n > 0 {
		part := a.buf[:min(n, block)]
		if _, err := io.ReadFull(a.streams[added], part); err != nil {
			return damaged(err)
		}
		if err := a.write(part); err != nil {
			return err
		}
		n -= int64(len(part))
	}
	return nil
}

func (a *applying) write(part []byte) error {
	if err := a.ended(); err != nil {
		return err
	}
	a.sum.Write(part)
	a.made += int64(len(part))
	_, err := a.out.Write(part)
	return err
}

// damaged is what a stream's error says of the delta; a fault of the disk that it lies on stays one.
func damaged(err error) error {
	if disk := (*fs.PathError)(nil); errors.As(err, &disk) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDelta, err)
}
