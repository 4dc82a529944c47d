package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// life is how long after its creation a command may be resumed (docs/protocol/runcommand.md, "Start-up with open commands"),
// and after it was accepted here.
const life = 48 * time.Hour

// Broken is a job that must be given up: report it, then hand it to [Journal.GiveUp].
type Broken struct {
	ID     string
	Job    *Job // nil when the file cannot be read
	Reason string
	where  string
}

// Loaded is what an earlier process left behind: Current first, then Pending, each in the order of acceptance.
type Loaded struct {
	Current, Pending []*Job
	Broken           []Broken
}

// Load applies the rules of a start (docs/protocol/runcommand.md, "Start-up with open commands"): pending is listed first,
// then current is gone through; there limit is how many starts a job may have seen, and every one that is resumed is saved
// with one more. undated names the lanes whose messages carry no usable creation date; nil: none. What cannot be saved, on a
// full disk, is loaded all the same, and the error says so: a command that was accepted has to be answered.
func (j *Journal) Load(limit int, now time.Time, undated func(lane string) bool) (Loaded, error) {
	if undated == nil {
		undated = func(string) bool { return false }
	}
	var l Loaded
	failed := j.make()
	waiting, unlisted := j.list(pending)
	running, err := j.list(current)
	unlisted = errors.Join(unlisted, err)
	failed = errors.Join(failed, unlisted)
	done := slices.Concat(j.removeAnswered(), j.removeMoved())
	waiting, running = without(waiting, done), without(running, done)
	var cancels []*Job
	for _, id := range running {
		job, broken := j.open(current, id)
		if broken == nil && job.DocumentType != SendCommand {
			cancels = append(cancels, job)
			continue
		}
		if broken == nil {
			broken = worn(job, limit, now, undated)
		}
		if broken != nil {
			l.Broken = append(l.Broken, *broken)
			continue
		}
		job.DocumentInformation.RunCount++
		failed = errors.Join(failed, j.Save(job))
		l.Current = append(l.Current, job)
	}
	for _, id := range waiting {
		job, broken := j.open(pending, id)
		if broken != nil {
			l.Broken = append(l.Broken, *broken)
			continue
		}
		if job.DocumentType != SendCommand {
			cancels = append(cancels, job)
			continue
		}
		l.Pending = append(l.Pending, job)
	}
	j.loadMemory(&l)
	byAge := func(a, b *Job) int {
		return cmp.Or(a.SsmSetup.Accepted.Compare(b.SsmSetup.Accepted), strings.Compare(a.DocumentInformation.RunID, b.DocumentInformation.RunID))
	}
	slices.SortStableFunc(l.Current, byAge)
	slices.SortStableFunc(l.Pending, byAge)
	failed = errors.Join(failed, j.applyCancels(l, cancels))
	if unlisted == nil {
		j.sweep(slices.Concat(running, waiting))
	}
	return l, errors.Join(failed, j.markAll(l))
}

// sweep removes workers' folders without a job: a crash came within the removals of Done, or before a job whose
// worker was started ahead was on disk. Folders of the original look different and are let alone.
func (j *Journal) sweep(open []string) {
	entries, _ := os.ReadDir(j.channels())
	for _, e := range entries {
		if dir := filepath.Join(j.channels(), e.Name()); !slices.Contains(open, e.Name()) && isChannel(dir) {
			os.RemoveAll(dir)
		}
	}
}

// isChannel tells whether a folder is one of our workers, or what a crash left of one: any of its files may be gone.
func isChannel(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		switch e.Name() { // the files of agent/runner
		case "log", "job.json", ".job.json", "events", "lock":
			return true
		}
	}
	return len(entries) == 0
}

// applyCancels does what cancels say that an original agent left behind. Files of other types are not ours: they stay.
func (j *Journal) applyCancels(l Loaded, cancels []*Job) (failed error) {
	for _, c := range cancels {
		if c.DocumentType != CancelCommand {
			continue
		}
		var err error
		for _, job := range slices.Concat(l.Current, l.Pending) {
			if job.DocumentInformation.MessageID == c.CancelInformation.CancelMessageID {
				job.SsmSetup.Cancelled = true
				err = errors.Join(err, j.Save(job))
			}
		}
		if err == nil {
			err = j.Done(c)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// list names the files of a folder; what a crash left half written is cleared away.
func (j *Journal) list(where string) ([]string, error) {
	entries, err := os.ReadDir(j.state(where))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var ids []string
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
			os.Remove(filepath.Join(j.state(where), e.Name()))
		case e.Type().IsRegular():
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

func (j *Journal) open(where, id string) (*Job, *Broken) {
	job, err := j.read(where, id)
	if err != nil {
		return nil, &Broken{ID: id, Reason: "its state file cannot be read: " + err.Error(), where: where}
	}
	return job, nil
}

// worn says why a job of current is not resumed, if so.
func worn(job *Job, limit int, now time.Time, undated func(string) bool) *Broken {
	info := job.DocumentInformation
	b := &Broken{ID: info.DocumentID, Job: job, where: current}
	created, err := wire.ParseISOMillis(info.CreatedDate)
	switch {
	case job.SsmSetup.FinalReply != nil: // only to be answered
		return nil
	case info.RunCount >= limit:
		b.Reason = fmt.Sprintf("the agent was started %d times while it ran", info.RunCount)
	case err != nil && !undated(job.UpstreamServiceName):
		b.Reason = fmt.Sprintf("its creation date %q cannot be read", info.CreatedDate)
	case err == nil && now.Sub(created) > life && now.Sub(job.SsmSetup.Accepted) > life: // our clock may be days off the service's
		b.Reason = "it was created more than 48 hours ago"
	default:
		return nil
	}
	return b
}

// markAll makes good what a crash between a job's file and its mark left out.
func (j *Journal) markAll(l Loaded) (failed error) {
	for _, job := range slices.Concat(l.Current, l.Pending) {
		if job.inMemory {
			continue
		}
		failed = errors.Join(failed, j.Mark(job.DocumentType, job.ID()))
	}
	return failed
}
