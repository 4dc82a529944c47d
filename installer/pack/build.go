package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// First is the lowest version that may be packed: lower ones are an original's, and package scripts treat them as such.
var First = manifests.MustVersion("9.0.0.0")

// ErrTooLow says that a version is below [First].
var ErrTooLow = errors.New("versions start at 9.0.0.0; lower ones are those of the original agent")

// Plan is a whole build.
type Plan struct {
	Version   manifests.Version
	Platforms []Platform
	Formats   []Format
	Source    string    // source tree to compile, see [Source]; empty: Bin is packed
	Bin       string    // folder with the binaries, or with one folder linux_amd64 … per platform
	Out       string    // the version's folder is made in it
	Time      time.Time // of every entry, see [Epoch]
	Trust     []byte    // see [Input]
	Key       []byte    // see [Input]; a compiled ssm-setup carries it, too
	Signing   Signing   // SHA256SUMS is signed by [Signing.Seal]

	Log      io.Writer                            // what go says
	Compiled func(p Platform, took time.Duration) // may be nil
	Looked   func(Input) error                    // programs of a platform as they are packed; may be nil
	Made     func(a Artifact)                     // may be nil; one call at a time
}

// Dir is the version's folder.
func (p Plan) Dir() string { return filepath.Join(p.Out, p.Version.String()) }

// Build makes everything of a plan and returns the artifacts in the order platform, format. Platforms are compiled one after
// the other; packages of the one are compressed while the next is compiled. Each file in [Plan.Dir] is whole; SHA256SUMS and
// manifest.json come last.
func Build(ctx context.Context, p Plan) ([]Artifact, error) {
	if p.Version.Less(First) {
		return nil, fmt.Errorf("%w: %s", ErrTooLow, p.Version)
	}
	work, err := os.MkdirTemp("", "ssm-setup-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	b := &building{Plan: p, work: work, bins: map[Platform]string{}, once: map[string]func() (Artifact, error){}}
	if err := b.look(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.Dir(), 0o755); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.NumCPU()))
	for _, platform := range p.Platforms {
		in, err := b.binaries(ctx, platform)
		if err != nil {
			return nil, errors.Join(err, group.Wait())
		}
		if in.Bin, err = described(in, work); err == nil {
			in.Bin, err = b.Signing.programs(in, work)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("programs for %s: %w", platform, err), group.Wait())
		}
		if b.Looked != nil && in.Bin != "" {
			if err := b.Looked(in); err != nil {
				return nil, errors.Join(err, group.Wait())
			}
		}
		b.pack(ctx, group, in)
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return b.sorted(), Index(p.Dir(), p.Version)
}

type building struct {
	Plan
	work string
	bins map[Platform]string // folders of what was compiled
	mu   sync.Mutex
	made []Artifact
	once map[string]func() (Artifact, error) // by file name
}

// artifact makes a file once, whoever asks first: the build itself or a format that carries it. One that the plan does not
// name is made in the work folder.
func (b *building) artifact(f Format, in Input) (a Artifact, dir string, err error) {
	dir = b.work
	if slices.ContainsFunc(b.Formats, func(p Format) bool { return p.Name == f.Name }) {
		dir = b.Dir()
	}
	in.carried = func(inner Format) (string, error) {
		a, dir, err := b.artifact(inner, in)
		return filepath.Join(dir, a.File), err
	}
	b.mu.Lock()
	made, ok := b.once[f.File(in.Platform)]
	if !ok {
		made = sync.OnceValues(func() (Artifact, error) { return Make(f, in, dir) })
		b.once[f.File(in.Platform)] = made
	}
	b.mu.Unlock()
	a, err = made()
	return a, dir, err
}

// look checks the version, and given binaries of all platforms, before anything is written.
func (b *building) look(ctx context.Context) error {
	for _, platform := range b.Platforms {
		for _, f := range b.Formats {
			if f.Fits == nil || f.File(platform) == "" {
				continue
			}
			if err := f.Fits(b.Version); err != nil {
				return err
			}
		}
	}
	if b.Source != "" {
		return nil
	}
	for _, platform := range b.Platforms {
		if _, err := b.binaries(ctx, platform); err != nil {
			return err
		}
	}
	return nil
}

// binaries compiles, or looks at what there is.
func (b *building) binaries(ctx context.Context, platform Platform) (Input, error) {
	in := Input{Version: b.Version, Platform: platform, Time: b.Time.UTC().Truncate(time.Second), Trust: b.Trust, Key: b.Key, Signing: b.Signing}
	var programs []string
	for _, f := range b.Formats {
		for _, name := range f.Needs(platform) {
			if f.File(platform) != "" && !slices.Contains(programs, name) {
				programs = append(programs, name)
			}
		}
	}
	var err error
	switch {
	case len(programs) == 0:
		return in, nil
	case platform == universal:
		in.Bin, err = b.joined(ctx, programs)
	case b.Source == "":
		in.Bin = binFolder(b.Bin, platform)
	default:
		in.Bin, err = b.compiled(ctx, platform, programs)
	}
	if err != nil {
		return in, err
	}
	return in, Check(in, programs)
}

// compiled is the folder of a platform's programs, built from source once.
func (b *building) compiled(ctx context.Context, platform Platform, programs []string) (string, error) {
	if dir, ok := b.bins[platform]; ok {
		return dir, nil
	}
	dir := filepath.Join(b.work, platform.OS+"_"+platform.Arch)
	log := b.Log
	if log == nil {
		log = io.Discard
	}
	began := time.Now()
	if err := Compile(ctx, b.Source, b.Version, platform, programs, dir, log); err != nil {
		return "", err
	}
	if b.Compiled != nil {
		b.Compiled(platform, time.Since(began))
	}
	b.bins[platform] = dir
	return dir, nil
}

func (b *building) pack(ctx context.Context, group *errgroup.Group, in Input) {
	for _, f := range b.Formats {
		if f.File(in.Platform) == "" {
			continue
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a, _, err := b.artifact(f, in)
			if err != nil {
				return fmt.Errorf("%s for %s: %w", f.Name, in.Platform, err)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.made = append(b.made, a)
			if b.Made != nil {
				b.Made(a)
			}
			return nil
		})
	}
}

func (b *building) sorted() []Artifact {
	rank := func(a Artifact) int {
		p := slices.IndexFunc(b.Platforms, func(p Platform) bool { return p.String() == a.Platform })
		f := slices.IndexFunc(b.Formats, func(f Format) bool { return f.Name == a.Format })
		return p*100 + f
	}
	slices.SortFunc(b.made, func(x, y Artifact) int { return rank(x) - rank(y) })
	return b.made
}

// binFolder is where the binaries of a platform lie: a folder of its own, or the folder itself.
func binFolder(dir string, p Platform) string {
	if own := filepath.Join(dir, p.OS+"_"+p.Arch); isDir(own) {
		return own
	}
	return dir
}

// Found tells for which platforms a folder of binaries has a launcher, and its version.
func Found(dir string) ([]Platform, manifests.Version, error) {
	var list []Platform
	var v manifests.Version
	for _, p := range supported {
		path := filepath.Join(binFolder(dir, p), p.Executable(Launcher))
		if p == universal && !isDir(filepath.Join(dir, "darwin_universal")) && containsAll(list, halves) {
			list = append(list, p)
			continue
		}
		have, err := PlatformOf(path)
		if err != nil && !errors.Is(err, ErrNoBinary) {
			return nil, v, err
		}
		if err != nil || have != p {
			continue
		}
		if v, err = VersionOf(path); err != nil {
			return nil, v, err
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, v, fmt.Errorf("%w: no %s for %s in %s", ErrNoBinary, Launcher, words(supported), dir)
	}
	return list, v, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
