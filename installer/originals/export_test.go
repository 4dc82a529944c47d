package originals

// CutAt has a change call f at each place between two steps, where a test ends it.
func (a *Agent) CutAt(f func(place string)) { a.cut = f }
