package local

func (r *Region) prepareObjects() error { return nil }
