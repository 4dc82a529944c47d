package ssmmessages

import "time"

// Disturbance is what becomes of one frame of a channel. The zero value lets it pass.
type Disturbance struct {
	Drop    bool          // it is lost
	Twice   bool          // it comes twice
	Corrupt bool          // one byte of its payload is another; to nodes only
	Cut     bool          // the connection ends in the middle of it; from nodes: before it
	Delay   time.Duration // it comes so much later, and all that follow
}

// Disturb has f decide what becomes of every frame; nil ends it. kind is the frame's type.
func (s *Channels) Disturb(f func(toNode bool, kind string) Disturbance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disturb = f
}

func (s *Channels) disturbance(toNode bool, kind string) Disturbance {
	s.mu.Lock()
	f := s.disturb
	s.mu.Unlock()
	if f == nil {
		return Disturbance{}
	}
	return f(toNode, kind)
}

// CloseAll ends the open channels of a node ("": of all nodes), without a word.
func (s *Channels) CloseAll(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, list := range s.open {
		for _, c := range list {
			if node == "" || id == node {
				c.end()
			}
		}
	}
}

// Open is how many channels a node has open.
func (s *Channels) Open(node string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open[node])
}
