package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// Traffic is how many bytes went which way.
type Traffic struct {
	Sent   int64 `json:"sent"`   // from here
	Copied int64 `json:"copied"` // within the target: the same bytes under another key
	Kept   int64 `json:"kept"`   // they were there
}

// TrafficOf adds up steps.
func TrafficOf(steps []Step) (t Traffic) {
	for _, s := range steps {
		switch {
		case s.Action == Removed:
		case s.Action == Same:
			t.Kept += s.Size
		case s.CopyOf != "":
			t.Copied += s.Size
		default:
			t.Sent += s.Size
		}
	}
	return t
}

// placed is one object that a release shall have in a target.
type placed struct {
	dist.File
	key          string
	known, fixed bool // the manifest there lists it so; it is made, and never changed
	action       string
}

// spread writes files under all their keys, those with different bytes side by side. Bytes are sent once, and copied from there to
// the other keys.
func (p *publication) spread(ctx context.Context, to target.Target, all []placed) error {
	var sums []string
	byContent := map[string][]placed{}
	for _, one := range all {
		sum := strings.ToLower(one.SHA256)
		if byContent[sum] == nil {
			sums = append(sums, sum)
		}
		byContent[sum] = append(byContent[sum], one)
	}
	from := len(p.result.Steps)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, sum := range sums {
		group.Go(func() error { return p.upload(ctx, to, sum, byContent[sum]) })
	}
	return p.inOrder(from, group.Wait)
}

// upload writes one content under its keys and reads each back. An object that is there is kept: as it is if the manifest lists it,
// else after reading it back. It is what the others are copies of. fixed objects are made, never changed.
func (p *publication) upload(ctx context.Context, to target.Target, sum string, all []placed) (err error) {
	for i := range all {
		one := &all[i]
		if one.action, err = p.compare(ctx, to, one.key, one.File, one.known); err != nil {
			return err
		}
		if one.action == Replaced && one.fixed && !p.o.Replace {
			return fmt.Errorf("%w: %s", ErrPublished, one.key)
		}
		if one.action == Same {
			p.holds(to, one.key, sum)
		}
	}
	for _, one := range all {
		step := Step{Key: one.key, Action: one.action, Size: one.Size, Global: to != p.to}
		if one.action != Same {
			if step.CopyOf, err = p.write(ctx, to, one); err != nil {
				return err
			}
			p.holds(to, one.key, sum)
		}
		p.report(step, one.Size)
	}
	return nil
}

// held is where bytes lie that this publication has seen.
type held struct {
	at  target.Target
	key string
}

func (p *publication) holds(at target.Target, key, sum string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = map[string]held{}
	}
	if _, ok := p.held[sum]; !ok {
		p.held[sum] = held{at, key}
	}
}

func (p *publication) holder(sum string) (held, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, ok := p.held[strings.ToLower(sum)]
	return h, ok
}

// write writes one object: as a copy of what is there already, else from the release. copyOf is the key that it is a copy of, empty if
// its bytes were sent.
func (p *publication) write(ctx context.Context, to target.Target, one placed) (copyOf string, err error) {
	when := target.When{Absent: one.action == New && one.fixed}
	src, ok := p.holder(one.SHA256)
	if p.o.DryRun {
		return src.key, nil
	}
	if ok {
		err := p.copyTo(ctx, to, src, one, when)
		switch {
		case err == nil:
			return src.key, nil
		case errors.Is(err, target.ErrDiffers): // the copy is ours to replace
			p.resends(to, err)
			when = target.When{}
		case !errors.Is(err, target.ErrUncopied):
			return "", fmt.Errorf("%s: %w", one.key, err)
		default:
			p.resends(to, err)
		}
	}
	return "", p.send(ctx, to, one.key, one.File, when)
}

// copyTo makes a copy. Where the condition does not hold it may be this very copy that was made, and its answer was lost.
func (p *publication) copyTo(ctx context.Context, to target.Target, src held, one placed, when target.When) error {
	return target.Retry(ctx, func() error {
		err := to.Copy(ctx, src.at, src.key, one.key, one.SHA256, when)
		if !errors.Is(err, target.ErrChanged) {
			return err
		}
		return p.arrived(ctx, to, one.key, one.File, err)
	})
}

// resends tells once for each target that bytes which are there already are sent again.
func (p *publication) resends(to target.Target, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.Warn != nil && p.resent != to {
		p.o.Warn(fmt.Sprintf("%s: what lies there already is sent again for its further keys: %v", to, why))
	}
	p.resent = to
}

func (p *publication) send(ctx context.Context, to target.Target, key string, f dist.File, when target.When) error {
	body, err := os.Open(p.r.PathOf(f))
	if err != nil {
		return err
	}
	defer body.Close()
	return target.Retry(ctx, func() error {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		err := to.Write(ctx, key, body, f.SHA256, when)
		if errors.Is(err, target.ErrBody) { // a build has written there since
			return fmt.Errorf("%w: %s was changed meanwhile: %w", dist.ErrRelease, f.Name, err)
		}
		if err != nil && !errors.Is(err, target.ErrChanged) {
			return fmt.Errorf("%s: %w", key, err)
		}
		return p.arrived(ctx, to, key, f, err)
	})
}

// arrived reads an object back after its writing ended with err. It may be this very write that went through, and its answer was
// lost; or another one is on its way and not yet done.
func (p *publication) arrived(ctx context.Context, to target.Target, key string, f dist.File, err error) error {
	back := target.Compare(ctx, to, key, f.SHA256)
	switch {
	case err == nil || back == nil:
		return back
	case errors.Is(back, target.ErrDiffers):
		return fmt.Errorf("%w: %s", ErrPublished, key)
	case errors.Is(back, target.ErrAbsent):
		return fmt.Errorf("%s: %w", key, err)
	}
	return back
}
