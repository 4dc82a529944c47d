package identity

// owner: files inherit their access from the folder.
type owner struct{}

func ownerOf(string) owner { return owner{} }

func (owner) handBack(string) error { return nil }
