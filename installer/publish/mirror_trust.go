package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// look is what copying needs to see of a signed file.
type look struct {
	Signed struct {
		Version int64 `json:"version"`
		Meta    map[string]struct {
			Version int64             `json:"version"`
			Hashes  map[string]string `json:"hashes"`
		} `json:"meta"`
		Targets map[string]struct {
			Length int64             `json:"length"`
			Hashes map[string]string `json:"hashes"`
		} `json:"targets"`
	} `json:"signed"`
}

// copyTrusted copies what the region signed for hosts with a root of trust.
func (res *Mirrored) copyTrusted(ctx context.Context, from *bucket.Client, to target.Target, o Options) error {
	if o.DryRun {
		return nil
	}
	c := copier{newWriting(to, o), from}
	err := errors.Join(c.trust(ctx), c.settle())
	res.Steps = append(res.Steps, c.result.Steps...)
	return err
}

// trust copies what a region signed for hosts with a root of trust, as it is: the mirror needs no keys. The timestamp is written last, and
// never over a newer one. A region that signs nothing is no fault. What fits together is copied, or nothing; whether it is signed by the
// right keys, hosts verify, and this run where its client does.
func (c copier) trust(ctx context.Context) error {
	return target.Retry(ctx, func() error {
		stamp, err := c.from.Small(ctx, signed.TimestampKey, signed.MaxFile)
		if notThere(err) {
			return nil
		}
		var t, s, l look
		if err == nil {
			err = json.Unmarshal(stamp, &t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", signed.TimestampKey, err)
		}
		if err := c.notBack(ctx, t); err != nil {
			return err
		}
		snapshot, err := c.next(ctx, t, signed.Snapshot, &s)
		if err != nil {
			return err
		}
		targets, err := c.next(ctx, s, signed.Targets, &l)
		if err != nil {
			return err
		}
		if err := c.listedSmalls(ctx, l); err != nil {
			return err
		}
		if err := c.roots(ctx); err != nil {
			return err
		}
		for _, o := range []signed.Object{targets, snapshot, {Key: signed.TimestampKey, Bytes: stamp}} {
			if err := c.writeSmall(ctx, c.to, o.Key, o.Bytes, target.When{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// notBack refuses a timestamp that is older than the mirror's.
func (c copier) notBack(ctx context.Context, t look) error {
	have, _, err := target.ReadLimited(ctx, c.to, signed.TimestampKey, signed.MaxFile)
	var old look
	if target.IsAbsent(err) || err == nil && json.Unmarshal(have, &old) != nil {
		return nil
	}
	if err == nil && old.Signed.Version > t.Signed.Version {
		err = fmt.Errorf("%w: the region's timestamp is number %d, and the mirror has %d", signed.ErrTree, t.Signed.Version, old.Signed.Version)
	}
	return err
}

// next reads the file that another names.
func (c copier) next(ctx context.Context, from look, role string, into *look) (o signed.Object, err error) {
	meta := from.Signed.Meta[role+".json"]
	o.Key = regions.TrustFolder + strconv.FormatInt(meta.Version, 10) + "." + role + ".json"
	if o.Bytes, err = c.from.Small(ctx, o.Key, signed.MaxFile); err != nil {
		return o, err
	}
	if sum := meta.Hashes["sha256"]; sum != "" && sum != host.SHA256Bytes(o.Bytes) {
		return o, fmt.Errorf("%w: %s", target.ErrChanged, o.Key) // the region is being published to
	}
	if err := json.Unmarshal(o.Bytes, into); err != nil {
		return o, fmt.Errorf("%s: %w", o.Key, err)
	}
	return o, nil
}

// listedSmalls copies the small files under the names that hosts with a root read.
func (c copier) listedSmalls(ctx context.Context, l look) error {
	for _, key := range signing.SmallKeys {
		f, listed := l.Signed.Targets[key]
		if !listed {
			continue
		}
		sum := f.Hashes["sha256"]
		b, err := c.from.Small(ctx, key, f.Length)
		if err != nil || host.SHA256Bytes(b) != sum {
			if b, err = c.from.Small(ctx, signing.Consistent(key, sum), f.Length); err != nil {
				return err
			}
		}
		if host.SHA256Bytes(b) != sum {
			return fmt.Errorf("%w: %s", bucket.ErrChecksum, key)
		}
		if err := c.writeSmall(ctx, c.to, signing.Consistent(key, sum), b, target.When{}); err != nil {
			return err
		}
	}
	return nil
}

// roots copies those that the mirror has not.
func (c copier) roots(ctx context.Context) error {
	for n := int64(1); ; n++ {
		key := signed.RootKey(n)
		if _, err := c.to.Stat(ctx, key); err == nil {
			continue
		} else if !target.IsAbsent(err) {
			return err
		}
		b, err := c.from.Small(ctx, key, signed.MaxFile)
		if notThere(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.writeSmall(ctx, c.to, key, b, target.When{}); err != nil {
			return err
		}
	}
}
