package pointer

import "slices"

// Facts are what the order of the ring depends on besides the pointer.
type Facts struct {
	Floor  string // version of the floor: the launcher's own stamp
	Whole  bool   // the floor's agent carries the same stamp, so no package action stopped half way
	Tokens int    // tokens left for the pointer's sequence
}

// Ring is the order in which agents are tried: active, previous, floor, set aside. Every target stands in it once.
//
//   - A floor that a package changed goes first, see [State.FloorFirst].
//   - What is set aside goes to the end; the floor only as long as it is the one that was set aside.
//   - An active version on probation without a token goes to the very end.
func (s State) Ring(f Facts) []Target {
	var ring []Target
	add := func(t Target) {
		if !t.IsZero() && !slices.Contains(ring, t) {
			ring = append(ring, t)
		}
	}
	if f.Whole && s.FloorFirst(f.Floor) {
		add(OnFloor())
	}
	add(s.Active)
	add(s.Previous)
	add(OnFloor())
	if !s.SetAside.IsZero() && !(s.SetAside.IsFloor() && f.Floor != s.Floor) {
		ring = last(ring, s.SetAside)
	}
	if s.Probation && f.Tokens == 0 {
		ring = last(ring, s.Active)
	}
	return ring
}

// FloorFirst reports whether a package changed the floor since the pointer was written, to something as new as the active
// version or newer, or below the floor last seen (an older package was installed on purpose).
func (s State) FloorFirst(floor string) bool {
	if floor == s.Floor {
		return false
	}
	asNew := !s.Active.IsFloor() && Compare(floor, s.Active.Version) >= 0
	below := s.Floor != "" && Compare(floor, s.Floor) < 0
	return asNew || below
}

// last moves t to the end, adding it if need be.
func last(ring []Target, t Target) []Target {
	ring = slices.DeleteFunc(ring, func(o Target) bool { return o == t })
	return append(ring, t)
}
