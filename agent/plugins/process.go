package plugins

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// errStopped: the context ended before the process did.
var errStopped = errors.New("stopped")

// reapTime is how long a killed process may take to be gone before it is left to itself.
const reapTime = 5 * time.Second

// run runs cmd as a process group of its own until it ended and every process that holds its stdout or stderr
// has closed them. When ctx ends first, the streams are cut, then the group is killed (Windows: the process and its descendants).
// Stdin is null.
func run(ctx context.Context, cmd *exec.Cmd, stdout, stderr io.Writer) error {
	if ctx.Err() != nil {
		return errStopped
	}
	pipes, err := connect(cmd, stdout, stderr)
	if err != nil {
		return err
	}
	defer pipes.cut()
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	pipes.started()
	// The process is waited for only after its streams ended: until then it is at worst a zombie, and its group's
	// number cannot be given to another.
	ended := make(chan error, 1)
	go func() {
		pipes.wait()
		ended <- cmd.Wait()
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	pipes.stop()
	killGroup(cmd)
	close(pipes.killed)
	select {
	case <-ended: //nolint:errcheck // it was killed
	case <-time.After(reapTime):
	}
	return errStopped
}

// pipes carry the two streams.
type pipes struct {
	near     []*nearEnd
	far      []*os.File
	copying  sync.WaitGroup
	stopping atomic.Bool
	killed   chan struct{} // closed after the kill that follows stop
	mu       sync.Mutex
	muted    bool
	writers  []io.Writer
}

func connect(cmd *exec.Cmd, stdout, stderr io.Writer) (*pipes, error) {
	p := &pipes{writers: []io.Writer{stdout, stderr}, killed: make(chan struct{})}
	for range 2 {
		near, far, err := openPipe()
		if err != nil {
			p.cut()
			return nil, err
		}
		p.near, p.far = append(p.near, near), append(p.far, far)
	}
	cmd.Stdout, cmd.Stderr = p.far[0], p.far[1]
	return p, nil
}

// started closes the process's ends and begins to copy.
func (p *pipes) started() {
	for _, f := range p.far {
		f.Close()
	}
	p.copying.Add(2)
	for i := range p.near {
		go func() {
			defer p.copying.Done()
			buf := make([]byte, 32<<10)
			for {
				n, err := p.near[i].Read(buf)
				p.pass(i, buf[:n])
				if err != nil {
					return
				}
			}
		}()
	}
}

func (p *pipes) pass(i int, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.muted && len(b) > 0 {
		_, _ = p.writers[i].Write(b) // never fails, see Call
	}
}

// wait returns when the streams ended or, after stop, when the process was killed.
func (p *pipes) wait() {
	p.copying.Wait()
	if p.stopping.Load() {
		<-p.killed
	}
}

// stop keeps what lies in the pipes; nothing that still comes is kept.
func (p *pipes) stop() {
	p.stopping.Store(true)
	for _, near := range p.near {
		near.interrupt()
	}
	p.copying.Wait()
	for i, near := range p.near {
		p.pass(i, near.unread())
	}
	p.mu.Lock()
	p.muted = true
	p.mu.Unlock()
}

// cut closes our ends.
func (p *pipes) cut() {
	for _, near := range p.near {
		near.Close()
	}
	for _, far := range p.far {
		far.Close()
	}
}
