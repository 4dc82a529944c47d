package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Journal is the tree of one instance. One process writes it at a time: the holder of the agent lock.
type Journal struct {
	dir           string
	memory        string // a folder in memory, for what the disk does not take; "": there is none
	orchestration string
	retry         time.Duration
}

const (
	pending   = "pending"
	current   = "current"
	corrupt   = "corrupt"
	completed = "completed"
)

// Open makes the tree under data for an instance (its short id) where it is missing. orchestration is the name of the
// folder for outputs, setting Agent.OrchestrationRootDir; memory is the system's folder for files in memory, "" where it has none.
// A disk that is full or read-only is no error: [Journal.Load] and [Journal.Accept] say what is wrong with it.
func Open(data, instanceID, orchestration, memory string) (*Journal, error) {
	instance, err := host.CheckName(instanceID)
	if err == nil {
		_, err = host.CheckName(orchestration)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{dir: instance.In(data), orchestration: orchestration, retry: 500 * time.Millisecond}
	if memory != "" {
		j.memory = instance.In(filepath.Join(memory, "ssm-setup"))
	}
	_ = j.make()
	// The folder is not used: a disk that is full or read-only is no reason to do without a journal that is there.
	_ = errors.Join(os.RemoveAll(j.state(completed)), os.MkdirAll(j.state(completed), 0o700))
	return j, nil
}

// make makes the folders that are missing.
func (j *Journal) make() error {
	for _, d := range []string{j.state(pending), j.state(current), j.state(corrupt),
		j.AllOutputs(), filepath.Join(j.dir, "replies"), filepath.Join(j.dir, "replies_mgs"),
		j.channels(), j.seen(SendCommand), j.seen(CancelCommand)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return nil
}

func (j *Journal) state(name string) string { return filepath.Join(j.dir, "document", "state", name) }

// Directory is the instance's folder, <data>/<short instance id>.
func (j *Journal) Directory() string { return j.dir }

// AllOutputs is the folder of the outputs of all commands, by their ids.
func (j *Journal) AllOutputs() string { return filepath.Join(j.dir, "document", j.orchestration) }

// Outputs is the folder of a command's outputs.
func (j *Journal) Outputs(id host.Name) string { return id.In(j.AllOutputs()) }

// OutputsOf is the folder of a job's outputs, wherever the job is kept.
func (j *Journal) OutputsOf(job *Job) string {
	if job.inMemory {
		return j.Scratch(job)
	}
	return j.Outputs(job.ID())
}

func (j *Journal) channels() string { return filepath.Join(j.dir, "channels") }

// Channel is the folder of a job's worker.
func (j *Journal) Channel(id host.Name) string { return id.In(j.channels()) }

// ChannelOf is the folder of a job's worker, wherever the job is kept.
func (j *Journal) ChannelOf(job *Job) string {
	if job.inMemory {
		return job.ID().In(filepath.Join(j.memory, "channels"))
	}
	return j.Channel(job.ID())
}

// file is the path of a state file on disk.
func (j *Journal) file(where string, id host.Name) string { return id.In(j.state(where)) }

// fileOf is the path of a job's state file, wherever the job is kept.
func (j *Journal) fileOf(where string, job *Job) string {
	if job.inMemory {
		return job.ID().In(j.memoryState(where))
	}
	return j.file(where, job.ID())
}

// What [Journal.Accept] may say besides what the disk does.
var (
	ErrName = errors.New("id cannot name a file")
	ErrLeft = errors.New("what was begun of it cannot be removed") // a later agent may run it
)

// Accept puts a job into pending and marks it as received. After nil it survives a power cut; after an error nothing of it is
// left, but for [ErrLeft]: the service may have given the command up when the next agent reads the journal.
func (j *Journal) Accept(job *Job) error {
	if job.ID().IsZero() {
		return fmt.Errorf("%w: %q", ErrName, job.DocumentInformation.DocumentID)
	}
	err := j.write(pending, job)
	if errors.Is(err, fs.ErrNotExist) { // the disk did not let them be made, or they were removed
		if err = j.make(); err == nil {
			err = j.write(pending, job)
		}
	}
	if err == nil {
		err = j.Mark(job.DocumentType, job.ID())
	}
	if err == nil {
		return nil
	}
	if left := remove(j.file(pending, job.ID())); left != nil {
		return errors.Join(err, ErrLeft, left)
	}
	return err
}

func (j *Journal) write(where string, job *Job) error {
	text, err := job.text()
	if err != nil {
		return fmt.Errorf("journal: %s: %w", job.ID(), err)
	}
	if err := host.WriteFile(j.fileOf(where, job), text, 0o600); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	job.size = len(text)
	return nil
}

// Waiting reads a job that waits for its turn.
func (j *Journal) Waiting(id host.Name) (*Job, error) { return j.read(pending, id.String()) }

// Begin moves a job from pending to current. It is not synced: after a power cut the job is in one of the two.
func (j *Journal) Begin(job *Job) error {
	err := os.Rename(j.fileOf(pending, job), j.fileOf(current, job))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a resumed job is there already
	}
	return err
}

// Save writes a job again where it lies.
func (j *Journal) Save(job *Job) error {
	where := current
	if _, err := os.Lstat(j.fileOf(pending, job)); err == nil {
		where = pending
	}
	return j.write(where, job)
}

// Done forgets a job that was answered, its worker's folder included. That one stays as long as the job does: without it the
// next agent would find a job that was never begun.
func (j *Journal) Done(job *Job) error {
	err := errors.Join(remove(j.fileOf(pending, job)), remove(j.fileOf(current, job)))
	if err != nil {
		j.noteAnswered(job.ID())
		return err
	}
	if job.inMemory {
		os.RemoveAll(j.Scratch(job))
	}
	os.Remove(j.CancelAway(job.ID()))
	return os.RemoveAll(j.ChannelOf(job))
}

func remove(path string) error {
	err := os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, no := os.Lstat(path); errors.Is(no, fs.ErrNotExist) || errors.Is(no, syscall.ENOTDIR) {
		return nil // a read-only file system says of any name that it is one
	}
	return err
}

// GiveUp moves a job to corrupt and removes its worker's folder. One that is kept in memory is removed.
func (j *Journal) GiveUp(b Broken) error {
	if b.Job != nil && b.Job.inMemory {
		return j.Done(b.Job)
	}
	if err := os.Rename(filepath.Join(j.state(b.where), b.ID), filepath.Join(j.state(corrupt), b.ID)); err != nil {
		return err
	}
	id, err := host.CheckName(b.ID)
	if err != nil {
		return nil // a file with such a name was never a job of a worker
	}
	return os.RemoveAll(j.Channel(id))
}

// Write puts data under path whole or not at all, mode 0600; the folder is made where it is missing. For other rooms
// that keep something in the same tree.
func Write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return host.WriteFile(path, data, 0o600)
}

// read reads one state file, three times before it is called unreadable.
func (j *Journal) read(where, id string) (*Job, error) {
	var err error
	for n := range 3 {
		if n > 0 {
			time.Sleep(j.retry)
		}
		var job *Job
		if job, err = readJob(filepath.Join(j.state(where), id), id); err == nil {
			return job, nil
		}
	}
	return nil, err
}

// readJob reads the state file of the job with that id.
func readJob(path, id string) (*Job, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	job := &Job{read: data, size: len(data)}
	if err := json.Unmarshal(data, job); err != nil {
		return nil, err
	}
	if job.ID().String() != id {
		return nil, fmt.Errorf("document id %q in the file %s", job.DocumentInformation.DocumentID, id)
	}
	return job, nil
}
