package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// replacedKey is the record of signed files that are served no more.
const replacedKey = regions.TrustFolder + "replaced.json"

// region is the place as it is signed.
func (p *writing) region() *signing.Region {
	return &signing.Region{To: p.to, Keys: p.o.Trust, Now: p.o.Now, URIFormat: p.o.UriFormat, Scratch: p.o.Scratch, DryRun: p.o.DryRun,
		Warn: p.o.Warn,
		Write: func(ctx context.Context, key string, content []byte, when target.When) error {
			return p.writeSmall(ctx, p.to, key, content, when)
		},
		Expect:       func(ctx context.Context, keys []string) error { return p.expectLists(ctx, replacedKey, keys, nil) },
		Drop:         func(ctx context.Context, may func(string) bool) error { return p.dropLists(ctx, replacedKey, may) },
		Repositories: func(ctx context.Context, m *manifests.Manifest) error { return p.repositories(ctx, m, nil) }}
}

// checkTrusted refuses to change what a region has signed without its keys, with too few of them, or where what they signed is gone.
func (p *writing) checkTrusted(ctx context.Context) error {
	if p.o.mirrors {
		return nil
	}
	there, err := p.region().Check(ctx)
	if err == nil && there && p.o.Replace {
		err = fmt.Errorf("%w, and hosts refuse other bytes: %s", ErrPublished, p.to)
	}
	return err
}

// heal puts back small files that are not as they were signed.
func (p *writing) heal(ctx context.Context) error { return p.region().Heal(ctx) }

// sign has the region sign what this run changed; files are those that it brought.
func (p *writing) sign(ctx context.Context, files map[string]signed.File, change func(*signing.State) error) error {
	r := p.region()
	err := r.Sign(ctx, files, change)
	p.result.Trust = r.Signed
	return err
}

// Refresh signs anew what comes to its end, puts back what is gone of what the keys signed, and publishes new roots; nothing where nothing
// is due. all signs everything.
func Refresh(ctx context.Context, to target.Target, all bool, o Options) (Result, error) {
	p := newWriting(to, o)
	if err := p.probe(ctx); err != nil {
		return p.result, err
	}
	r := p.region()
	err := r.Refresh(ctx, all)
	p.result.Trust = r.Signed
	return p.result, errors.Join(err, p.settle())
}

// own are the files that a release brings.
func (p *publication) own() map[string]signed.File {
	files := map[string]signed.File{}
	for _, f := range append(p.r.Files[:len(p.r.Files):len(p.r.Files)], p.r.Documents...) {
		for _, key := range f.Keys {
			files[key] = signed.File{Length: f.Size, SHA256: strings.ToLower(f.SHA256), Unpacked: f.Unpacked}
		}
	}
	return files
}

// trust has the region sign this release.
func (p *publication) trust(ctx context.Context) error {
	return p.sign(ctx, p.own(), func(s *signing.State) error {
		if err := p.unchanged(s.Manifest); err != nil {
			return err
		}
		p.merge(s.Manifest)
		if err := p.mark(s.Indexed()); err != nil {
			return err
		}
		if p.r.Active() && !p.r.Version.Less(s.Latest) {
			s.Latest = p.r.Version
		}
		return nil
	})
}
