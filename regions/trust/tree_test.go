package trust_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// today is when these tests take place.
var today = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

var roles = []string{"root", "timestamp", "snapshot", "targets"}

// tree is a signed region, made and signed by go-tuf.
type tree struct {
	t       testing.TB
	signers map[string][]signature.Signer // by role
	root    *metadata.Metadata[metadata.RootType]
	stamp   *metadata.Metadata[metadata.TimestampType]
	snap    *metadata.Metadata[metadata.SnapshotType]
	targets *metadata.Metadata[metadata.TargetsType]
	objects map[string][]byte // the bucket
}

// newTree makes a region with one key a role, and one package.
func newTree(t testing.TB) *tree {
	t.Helper()
	tr := &tree{t: t, signers: map[string][]signature.Signer{}, objects: map[string][]byte{}}
	tr.root = metadata.Root(today.AddDate(1, 0, 0))
	tr.stamp = metadata.Timestamp(today.AddDate(0, 0, 7))
	tr.snap = metadata.Snapshot(today.AddDate(0, 0, 30))
	tr.targets = metadata.Targets(today.AddDate(1, 0, 0))
	for _, role := range roles {
		tr.addKey(role, newKey(t))
	}
	tr.list("amazon-ssm-agent/9.1.0.0/a.tar.gz", []byte("a package"), `{"unpacked":1000}`)
	tr.publishRoot()
	tr.publish()
	return tr
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return private
}

func newECDSA(t testing.TB) crypto.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return private
}

func newRSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return private
}

// addKey has a role be signed by one more key.
func (tr *tree) addKey(role string, private crypto.Signer) {
	tr.t.Helper()
	public, err := metadata.KeyFromPublicKey(private.Public())
	must(tr.t, err)
	must(tr.t, tr.root.Signed.AddKey(public, role))
	var signer signature.Signer
	switch private := private.(type) {
	case *rsa.PrivateKey:
		signer, err = signature.LoadRSAPSSSigner(private, crypto.SHA256, &rsa.PSSOptions{Hash: crypto.SHA256})
	case ed25519.PrivateKey:
		signer, err = signature.LoadSigner(private, crypto.Hash(0))
	default:
		signer, err = signature.LoadSigner(private, crypto.SHA256)
	}
	must(tr.t, err)
	tr.signers[role] = append(tr.signers[role], signer)
}

// rotate gives a role one new key in place of those it has.
func (tr *tree) rotate(role string) {
	tr.t.Helper()
	tr.root.Signed.Roles[role].KeyIDs, tr.signers[role] = nil, nil
	tr.addKey(role, newKey(tr.t))
}

// list puts a file into targets, and its bytes into the bucket.
func (tr *tree) list(key string, content []byte, custom string) {
	tr.t.Helper()
	file, err := metadata.TargetFile().FromBytes(key, content, "sha256")
	must(tr.t, err)
	if custom != "" {
		raw := json.RawMessage(custom)
		file.Custom = &raw
	}
	tr.targets.Signed.Targets[key] = file
	tr.objects[key] = content
}

// signed is a role's file, signed by these.
func signed[T metadata.Roles](t testing.TB, m *metadata.Metadata[T], by []signature.Signer) []byte {
	t.Helper()
	m.ClearSignatures()
	for _, s := range by {
		_, err := m.Sign(s)
		must(t, err)
	}
	b, err := m.ToBytes(false)
	must(t, err)
	return b
}

// publishRoot publishes the root under its number. Others sign it, too: those of the root before.
func (tr *tree) publishRoot(others ...signature.Signer) {
	tr.t.Helper()
	b := signed(tr.t, tr.root, append(others, tr.signers["root"]...))
	tr.objects["trust/"+strconv.FormatInt(tr.root.Signed.Version, 10)+".root.json"] = b
}

// nextRoot publishes a root one further, after a change.
func (tr *tree) nextRoot(change func()) {
	tr.t.Helper()
	before := slices.Clone(tr.signers["root"])
	tr.root.Signed.Version++
	change()
	before = slices.DeleteFunc(before, func(s signature.Signer) bool { return slices.Contains(tr.signers["root"], s) })
	tr.publishRoot(before...)
}

// publish signs targets, snapshot and timestamp as they stand, with lengths and hashes.
func (tr *tree) publish() {
	tr.t.Helper()
	b := signed(tr.t, tr.targets, tr.signers["targets"])
	tr.objects[fmt.Sprintf("trust/%d.targets.json", tr.targets.Signed.Version)] = b
	tr.snap.Signed.Meta["targets.json"] = metaFile(tr.targets.Signed.Version, b)
	tr.publishSnapshot()
}

func (tr *tree) publishSnapshot() {
	tr.t.Helper()
	b := signed(tr.t, tr.snap, tr.signers["snapshot"])
	tr.objects[fmt.Sprintf("trust/%d.snapshot.json", tr.snap.Signed.Version)] = b
	tr.stamp.Signed.Meta["snapshot.json"] = metaFile(tr.snap.Signed.Version, b)
	tr.publishTimestamp()
}

func (tr *tree) publishTimestamp() {
	tr.t.Helper()
	tr.objects["trust/timestamp.json"] = signed(tr.t, tr.stamp, tr.signers["timestamp"])
}

// release publishes everything one number further.
func (tr *tree) release() {
	tr.t.Helper()
	tr.targets.Signed.Version++
	tr.snap.Signed.Version++
	tr.stamp.Signed.Version++
	tr.publish()
}

func metaFile(version int64, b []byte) *metadata.MetaFiles {
	f := metadata.MetaFile(version)
	f.Length = int64(len(b))
	sum := sha(b)
	f.Hashes = metadata.Hashes{"sha256": sum}
	return f
}

func sha(b []byte) []byte {
	h := crypto.SHA256.New()
	h.Write(b)
	return h.Sum(nil)
}

// read reads the bucket, as regions/bucket does.
func (tr *tree) read(_ context.Context, key string, limit int64) ([]byte, error) {
	b, ok := tr.objects[key]
	if !ok {
		return nil, fmt.Errorf("%w: %s", bucket.ErrMissing, key)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: %s", bucket.ErrNotBucket, key)
	}
	return bytes.Clone(b), nil
}

// copy is the bucket as it is now: what an attacker has kept.
func (tr *tree) copy() map[string][]byte { return maps.Clone(tr.objects) }

// state is a host that was given the first root.
func (tr *tree) state() *trust.State { return &trust.State{Root: tr.objects["trust/1.root.json"]} }

// refresh has a host look at the region.
func (tr *tree) refresh(s *trust.State) (*trust.Listing, error) {
	return s.Refresh(context.Background(), tr.read, today)
}

// accepted has a host look at the region, which must be believed.
func (tr *tree) accepted(s *trust.State) *trust.Listing {
	tr.t.Helper()
	l, err := tr.refresh(s)
	if err != nil {
		tr.t.Fatal("a good region is not believed:", err)
	}
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
