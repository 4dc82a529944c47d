package records

import "sync"

// signals lets calls sleep until something happens to a key, for example "mail/<node id>".
type signals struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

// Changed returns a channel that the next signal of key closes. Take it before reading the state, then read, then wait: so no
// signal is missed.
func (s *Store) Changed(key string) <-chan struct{} {
	w := &s.signals
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.open[key]; ok {
		return c
	}
	if w.open == nil {
		w.open = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	w.open[key] = c
	return c
}

// Signal ends every wait for key once the change is on disk.
func (tx *Tx) Signal(key string) { tx.OnCommit(func() { tx.store.Signal(key) }) }

// Signal ends every wait for key.
func (s *Store) Signal(key string) {
	w := &s.signals
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.open[key]; ok {
		close(c)
		delete(w.open, key)
	}
}

// SignalAll ends every wait, so that what became due with the clock happens.
func (s *Store) SignalAll() {
	w := &s.signals
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, c := range w.open {
		close(c)
		delete(w.open, key)
	}
}
