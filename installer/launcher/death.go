package launcher

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Death is the note of how an agent ended that was not asked to, or that could not be started. It is for people and for the
// updater; what is started next never depends on it.
type Death struct {
	Version  string    // [pointer.Floor], or a version of the store
	Floor    string    // the launcher's own version: the floor's
	Sequence uint64    // of the pointer it was started under
	PID      int       // 0: it was never a process
	At       time.Time // to the second
	How      string    // "exit code 3", "signal 9", or what began with one of the words below
}

// What a note's How begins with where no process ended.
const (
	notStarted = "cannot be started: " // the version's program cannot be run
	notTried   = "cannot be tried: "   // the machine is in the way: its disk failed, or has no room
)

// HostFault tells what of the machine kept the version from being tried, if that is what the note says. Notes of earlier launchers
// never say so.
func (d Death) HostFault() (cause string, ok bool) { return strings.CutPrefix(d.How, notTried) }

// FromOutside reports whether a process ended by a signal that says nothing of the program: another program sent it, or the system
// that had no memory left. Everything else is the program's own doing: an exit code, a fault, silence.
func (d Death) FromOutside() bool { return fromOutside(d.How) }

// ErrDeath says that the file holds no whole note.
var ErrDeath = errors.New("no whole note of a death in the file")

// noteSize is the size of the note's file in bytes: it is overwritten in place.
const noteSize = 512

// ReadDeath reads the note of the last death. fs.ErrNotExist: there was none since the pointer's folder was made.
func ReadDeath(p pointer.Paths) (Death, error) {
	b, err := os.ReadFile(p.Death())
	if err != nil {
		return Death{}, err
	}
	text := strings.TrimRight(string(b), " \n")
	f := strings.SplitN(text, " ", 6)
	if len(b) != noteSize || len(f) != 6 {
		return Death{}, ErrDeath
	}
	d := Death{Version: f[0], Floor: f[1], How: f[5]}
	var errs [3]error
	d.Sequence, errs[0] = strconv.ParseUint(f[2], 10, 64)
	d.PID, errs[1] = strconv.Atoi(f[3])
	d.At, errs[2] = time.Parse(time.RFC3339, f[4])
	if errors.Join(errs[:]...) != nil {
		return Death{}, ErrDeath
	}
	return d, nil
}

// text is the note as the file has it: its fields in a line, the last one free text.
func (d Death) text() string {
	line := strings.Join([]string{d.Version, d.Floor, strconv.FormatUint(d.Sequence, 10), strconv.Itoa(d.PID),
		d.At.UTC().Format(time.RFC3339), strings.ReplaceAll(d.How, "\n", " ")}, " ")
	line = line[:min(len(line), noteSize-1)]
	return line + strings.Repeat(" ", noteSize-1-len(line)) + "\n"
}

// noteFile takes whole notes; what cannot be written is lost.
type noteFile string

func (path noteFile) Write(note []byte) (int, error) {
	f, err := os.OpenFile(string(path), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.WriteAt(note, 0)
}

// noteDeath has a death written down by another goroutine: the loop waits for no disk.
func (l *loop) noteDeath(t pointer.Target, sequence uint64, pid int, how string) {
	l.notes.send(Death{Version: t.Version, Floor: l.Stamp, Sequence: sequence, PID: pid, At: l.System.Now(), How: how}.text())
}
