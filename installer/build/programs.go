package build

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// formatsOf are the plan's formats that are made for a platform, of programs that are there.
func (b *building) formatsOf(p pack.Platform) []pack.Format {
	return slices.DeleteFunc(slices.Clone(b.Formats), func(f pack.Format) bool {
		return f.File(p) == "" || slices.ContainsFunc(f.Needs(p), func(program string) bool { return b.lacks(p, program) })
	})
}

// lacks tells whether a program that may be missing is.
func (b *building) lacks(p pack.Platform, program string) bool {
	if b.Source != "" || !slices.Contains(b.Optional, program) {
		return false
	}
	_, err := os.Stat(filepath.Join(binFolder(b.Bin, p), p.Executable(program)))
	return errors.Is(err, os.ErrNotExist)
}

// programs are what a platform's formats are made of.
func (b *building) programs(p pack.Platform) []string {
	var list []string
	for _, f := range b.formatsOf(p) {
		for _, name := range f.Needs(p) {
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// compileAll compiles what all platforms need, without linking, so that a fault of the source shows before anything is packed
// and no compression takes time from the compiler. Two platforms at a time: near its end each has less to do than processors.
func (b *building) compileAll(ctx context.Context) error {
	if b.Source == "" {
		return nil
	}
	var err error
	if b.compiler, err = newCompiler(ctx, b.Source, b.Toolchain, b.Log); err != nil {
		return err
	}
	b.compiler.temporary(b.work)
	var mu sync.Mutex
	sources := []string{"go.mod", "go.sum"}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for p, programs := range b.compilations() {
		group.Go(func() error {
			began := time.Now()
			files, err := b.compiler.prepare(ctx, p, programs)
			if err != nil {
				return err
			}
			mu.Lock()
			sources = append(sources, files...)
			mu.Unlock()
			if b.Observer.Compiled != nil {
				b.Observer.Compiled(p, time.Since(began))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil || b.Compiled == nil {
		return err
	}
	slices.Sort(sources)
	b.commit, err = b.Compiled(slices.Compact(sources))
	return err
}

// compilations are the platforms to compile for, in their order, and what.
func (b *building) compilations() iter.Seq2[pack.Platform, []string] {
	return func(yield func(pack.Platform, []string) bool) {
		for _, p := range pack.Platforms() {
			var list []string
			for _, platform := range b.Platforms {
				if platform == p || platform == pack.Universal && slices.Contains(pack.Halves(), p) {
					list = append(list, b.programs(platform)...)
				}
			}
			slices.Sort(list)
			if list = slices.Compact(list); p != pack.Universal && len(list) > 0 && !yield(p, list) {
				return
			}
		}
	}
}

// binaries links, or looks at what there is.
func (b *building) binaries(ctx context.Context, platform pack.Platform) (pack.Input, error) {
	in := pack.Input{Version: b.Version, Platform: platform, Time: b.Time.UTC().Truncate(time.Second), Trust: b.Trust, Key: b.Key,
		Manual:  b.Manual,
		Signing: b.Signing}
	programs := b.programs(platform)
	var err error
	switch {
	case len(programs) == 0:
		return in, nil
	case platform == pack.Universal:
		in.Bin, err = b.joined(ctx, programs)
	case b.Source == "":
		in.Bin = binFolder(b.Bin, platform)
	default:
		in.Bin, err = b.linked(ctx, platform, programs)
	}
	if err != nil {
		return in, err
	}
	return in, pack.Check(in, programs)
}

// linked is the folder of a platform's programs, built from source once.
func (b *building) linked(ctx context.Context, platform pack.Platform, programs []string) (string, error) {
	if dir, ok := b.bins[platform]; ok {
		return dir, nil
	}
	dir := filepath.Join(b.work, platform.OS+"_"+platform.Arch)
	began := time.Now()
	if err := b.compiler.link(ctx, marks{b.Version, b.Key, b.commit}, platform, programs, dir); err != nil {
		return "", err
	}
	if b.Observer.Linked != nil {
		b.Observer.Linked(platform, time.Since(began))
	}
	b.bins[platform] = dir
	return dir, nil
}

// binFolder is where the binaries of a platform lie: a folder of its own, or the folder itself.
func binFolder(dir string, p pack.Platform) string {
	if own := filepath.Join(dir, p.OS+"_"+p.Arch); isDir(own) {
		return own
	}
	return dir
}

// Found tells for which platforms a folder of binaries has a launcher, and its version.
func Found(dir string) ([]pack.Platform, manifests.Version, error) {
	var list []pack.Platform
	var v manifests.Version
	for _, p := range pack.Platforms() {
		path := filepath.Join(binFolder(dir, p), p.Executable(pack.Launcher))
		if p == pack.Universal && !isDir(filepath.Join(dir, "darwin_universal")) && containsAll(list, pack.Halves()) {
			list = append(list, p)
			continue
		}
		have, err := pack.PlatformOf(path)
		if err != nil && !errors.Is(err, pack.ErrNoBinary) {
			return nil, v, err
		}
		if err != nil || have != p {
			continue
		}
		if v, err = pack.VersionOf(path); err != nil {
			return nil, v, err
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, v, fmt.Errorf("%w: no %s for %s in %s", pack.ErrNoBinary, pack.Launcher, words(pack.Platforms()), dir)
	}
	return list, v, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func words(ps []pack.Platform) string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return strings.Join(out, ", ")
}
