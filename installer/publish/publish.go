package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Options of a publication.
type Options struct {
	UriFormat string                  // template for a region that has no manifest yet
	DryRun    bool                    // read only; Result says what would be written
	Replace   bool                    // publish other bytes under a version that is there
	Global    Target                  // nil, or where the copy of latest/ goes (SSMAgent/ of the global bucket)
	Done      func(Step)              // may be nil; one call at a time
	Progress  func(done, total int64) // bytes of packages; may be nil; one call at a time
}

// Step is one object.
type Step struct {
	Key    string `json:"key"`
	Action string `json:"action"` // written, kept (was there already), merged, moved
	Size   int64  `json:"bytes"`
}

// Result is what was done, or would be.
type Result struct {
	Version manifests.Version `json:"version"`
	Before  manifests.Version `json:"before"` // latest/VERSION before, empty if there was none
	Latest  bool              `json:"latest"` // latest/ now is this version
	DryRun  bool              `json:"dry_run"`
	Steps   []Step            `json:"steps"`
}

// Publish puts a release into a target, in the order of the package comment.
func Publish(ctx context.Context, to Target, r *Release, o Options) (Result, error) {
	p := &publication{to: to, r: r, o: o, result: Result{Version: r.Version, DryRun: o.DryRun}}
	if err := p.look(ctx); err != nil {
		return p.result, err
	}
	for _, stop := range []func(context.Context) error{p.packages, p.manifest, p.copies, p.version, p.global} {
		if err := stop(ctx); err != nil {
			return p.result, err
		}
	}
	return p.result, nil
}

type publication struct {
	to     Target
	r      *Release
	o      Options
	result Result

	old         *manifests.Manifest // the region's manifest as read, nil if there is none
	when        When                // VERSION is still the one that was read
	mu          sync.Mutex
	done, total int64
}

// look reads what the region has, and refuses to change a published version.
func (p *publication) look(ctx context.Context) error {
	var err error
	if p.old, _, err = readManifest(ctx, p.to); err != nil {
		return err
	}
	if err := p.unchanged(p.old); err != nil {
		return err
	}
	err = p.newest(ctx)
	p.total = p.r.bytes(p.result.Latest)
	return err
}

// newest reads which version the region calls its latest, and so whether this one is to be it.
func (p *publication) newest(ctx context.Context) error {
	text, tag, err := slurp(ctx, p.to, regions.LatestVersionKey, manifests.MaxVersionFile+1)
	p.when = When{Tag: tag}
	if errors.Is(err, ErrAbsent) {
		p.when, err = When{Absent: true}, nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", regions.LatestVersionKey, err)
	}
	// A damaged VERSION is no reason to leave the region with it.
	p.result.Before, _ = manifests.ParseVersionFile(text)
	p.result.Latest = !p.r.Version.Less(p.result.Before)
	return nil
}

func (p *publication) unchanged(m *manifests.Manifest) error {
	if m == nil || p.o.Replace {
		return nil
	}
	for _, f := range p.r.Files {
		if sum := listed(m, f, p.r.Version); sum != "" && !strings.EqualFold(sum, f.SHA256) {
			return fmt.Errorf("%w: %s of %s", ErrPublished, f.Name, p.r.Version)
		}
	}
	return nil
}

// listed is the checksum a manifest has for a file, empty for none.
func listed(m *manifests.Manifest, f File, v manifests.Version) string {
	if m == nil {
		return ""
	}
	l, err := m.Listing(f.Package, f.Name)
	if err != nil {
		return ""
	}
	entry, _ := l.Find(v)
	return entry.Checksum
}

// packages writes what never changes. An object of the right size whose checksum the region's manifest lists is kept.
func (p *publication) packages(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, f := range p.r.Files {
		known := strings.EqualFold(listed(p.old, f, p.r.Version), f.SHA256)
		for _, key := range f.Keys {
			group.Go(func() error {
				if n, err := p.to.Size(ctx, key); known && err == nil && n == f.Size {
					p.tell(Step{key, "kept", f.Size}, f.Size)
					return nil
				}
				return p.put(ctx, p.to, key, f)
			})
		}
	}
	return group.Wait()
}

// copies writes latest/… if this is the newest version.
func (p *publication) copies(ctx context.Context) error {
	if err := p.newest(ctx); err != nil || !p.result.Latest {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, f := range p.r.Files {
		for _, key := range f.Latest {
			group.Go(func() error { return p.put(ctx, p.to, key, f) })
		}
	}
	return group.Wait()
}

// put writes one file and reads it back.
func (p *publication) put(ctx context.Context, to Target, key string, f File) error {
	if !p.o.DryRun {
		body, err := os.Open(filepath.Join(p.r.Dir, f.Name))
		if err != nil {
			return err
		}
		defer body.Close()
		if err := to.Write(ctx, key, body, When{}); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if err := compare(ctx, to, key, f.SHA256); err != nil {
			return err
		}
	}
	p.tell(Step{key, "written", f.Size}, f.Size)
	return nil
}

// manifest merges this release into the region's manifest; when somebody was faster, into theirs.
func (p *publication) manifest(ctx context.Context) error {
	const tries = 5
	for try := 1; ; try++ {
		m, tag, err := readManifest(ctx, p.to)
		if err != nil {
			return err
		}
		when := When{Tag: tag}
		if m == nil {
			m, when = manifests.NewManifest(p.o.UriFormat), When{Absent: true}
		}
		if err := p.unchanged(m); err != nil {
			return err
		}
		p.merge(m)
		err = p.small(ctx, p.to, regions.ManifestKey, "merged", m.Bytes(), when)
		if !errors.Is(err, ErrChanged) || try == tries {
			return err
		}
	}
}

// merge adds this release. An entry that is there with the same checksum stays as it is: its status is the region's matter.
func (p *publication) merge(m *manifests.Manifest) {
	for _, f := range p.r.Files {
		if !strings.EqualFold(listed(m, f, p.r.Version), f.SHA256) {
			m.Add(f.Package, f.Name, manifests.Release{Version: p.r.Version.String(), Checksum: f.SHA256,
				Status: manifests.Active, Size: f.Size})
		}
	}
}

// version moves VERSION, unless a newer one came meanwhile.
func (p *publication) version(ctx context.Context) error {
	if !p.result.Latest {
		return nil
	}
	err := p.small(ctx, p.to, regions.LatestVersionKey, "moved", []byte(p.r.Version.String()+"\n"), p.when)
	if !errors.Is(err, ErrChanged) {
		return err
	}
	if err := p.newest(ctx); err != nil || !p.result.Latest {
		return err // theirs is newer, and so are their copies
	}
	return p.small(ctx, p.to, regions.LatestVersionKey, "moved", []byte(p.r.Version.String()+"\n"), p.when)
}

// global is the copy of latest/ in the bucket that all regions share; its VERSION comes last, too.
func (p *publication) global(ctx context.Context) error {
	if p.o.Global == nil || !p.result.Latest {
		return nil
	}
	for _, f := range p.r.Files {
		for _, key := range f.Latest {
			if err := p.put(ctx, p.o.Global, key, f); err != nil {
				return err
			}
		}
	}
	return p.small(ctx, p.o.Global, regions.LatestVersionKey, "moved", []byte(p.r.Version.String()+"\n"), When{})
}

// small writes a little object and reads it back.
func (p *publication) small(ctx context.Context, to Target, key, action string, content []byte, when When) error {
	if !p.o.DryRun {
		if err := to.Write(ctx, key, bytes.NewReader(content), when); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		back, _, err := slurp(ctx, to, key, int64(len(content))+1)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if !bytes.Equal(back, content) {
			return fmt.Errorf("%w: %s", ErrChanged, key) // written over by another publication
		}
	}
	p.tell(Step{key, action, int64(len(content))}, 0)
	return nil
}

func (p *publication) tell(s Step, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.Steps = append(p.result.Steps, s)
	p.done += n
	if p.o.Done != nil {
		p.o.Done(s)
	}
	if p.o.Progress != nil && n > 0 {
		p.o.Progress(p.done, max(p.total, p.done))
	}
}

func readManifest(ctx context.Context, from Target) (*manifests.Manifest, string, error) {
	content, tag, err := slurp(ctx, from, regions.ManifestKey, manifests.MaxManifest+1)
	if errors.Is(err, ErrAbsent) {
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

// slurp reads an object of at most limit bytes.
func slurp(ctx context.Context, from Target, key string, limit int64) ([]byte, string, error) {
	body, tag, err := from.Read(ctx, key)
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, limit))
	return b, tag, err
}
