package build

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// First is the lowest version that may be packed: lower ones are an original's, and package scripts treat them as such.
var First = manifests.MustVersion("9.0.0.0")

// ErrTooLow says that a version is below [First].
var ErrTooLow = fault.New(fault.Usage, "versions start at 9.0.0.0; lower ones are those of the original agent",
	"choose a version such as 9.1.0.0")

// ErrNothing says that none of a plan's formats is made for any of its platforms, of the programs there are.
var ErrNothing = fault.New(fault.Usage, "none of these formats is made for these platforms",
	"name other formats with --only, or other platforms with --platform: deb and rpm are for linux, msi and exe for windows, pkg for darwin")

// Plan is a whole build.
type Plan struct {
	Version   manifests.Version
	Platforms []pack.Platform
	Formats   []pack.Format
	Source    string       // source tree to compile, see [Source]; empty: Bin is packed
	Toolchain string       // release of Go to compile with; empty: [Toolchain]
	Bin       string       // folder with the binaries, or with one folder linux_amd64 … per platform
	Optional  []string     // programs that Bin may lack: what is made of them is left out
	Out       string       // the version's folder is made in it
	Time      time.Time    // of every entry, see [Epoch]
	Trust     []byte       // see [Input]
	Key       []byte       // see [Input]; a compiled ssm-setup knows it too
	Manual    pack.Manual  // goes into packages; may be empty
	Signing   pack.Signing // SHA256SUMS is signed by [Seal]

	Log     io.Writer              // what go says; may be nil
	Inspect func(pack.Input) error // programs of a platform as they are packed; may be nil

	// Compiled is told what was compiled of Source, below it, with slashes, in order, before anything is linked. The commit that it
	// returns goes into ssm-setup, for its version; empty: it is not known. May be nil.
	Compiled func(files []string) (commit string, err error)
	Observer Observer
}

// Observer has functions that follow a build. All may be nil; they may be called at the same time.
type Observer struct {
	Compiled func(p pack.Platform, took time.Duration)
	Linked   func(p pack.Platform, took time.Duration)
	Making   func(file string) func(done, total int64) // how much of the programs went into an artifact; total 0: unknown
	Made     func(a pack.Artifact)                     // one call at a time
}

// Dir is the version's folder.
func (p Plan) Dir() string { return filepath.Join(p.Out, p.Version.String()) }

// Build makes everything of a plan and returns the artifacts in the order platform, format; see the package's comment for the
// passes. [Plan.Dir] changes only when all artifacts are there; SHA256SUMS and manifest.json come last.
func Build(ctx context.Context, p Plan) ([]pack.Artifact, error) {
	if p.Version.Less(First) {
		return nil, fmt.Errorf("%w: %s", ErrTooLow, p.Version)
	}
	temp, err := newOwned(os.TempDir(), "ssm-setup-build-")
	if err != nil {
		return nil, err
	}
	defer temp.remove()
	work := temp.dir
	b := &building{Plan: p, work: work, bins: map[pack.Platform]string{}, once: map[string]func() (pack.Artifact, error){},
		slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	staging, err := newStaging(p.Dir())
	if err != nil {
		return nil, err
	}
	defer staging.remove()
	b.staging = staging.dir
	if err := b.compileAll(ctx); err != nil {
		return nil, err
	}
	if err := b.makeAll(ctx); err != nil {
		return nil, err
	}
	if err := staging.commit(); err != nil {
		return nil, err
	}
	return b.sorted(), Index(p.Dir(), p.Version)
}

type building struct {
	Plan
	work     string
	staging  string
	compiler *compiler
	commit   string                   // of the source, as [Plan.Compiled] says
	bins     map[pack.Platform]string // folders of what was compiled
	slots    chan struct{}            // each artifact that is being packed holds one
	mu       sync.Mutex
	made     []pack.Artifact
	once     map[string]func() (pack.Artifact, error) // by file name
}

// makeAll links one platform after the other; packages of the one are made while the next is linked.
func (b *building) makeAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for _, platform := range b.Platforms {
			in, err := b.input(ctx, platform)
			if err != nil {
				return err
			}
			for _, f := range b.formatsOf(platform) {
				group.Go(func() error { return b.add(ctx, f, in) })
			}
		}
		return nil
	})
	return group.Wait()
}

// input are a platform's programs, described, signed and looked at.
func (b *building) input(ctx context.Context, platform pack.Platform) (pack.Input, error) {
	in, err := b.binaries(ctx, platform)
	if err != nil {
		return in, err
	}
	if in.Bin, err = described(in, b.work); err == nil {
		in.Bin, err = signed(in, b.work)
	}
	if err != nil {
		return in, fmt.Errorf("programs for %s: %w", platform, err)
	}
	if b.Inspect != nil && in.Bin != "" {
		err = b.Inspect(in)
	}
	return in, err
}

// add makes one artifact of the plan.
func (b *building) add(ctx context.Context, f pack.Format, in pack.Input) error {
	a, _, err := b.artifact(ctx, f, in)
	if err != nil {
		return fmt.Errorf("%s for %s: %w", f.Name, in.Platform, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = append(b.made, a)
	if b.Observer.Made != nil {
		b.Observer.Made(a)
	}
	return nil
}

// artifact makes a file once, for the first that needs it: the build itself, or a format that embeds it. One that the plan does not
// name is made in the work folder.
func (b *building) artifact(ctx context.Context, f pack.Format, in pack.Input) (a pack.Artifact, dir string, err error) {
	dir = b.work
	if b.planned(f) {
		dir = b.staging
	}
	b.mu.Lock()
	made, ok := b.once[f.File(in.Platform)]
	if !ok {
		made = sync.OnceValues(func() (pack.Artifact, error) { return b.make(ctx, f, in, dir) })
		b.once[f.File(in.Platform)] = made
	}
	b.mu.Unlock()
	a, err = made()
	return a, dir, err
}

// make makes a file while it holds a slot. Seconds in which it waits for another artifact of the plan are not its own.
func (b *building) make(ctx context.Context, f pack.Format, in pack.Input, dir string) (pack.Artifact, error) {
	b.slots <- struct{}{}
	defer func() { <-b.slots }()
	if ctx.Err() != nil {
		return pack.Artifact{}, ctx.Err()
	}
	var waited time.Duration
	in.Embedded = func(inner pack.Format) (string, error) {
		began := time.Now()
		<-b.slots
		a, dir, err := b.artifact(ctx, inner, in)
		b.slots <- struct{}{}
		if b.planned(inner) {
			waited += time.Since(began)
		}
		return filepath.Join(dir, a.File), err
	}
	if b.Observer.Making != nil {
		in.Progress = b.Observer.Making(f.File(in.Platform))
	}
	a, err := pack.Make(f, in, dir)
	a.Seconds = max(0, a.Seconds-waited.Seconds())
	return a, err
}

// planned tells whether a format's artifacts belong to the result.
func (b *building) planned(f pack.Format) bool {
	return slices.ContainsFunc(b.Formats, func(p pack.Format) bool { return p.Name == f.Name })
}

// check checks the version, and given binaries of all platforms, before anything is written.
func (b *building) check(ctx context.Context) error {
	n := 0
	for _, platform := range b.Platforms {
		for _, f := range b.formatsOf(platform) {
			if n++; f.Fits == nil {
				continue
			}
			if err := f.Fits(b.Version); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return ErrNothing
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

func (b *building) sorted() []pack.Artifact {
	rank := func(a pack.Artifact) int {
		p := slices.IndexFunc(b.Platforms, func(p pack.Platform) bool { return p.String() == a.Platform })
		f := slices.IndexFunc(b.Formats, func(f pack.Format) bool { return f.Name == a.Format })
		return p*100 + f
	}
	slices.SortFunc(b.made, func(x, y pack.Artifact) int { return cmp.Compare(rank(x), rank(y)) })
	return b.made
}
