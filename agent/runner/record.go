package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// record is the events file as the worker writes it.
type record struct {
	file *os.File
	seq  int
	end  int64  // where the next event goes
	told func() // wakes the reader; after the sync
}

// openRecord opens the events of a job, cuts off a torn tail and returns what is there.
func openRecord(dir string, told func()) (*record, []Event, error) {
	f, err := os.OpenFile(filepath.Join(dir, eventsFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	events, end, err := readEvents(f, 0)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	reserve(f, end)
	return &record{file: f, seq: len(events), end: end, told: told}, events, nil
}

// add appends events in one write and one sync.
func (r *record) add(events ...Event) error {
	var lines bytes.Buffer
	for _, e := range events {
		r.seq++
		e.Seq = r.seq
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	if _, err := r.file.Write(lines.Bytes()); err != nil {
		return fmt.Errorf("cannot record what happened: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("cannot record what happened: %w", err)
	}
	r.told()
	r.end += int64(lines.Len())
	reserve(r.file, r.end)
	return nil
}

// loadEvents reads the events of a job; a missing file holds none.
func loadEvents(dir string) ([]Event, error) {
	f, err := os.Open(filepath.Join(dir, eventsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, _, err := readEvents(f, 0)
	return events, err
}

// readEvents reads whole lines from an offset on and tells where they end. It stops before a line that is not whole or
// not an event: what a power cut left.
func readEvents(f io.ReaderAt, from int64) ([]Event, int64, error) {
	rest, err := io.ReadAll(io.NewSectionReader(f, from, 1<<62-from))
	if err != nil {
		return nil, from, err
	}
	var events []Event
	for {
		line, tail, whole := bytes.Cut(rest, []byte{'\n'})
		var e Event
		if !whole || json.Unmarshal(line, &e) != nil || e.Seq == 0 {
			return events, from, nil
		}
		events = append(events, e)
		from += int64(len(line)) + 1
		rest = tail
	}
}

// state is what the events of a job say about it.
type state struct {
	begun   bool // a worker had it
	waiting bool // its last run ended and asked for a reboot
	happens bool // that reboot did not happen yet: the boot is the same
	last    int  // Seq of the last event
	begin   int  // Seq of the last event of earlier boots; a Done after it is the end
}

// untold tells whether the wish for a reboot that did not happen yet was not told to a reader that knows events up to
// after.
func (s state) untold(after int) bool { return s.happens && after < s.last }

// stateOf reads the state; boot is the present boot id, empty when unknown.
func stateOf(events []Event, boot string) state {
	if len(events) == 0 {
		return state{}
	}
	last := events[len(events)-1]
	s := state{begun: true, waiting: last.reboots(), last: last.Seq}
	s.happens = s.waiting && last.Boot == boot
	for _, e := range events {
		if e.reboots() && (e.Seq < last.Seq || !s.happens) {
			s.begin = e.Seq
		}
	}
	return s
}

// earlier collects the results of steps by their place in the document.
func earlier(events []Event) map[int]Result {
	results := map[int]Result{}
	for _, e := range events {
		if e.Kind == Step && e.Result != nil {
			results[e.Step] = *e.Result
		}
	}
	return results
}
