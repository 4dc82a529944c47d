package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// What may be kept in memory while the disk takes nothing: commands at once, and the inputs of a command's steps, in bytes.
const (
	mostInMemory   = 5
	largestScripts = 64 << 10
)

// answered is the folder, in memory, of names of jobs that were answered while the disk did not let their state files go.
const answered = "answered"

// Why a job is not kept in memory either.
var (
	errNoMemory  = errors.New("this system has no folder in memory for it")
	errMany      = fmt.Errorf("%d commands are kept in memory already", mostInMemory)
	errTooLarge  = fmt.Errorf("its scripts are larger than %d KiB", largestScripts>>10)
	errNotClosed = errors.New("its folder in memory is open to others")
)

// InMemory tells whether a job is kept in memory, because the disk took nothing.
func (j *Job) InMemory() bool { return j.inMemory }

// KeepInMemory keeps a job that the disk does not take in a folder in memory, until the system is booted anew. Five jobs at most are
// kept there, with 64 KiB of inputs each; the error says what is in the way. A state file of the job on disk is removed: a job is in
// one place. why is what the disk said.
func (j *Journal) KeepInMemory(job *Job, why error) error {
	if err := j.fitsMemory(job); err != nil {
		return err
	}
	if err := j.makeMemory(); err != nil {
		return err
	}
	job.inMemory, job.SsmSetup.NoDisk = true, why.Error()
	err := j.write(pending, job)
	job.inMemory = false
	if err == nil {
		err = errors.Join(remove(j.file(pending, job.ID())), remove(j.file(current, job.ID())))
	}
	if err != nil {
		return errors.Join(err, remove(job.ID().In(j.memoryState(pending))))
	}
	job.inMemory = true
	return nil
}

func (j *Journal) fitsMemory(job *Job) error {
	size := 0
	for _, p := range job.InstancePluginsInformation {
		inputs, err := json.Marshal(p.Configuration.Properties)
		if err != nil {
			return err
		}
		size += len(inputs)
	}
	switch {
	case j.memory == "":
		return errNoMemory
	case size > largestScripts:
		return errTooLarge
	case len(names(j.memoryState(pending)))+len(names(j.memoryState(current))) >= mostInMemory:
		return errMany
	}
	return nil
}

// makeMemory makes the folders in memory, for this account alone.
func (j *Journal) makeMemory() error {
	for _, dir := range []string{filepath.Dir(j.memory), j.memory, j.memoryState(pending), j.memoryState(current),
		filepath.Join(j.memory, answered), filepath.Join(j.memory, "channels")} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	for _, dir := range []string{filepath.Dir(j.memory), j.memory} {
		if !host.OwnFolder(dir) {
			return fmt.Errorf("%w: %s", errNotClosed, dir)
		}
	}
	return nil
}

func (j *Journal) memoryState(name string) string {
	if j.memory == "" {
		return ""
	}
	return filepath.Join(j.memory, name)
}

// Scratch is a folder in memory for what a job's worker cannot put on disk; "" where the system has none.
func (j *Journal) Scratch(job *Job) string {
	if j.memory == "" {
		return ""
	}
	return job.ID().In(filepath.Join(j.memory, "scratch"))
}

// CancelAway is the file, in memory, of an order to stop a job whose own folder takes none; "" where the system has no such memory.
func (j *Journal) CancelAway(id host.Name) string {
	if j.memory == "" {
		return ""
	}
	return id.In(filepath.Join(j.memory, "cancel"))
}

// names are the entries of a folder; none of one that is missing.
func names(dir string) (list []string) {
	if dir == "" {
		return nil
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name()[0] != '.' {
			list = append(list, e.Name())
		}
	}
	return list
}

// loadMemory adds what an earlier agent of this boot kept in memory. What it had not begun is not run any more: nothing but that
// agent knew what became of it.
func (j *Journal) loadMemory(l *Loaded) {
	for _, where := range []string{pending, current} {
		for _, id := range names(j.memoryState(where)) {
			job, err := readJob(filepath.Join(j.memoryState(where), id), id)
			if err != nil {
				os.Remove(filepath.Join(j.memoryState(where), id))
				continue
			}
			job.inMemory = true
			if where == current {
				l.Current = append(l.Current, job)
				continue
			}
			l.Broken = append(l.Broken, Broken{ID: id, Job: job, where: where,
				Reason: "it was kept in memory, as the disk took nothing, and the agent ended before it ran"})
		}
	}
}

// noteAnswered notes in memory that a job was answered which the disk does not let go: no agent of this boot runs it again.
func (j *Journal) noteAnswered(id host.Name) {
	if j.memory != "" && j.makeMemory() == nil {
		_ = os.Mkdir(id.In(filepath.Join(j.memory, answered)), 0o700)
	}
}

// removeMoved removes from the disk what is kept in memory: a crash came between the two. It names these jobs.
func (j *Journal) removeMoved() []string {
	moved := slices.Concat(names(j.memoryState(pending)), names(j.memoryState(current)))
	for _, text := range moved {
		if id, err := host.CheckName(text); err == nil {
			_ = errors.Join(remove(j.file(pending, id)), remove(j.file(current, id))) // not loaded, whatever comes of it
		}
	}
	return moved
}

// removeAnswered tries once more to remove what was answered, and names what the disk still has.
func (j *Journal) removeAnswered() (left []string) {
	if j.memory == "" {
		return nil
	}
	dir := filepath.Join(j.memory, answered)
	for _, text := range names(dir) {
		id, err := host.CheckName(text)
		if err != nil {
			continue
		}
		if errors.Join(remove(j.file(pending, id)), remove(j.file(current, id))) != nil {
			left = append(left, text)
			continue
		}
		_ = os.RemoveAll(j.Channel(id))
		os.Remove(id.In(dir))
	}
	return left
}

// without is ids without those of others.
func without(ids, others []string) []string {
	return slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(others, id) })
}
