package bucket

import "context"

// FetchUnlisted brings an object to path whose SHA-256 no manifest lists: the caller has to know by other means, such as a signature,
// whether it may be used. It has at most [MaxPackage] bytes. Nothing stays after a fault. A client that verifies fetches only what the
// region's signed list holds.
func (c *Client) FetchUnlisted(ctx context.Context, key, path string, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if c.o.Signed != nil {
		return c.Fetch(ctx, Want{URL: c.url(key), Path: path, Progress: progress})
	}
	part := path + ".part"
	dropPart(part)
	ctx, limit := newBudget(ctx, 0)
	defer limit.end()
	w := Want{URL: c.url(key), Path: path, Progress: progress}
	if err := tooSlow(ctx, c.retry(ctx, func() error { return c.resume(ctx, w, part, limit) })); err != nil {
		dropPart(part)
		return err
	}
	return finish(part, path)
}
