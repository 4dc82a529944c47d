package signed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Faults of a region's tree.
var (
	ErrTree = fault.New(fault.Verify, "what the region signed does not fit its keys",
		"the bucket's trust/ folder was changed without these keys: put it back from a backup; or check what the manifest lists, "+
			"and sign that with ssm-setup keys refresh --anew")
	ErrKeys = fault.New(fault.Refused, "too few of the keys that sign this are at hand",
		"ssm-setup keys show lists who signs what; --keys names the folder of keys")
)

// TimestampKey is what is written last.
const TimestampKey = regions.TrustFolder + "timestamp.json"

// MaxFile bounds one signed file, in bytes.
const MaxFile = 16 << 20

// RootKey is where a root lies.
func RootKey(version int64) string { return numbered(version, Root) }

func numbered(version int64, role string) string {
	return regions.TrustFolder + strconv.FormatInt(version, 10) + "." + role + ".json"
}

// File is one entry of targets.
type File struct {
	Length   int64
	SHA256   string // hex
	Unpacked int64  // bytes that an archive holds; 0 for what is no archive
}

// Tree is what a region has signed, or the next of it.
type Tree struct {
	root      *RootFile
	timestamp *metadata.Metadata[metadata.TimestampType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	targets   *metadata.Metadata[metadata.TargetsType]
	before    *RootFile         // the earlier root by whose keys it is signed; nil: the newest
	files     map[string]Object // by role, as they were read or signed last
}

// Reading reads an object of a bucket, at most limit bytes. An error that says that there is none is told by Absent.
type Reading struct {
	Read   func(ctx context.Context, key string, limit int64) ([]byte, error)
	Absent func(error) bool
}

// Read reads a region's tree and verifies it by the newest root, else by the one of the earlier roots that it was signed under. Nil where
// there is none. Expiry does not matter here: what has expired is renewed. roots are in ascending order.
func Read(ctx context.Context, roots []*RootFile, from Reading) (*Tree, error) {
	stamp, err := from.Read(ctx, TimestampKey, MaxFile)
	if from.Absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", TimestampKey, err)
	}
	for i := len(roots) - 1; i >= 0; i-- {
		var t *Tree
		if t, err = read(ctx, roots[i], stamp, from); err == nil {
			t.root = roots[len(roots)-1]
			if i < len(roots)-1 {
				t.before = roots[i]
			}
			return t, nil
		}
		if !errors.Is(err, ErrTree) {
			return nil, err
		}
	}
	return nil, err
}

func read(ctx context.Context, root *RootFile, stamp []byte, from Reading) (t *Tree, err error) {
	t = &Tree{root: root, files: map[string]Object{Timestamp: {TimestampKey, stamp}}}
	if t.timestamp, err = parse[metadata.TimestampType](root, Timestamp, stamp); err != nil {
		return nil, err
	}
	meta := t.timestamp.Signed.Meta["snapshot.json"]
	b, err := named(ctx, from, Snapshot, meta)
	if err != nil {
		return nil, err
	}
	if t.snapshot, err = parse[metadata.SnapshotType](root, Snapshot, b); err != nil {
		return nil, err
	}
	t.files[Snapshot] = Object{numbered(meta.Version, Snapshot), b}
	meta = t.snapshot.Signed.Meta["targets.json"]
	if b, err = named(ctx, from, Targets, meta); err != nil {
		return nil, err
	}
	t.files[Targets] = Object{numbered(meta.Version, Targets), b}
	t.targets, err = parse[metadata.TargetsType](root, Targets, b)
	return t, err
}

// parse reads a role's file and verifies its signatures.
func parse[T metadata.Roles](root *RootFile, role string, b []byte) (*metadata.Metadata[T], error) {
	m, err := new(metadata.Metadata[T]).FromBytes(b)
	if err == nil {
		err = root.m.VerifyDelegate(role, m)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrTree, role, err)
	}
	return m, nil
}

// named reads the file that another one names.
func named(ctx context.Context, from Reading, role string, meta *metadata.MetaFiles) ([]byte, error) {
	if meta == nil || meta.Version < 1 {
		return nil, fmt.Errorf("%w: no %s is named", ErrTree, role)
	}
	key := numbered(meta.Version, role)
	b, err := from.Read(ctx, key, MaxFile)
	if from.Absent(err) {
		return nil, fmt.Errorf("%w: %s is missing", ErrTree, key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if err := meta.VerifyLengthHashes(b); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrTree, key, err)
	}
	return b, nil
}

// New is a tree that nothing was signed of yet. above are numbers that are taken already, by role; nil for none.
func New(root *RootFile, above map[string]int64) *Tree {
	t := &Tree{root: root, timestamp: metadata.Timestamp(), snapshot: metadata.Snapshot(), targets: metadata.Targets(),
		files: map[string]Object{}}
	t.timestamp.Signed.Version, t.snapshot.Signed.Version, t.targets.Signed.Version = above[Timestamp], above[Snapshot], above[Targets]
	return t
}

// Above has the next files get numbers above a given one, where theirs are lower.
func (t *Tree) Above(number int64) {
	for _, own := range []*int64{&t.timestamp.Signed.Version, &t.snapshot.Signed.Version, &t.targets.Signed.Version} {
		*own = max(*own, number)
	}
}

// Files are what targets lists, by their key in the bucket.
func (t *Tree) Files() map[string]File {
	files := make(map[string]File, len(t.targets.Signed.Targets))
	for key, f := range t.targets.Signed.Targets {
		files[key] = File{f.Length, hex.EncodeToString(f.Hashes["sha256"]), unpacked(f.Custom)}
	}
	return files
}

func unpacked(custom *json.RawMessage) int64 {
	var c struct {
		Unpacked int64 `json:"unpacked"`
	}
	if custom != nil {
		_ = json.Unmarshal(*custom, &c)
	}
	return c.Unpacked
}

// Life is when a role was signed and until when it counts.
type Life struct {
	Role            string
	Version         int64
	Signed, Expires time.Time // Signed is zero where it is not said
}

// Lives are those of targets, snapshot and timestamp.
func (t *Tree) Lives() []Life {
	return []Life{
		{Targets, t.targets.Signed.Version, said(t.targets.Signed.UnrecognizedFields), t.targets.Signed.Expires},
		{Snapshot, t.snapshot.Signed.Version, said(t.snapshot.Signed.UnrecognizedFields), t.snapshot.Signed.Expires},
		{Timestamp, t.timestamp.Signed.Version, said(t.timestamp.Signed.UnrecognizedFields), t.timestamp.Signed.Expires},
	}
}

func said(fields map[string]any) time.Time {
	text, _ := fields[signedTime].(string)
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// Due tells by when a role is to be signed again: when half of its life is over.
func (l Life) Due(days int) time.Time {
	return l.Expires.Add(-time.Duration(days) * 24 * time.Hour / 2)
}

// Object is one file to write.
type Object struct {
	Key   string
	Bytes []byte
}

// Change is what is signed anew.
type Change struct {
	Files map[string]File // what targets lists from now on; nil: as before
	All   bool            // sign targets and snapshot anew though nothing else asks for it
	Skip  int64           // so many numbers of targets and snapshot are taken by what other publications left
	Days  Days
	Now   time.Time
}

// Sign makes the next files, in the order in which they are to be written: targets and snapshot where they change or come to their due
// time, and timestamp. Roles whose keys are not at hand stay as they are if nothing changes in them; where it does it is [ErrKeys].
// Nothing at all where nothing is due and c asks for nothing.
func (t *Tree) Sign(ctx context.Context, ring Ring, c Change) ([]Object, error) {
	var out []Object
	now := whole(c.Now)
	lives := t.Lives()
	due := func(i int) bool {
		l := lives[i]
		return l.Version == 0 || c.All || t.before != nil || !c.Now.Before(l.Due(c.Days.Of(l.Role)))
	}
	changed := c.Files != nil && !maps.Equal(c.Files, t.Files())
	renew := due(0) && (ring.Reaches(t.root, Targets) || lives[0].Version == 0 || t.before != nil)
	if changed || renew {
		s := &t.targets.Signed
		if changed {
			s.Targets = list(c.Files)
		}
		s.Version, s.Expires = s.Version+1+c.Skip, now.Add(c.Days.life(Targets))
		s.UnrecognizedFields = map[string]any{signedTime: now.Format(time.RFC3339)}
		b, err := signRole(ctx, t, ring, Targets, t.targets)
		if err != nil {
			return nil, err
		}
		out = append(out, t.made(Targets, numbered(s.Version, Targets), b))
		t.snapshot.Signed.Meta["targets.json"] = metaOf(s.Version, b)
	}
	if len(out) > 0 || due(1) {
		s := &t.snapshot.Signed
		s.Version, s.Expires = s.Version+1+c.Skip, now.Add(c.Days.life(Snapshot))
		s.UnrecognizedFields = map[string]any{signedTime: now.Format(time.RFC3339)}
		b, err := signRole(ctx, t, ring, Snapshot, t.snapshot)
		if err != nil {
			return nil, err
		}
		out = append(out, t.made(Snapshot, numbered(s.Version, Snapshot), b))
		t.timestamp.Signed.Meta["snapshot.json"] = metaOf(s.Version, b)
	}
	if len(out) == 0 && !due(2) {
		return nil, nil
	}
	s := &t.timestamp.Signed
	s.Version, s.Expires = s.Version+1, now.Add(c.Days.life(Timestamp))
	s.UnrecognizedFields = map[string]any{signedTime: now.Format(time.RFC3339)}
	b, err := signRole(ctx, t, ring, Timestamp, t.timestamp)
	return append(out, t.made(Timestamp, TimestampKey, b)), err
}

// made is a role's newest file.
func (t *Tree) made(role, key string, b []byte) Object {
	t.files[role] = Object{key, b}
	return t.files[role]
}

// Bridged tells whether what is signed next is good by the earlier root, too: then new roots are published after it, and hosts find no
// moment at which root and timestamp do not fit. Where the keys of the earlier root are gone, the root goes first.
func (t *Tree) Bridged(ring Ring) bool {
	return t.before != nil && ring.Reaches(t.before, Targets) && ring.Reaches(t.before, Snapshot) && ring.Reaches(t.before, Timestamp)
}

// Numbered are the keys of the targets and snapshot that count.
func (t *Tree) Numbered() (keys []string) {
	for _, role := range []string{Targets, Snapshot} {
		if o, ok := t.files[role]; ok {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// Root is the newest root, by which the next is signed.
func (t *Tree) Root() *RootFile { return t.root }

// signRole signs a role by those of its keys that are at hand, and by those of the earlier root.
func signRole[T metadata.Roles](ctx context.Context, t *Tree, ring Ring, role string, m *metadata.Metadata[T]) ([]byte, error) {
	signers, err := ring.For(t.root, role)
	if err != nil {
		return nil, err
	}
	if t.before != nil {
		maps.Copy(signers, ring.some(t.before, role))
	}
	message, err := cjson.EncodeCanonical(m.Signed)
	if err != nil {
		return nil, err
	}
	m.ClearSignatures()
	for _, id := range slices.Sorted(maps.Keys(signers)) {
		sig, err := signature(ctx, signers[id], id, message)
		if err != nil {
			return nil, err
		}
		m.Signatures = append(m.Signatures, sig)
	}
	return m.ToBytes(false)
}

func list(files map[string]File) map[string]*metadata.TargetFiles {
	all := make(map[string]*metadata.TargetFiles, len(files))
	for key, f := range files {
		sum, _ := hex.DecodeString(f.SHA256)
		one := &metadata.TargetFiles{Length: f.Length, Hashes: metadata.Hashes{"sha256": sum}}
		if f.Unpacked > 0 {
			custom := json.RawMessage(`{"unpacked":` + strconv.FormatInt(f.Unpacked, 10) + `}`)
			one.Custom = &custom
		}
		all[key] = one
	}
	return all
}

func metaOf(version int64, b []byte) *metadata.MetaFiles {
	f := metadata.MetaFile(version)
	sum := sha256.Sum256(b)
	f.Length, f.Hashes = int64(len(b)), metadata.Hashes{"sha256": sum[:]}
	return f
}

// Numbers are those that the files of an unverified tree have, so that new ones come above them; what cannot be read counts 0.
func Numbers(stamp, snapshot []byte) map[string]int64 {
	of := func(b []byte) (own, next int64) {
		var m struct {
			Signed struct {
				Version int64 `json:"version"`
				Meta    map[string]struct {
					Version int64 `json:"version"`
				} `json:"meta"`
			} `json:"signed"`
		}
		if json.NewDecoder(bytes.NewReader(b)).Decode(&m) != nil {
			return 0, 0
		}
		for _, f := range m.Signed.Meta {
			next = max(next, f.Version)
		}
		return sound(m.Signed.Version), sound(next)
	}
	t, s := of(stamp)
	own, targets := of(snapshot)
	return map[string]int64{Timestamp: t, Snapshot: max(s, own), Targets: targets}
}

// sound leaves numbers out that were set without the keys, so high that none comes after them.
func sound(version int64) int64 {
	if version < 0 || version > 1<<40 {
		return 0
	}
	return version
}
