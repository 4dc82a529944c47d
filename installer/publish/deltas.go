package publish

import (
	"context"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/publish/deltas"
)

// addDeltas makes the small downloads of this release, in a folder that done removes. The release that the caller gave stays as it is.
func (p *publication) addDeltas(ctx context.Context) (done func(), err error) {
	if p.o.Deltas <= 0 {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "ssm-setup-deltas-")
	if err != nil {
		return nil, err
	}
	done = func() { os.RemoveAll(dir) }
	r := *p.r
	r.Files = append(r.Files[:0:0], r.Files...)
	err = deltas.Add(ctx, &r, deltas.Wanted{From: p.to, Listed: p.old, Last: p.o.Deltas, Dir: dir, Anew: p.o.Replace, Warn: p.o.Warn})
	if err != nil {
		done()
		return nil, err
	}
	p.r = &r
	p.total = r.Bytes(p.result.Latest)
	return done, nil
}
