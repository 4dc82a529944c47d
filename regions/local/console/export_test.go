package console

// Streams is how many streams are open.
func (c *Console) Streams() int { return c.streams.count() }
