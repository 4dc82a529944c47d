package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Options of a publication.
type Options struct {
	Region       string                  // fills {Region} in addresses for people
	UriFormat    string                  // template for a region that has no manifest yet
	DryRun       bool                    // read only; Result says what would be written
	Replace      bool                    // publish other bytes under a version that is there
	Deltas       int                     // make small downloads from so many of the last versions
	Repositories bool                    // keep metadata for apt and yum beside the rest
	Sign         Signer                  // of that metadata; nil leaves it unsigned
	Percent      *int                    // of the hosts that follow the region by schedule; nil: what the index has of it, else all
	Trust        *signing.Keys           // sign for hosts with a root of trust; nil: a region that is not signed
	ChangeKey    bool                    // sign by keys that are none of those which clients have, or mirror such signatures
	Global       target.Target           // nil, or where the copy of latest/ goes (SSMAgent/ of the global bucket)
	Scratch      string                  // folder for what a mirror fetches; empty: the system's
	Now          func() time.Time        // nil: the clock
	Done         func(Step)              // may be nil; one call at a time
	Warn         func(text string)       // what is not as safe as it should be; may be nil
	Progress     func(done, total int64) // bytes of packages; may be nil; one call at a time

	SharesKey func(one, other []byte) bool // two files of public keys have one in common; nil: they have to be equal

	mirrors bool // what is signed for hosts with a root is copied, not made
	repair  bool // what is there and is not what the manifest there says was damaged: it is written anew
	fetched *sum // of a mirror: what is told of all that is fetched
}

// What becomes of an object.
const (
	New      = "new"
	Same     = "same" // it is there already, nothing is written
	Replaced = "replaced"
	Repaired = "repaired" // it was there, and damaged: its note names the very hash
	Removed  = "removed"  // it is not needed any more
)

// Step is one object.
type Step struct {
	Key    string `json:"key"`
	Action string `json:"action"` // New, Same, Replaced, Repaired or Removed
	Size   int64  `json:"bytes"`
	Global bool   `json:"global,omitempty"`  // in the global copy
	CopyOf string `json:"copy_of,omitempty"` // the key that it was copied from, where no bytes were sent
}

// Result is what was done, or would be.
type Result struct {
	Version manifests.Version `json:"version"`
	Before  manifests.Version `json:"before"` // latest/VERSION before, empty if there was none
	Latest  bool              `json:"latest"` // latest/ now is this version
	DryRun  bool              `json:"dry_run"`
	Signed  bool              `json:"signed"`          // metadata for apt and yum
	Stable  manifests.Version `json:"stable"`          // stable/VERSION; empty if no version was promoted yet
	Trust   *signing.Trusted  `json:"trust,omitempty"` // what was signed for hosts with a root of trust; nil: nothing
	Traffic Traffic           `json:"traffic"`
	Steps   []Step            `json:"steps"`
}

// Publish puts a release into a target, in the order of the package comment.
func Publish(ctx context.Context, to target.Target, r *dist.Release, o Options) (Result, error) {
	p := &publication{writing: newWriting(to, o), r: r}
	p.result.Version = r.Version
	if err := p.precheck(ctx); err != nil {
		return p.result, err
	}
	p.sweep(ctx)
	if err := p.probe(ctx); err != nil {
		return p.result, err
	}
	if err := p.begin(ctx); err != nil {
		return p.result, err
	}
	done, err := p.addDeltas(ctx)
	if err != nil {
		return p.result, err
	}
	defer done()
	for _, stop := range []func(context.Context) error{p.packages, p.manifest, p.repositories, p.index, p.latest, p.global, p.trust} {
		if err := stop(ctx); err != nil {
			return p.result, err
		}
	}
	if err := p.settle(); err != nil {
		return p.result, err
	}
	p.result.Stable, _, err = readStable(ctx, to)
	return p.result, err
}

// publication is one release on its way.
type publication struct {
	*writing
	r      *dist.Release
	old    *manifests.Manifest // the region's manifest as read, nil if there is none
	merged *manifests.Manifest
	held   map[string]held // where bytes lie, by their SHA-256; guarded by mu
	resent target.Target   // the last one that made no copies
}

// writing is what every change of a region has in common.
type writing struct {
	to          target.Target
	o           Options
	mu          sync.Mutex
	result      Result
	done, total int64
	at          time.Time         // when it began
	stable      manifests.Version // stable/VERSION; zero: not read yet, or there is none
}

func newWriting(to target.Target, o Options) *writing {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &writing{to: to, o: o, at: o.Now(), result: Result{DryRun: o.DryRun, Signed: o.Repositories && o.Sign != nil}}
}

// begin puts back what is not as it was signed, and reads the manifest as it is then.
func (p *publication) begin(ctx context.Context) (err error) {
	if p.o.Trust == nil {
		return nil
	}
	if err := p.heal(ctx); err != nil {
		return err
	}
	p.old, _, err = readManifest(ctx, p.to)
	return err
}

// precheck reads what the region has and refuses what must not be, before anything is written.
func (p *publication) precheck(ctx context.Context) error {
	var err error
	if p.old, _, err = readManifest(ctx, p.to); err != nil {
		return err
	}
	if err := p.unchanged(p.old); err != nil {
		return err
	}
	if err := errors.Join(checkStaysSigned(ctx, p.to, p.o), p.checkTrusted(ctx)); err != nil {
		return err
	}
	f, err := readLatest(ctx, p.to, p.r.Version)
	p.result.Before, p.result.Latest = f.before, p.mayBeLatest(f)
	p.total = p.r.Bytes(p.result.Latest)
	return err
}

// mayBeLatest tells whether the release is to be what latest/ serves: it is no older than that, and active.
func (p *publication) mayBeLatest(f latest) bool { return f.newest && p.r.Active() }

func (p *publication) unchanged(m *manifests.Manifest) error {
	if m == nil || p.o.Replace {
		return nil
	}
	for _, f := range p.r.Files {
		if sum := listed(m, f, p.r.Version).Checksum; sum != "" && !strings.EqualFold(sum, f.SHA256) {
			return fmt.Errorf("%w: %s of %s", ErrPublished, f.Name, p.r.Version)
		}
	}
	return nil
}

// listed is what a manifest has for a file, nothing for none.
func listed(m *manifests.Manifest, f dist.File, v manifests.Version) manifests.FileVersion {
	if m == nil {
		return manifests.FileVersion{}
	}
	l, err := m.Listing(f.Package, f.Name)
	if err != nil {
		return manifests.FileVersion{}
	}
	entry, _ := l.Find(v)
	return entry
}

// packages writes what never changes, and what describes it.
func (p *publication) packages(ctx context.Context) error {
	var all []placed
	for _, f := range append(p.r.Files[:len(p.r.Files):len(p.r.Files)], p.r.Documents...) {
		known := f.Package != "" && strings.EqualFold(listed(p.old, f, p.r.Version).Checksum, f.SHA256)
		for _, key := range f.Keys {
			all = append(all, placed{File: f, key: key, known: known, fixed: f.Package != "" && !f.IsDelta()})
		}
	}
	return p.spread(ctx, p.to, all)
}

// inOrder waits for what was done side by side, and lists it in the order of keys. from is the number of steps before.
func (p *writing) inOrder(from int, wait func() error) error {
	err := wait()
	slices.SortFunc(p.result.Steps[from:], func(a, b Step) int { return strings.Compare(a.Key, b.Key) })
	return err
}

// compare says what writing a file would be.
func (p *publication) compare(ctx context.Context, to target.Target, key string, f dist.File, known bool) (string, error) {
	have, err := to.Stat(ctx, key)
	switch {
	case errors.Is(err, target.ErrAbsent):
		return New, nil
	case err != nil:
		return "", fmt.Errorf("%s: %w", key, err)
	case have.Size != f.Size || have.SHA256 != "" && !strings.EqualFold(have.SHA256, f.SHA256):
		if known && p.o.repair {
			return Repaired, nil
		}
		return Replaced, nil
	case known && !p.o.Replace:
		return Same, nil
	}
	err = target.Compare(ctx, to, key, f.SHA256)
	switch {
	case err == nil:
		return Same, nil
	case !errors.Is(err, target.ErrDiffers):
		return "", err
	case strings.EqualFold(have.SHA256, f.SHA256):
		return Repaired, nil
	}
	return Replaced, nil
}

// manifest merges this release into the region's manifest; when another publication was faster, into its.
func (p *publication) manifest(ctx context.Context) error {
	m, err := p.changeManifest(ctx, func(m *manifests.Manifest) error {
		if err := p.unchanged(m); err != nil {
			return err
		}
		p.merge(m)
		return nil
	})
	p.merged = m
	return err
}

// merge adds this release. An entry that is there with the same checksum keeps its status, which is the region's matter; what it
// does not say of sizes is added.
func (p *publication) merge(m *manifests.Manifest) {
	for _, f := range p.r.Files {
		e := listed(m, f, p.r.Version)
		switch {
		case !strings.EqualFold(e.Checksum, f.SHA256):
			e = f.Entry(p.r.Version)
		case e.UnpackedSize == 0 && f.Unpacked > 0:
			e.Size, e.UnpackedSize = f.Size, f.Unpacked
			e.ProgramChecksum = f.Program
		case e.ProgramChecksum == "" && f.Program != "":
			e.ProgramChecksum = f.Program
		default:
			continue
		}
		m.Add(f.Package, f.Name, e)
	}
}

func (p *writing) report(s Step, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.Steps = append(p.result.Steps, s)
	p.result.Traffic = TrafficOf(p.result.Steps)
	p.done += n
	if p.o.Done != nil {
		p.o.Done(s)
	}
	if p.o.Progress != nil && n > 0 {
		p.o.Progress(p.done, max(p.total, p.done))
	}
}
