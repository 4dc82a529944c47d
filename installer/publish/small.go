package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// maxSmall bounds what is read whole, in bytes.
const maxSmall = target.MaxSmall

// writeSmall writes a little object, unless it is there as it shall be, and reads it back.
func (p *writing) writeSmall(ctx context.Context, to target.Target, key string, content []byte, when target.When) error {
	action := Replaced
	have, _, err := target.ReadLimited(ctx, to, key, int64(len(content))+1)
	switch {
	case errors.Is(err, target.ErrAbsent):
		action = New
	case err != nil:
		return fmt.Errorf("%s: %w", key, err)
	case bytes.Equal(have, content):
		action = Same
	}
	if action != Same && !p.o.DryRun {
		if err := to.Write(ctx, key, bytes.NewReader(content), host.SHA256Bytes(content), when); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		back, _, err := target.ReadLimited(ctx, to, key, int64(len(content))+1)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if !bytes.Equal(back, content) {
			return fmt.Errorf("%w: %s", target.ErrChanged, key) // written over by another publication
		}
	}
	p.report(Step{Key: key, Action: action, Size: int64(len(content)), Global: to != p.to}, 0)
	return nil
}

// changeManifest reads the region's manifest, lets change work on it, and writes it over the one that was read.
func (p *writing) changeManifest(ctx context.Context, change func(*manifests.Manifest) error) (m *manifests.Manifest, err error) {
	err = target.Retry(ctx, func() error {
		var tag string
		if m, tag, err = readManifest(ctx, p.to); err != nil {
			return err
		}
		when := target.When{Tag: tag}
		if m == nil {
			m, when = manifests.NewManifest(p.o.UriFormat), target.When{Absent: true}
		}
		if err := change(m); err != nil {
			return err
		}
		return p.writeSmall(ctx, p.to, regions.ManifestKey, m.Bytes(), when)
	})
	return m, err
}

func readManifest(ctx context.Context, from target.Target) (*manifests.Manifest, string, error) {
	content, tag, err := target.ReadLimited(ctx, from, regions.ManifestKey, manifests.MaxManifest+1)
	if errors.Is(err, target.ErrAbsent) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", regions.ManifestKey, err)
	}
	m, err := manifests.ParseManifest(content)
	if err != nil {
		return nil, "", fmt.Errorf("the manifest in %s: %w", from, err)
	}
	return m, tag, nil
}
