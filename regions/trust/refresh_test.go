package trust_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/regions/trust"
)

func TestAFirstLookListsWhatWasSigned(t *testing.T) {
	tr := newTree(t)
	l := tr.accepted(tr.state())
	got, ok := l.Find("amazon-ssm-agent/9.1.0.0/a.tar.gz")
	if !ok || got.Size != 9 || got.Unpacked != 1000 || got.SHA256.IsZero() {
		t.Errorf("listed: %+v", got)
	}
	if _, ok := l.Find("amazon-ssm-agent/9.1.0.0/b.tar.gz"); ok {
		t.Error("a file counts that is not listed")
	}
	if l.Root != 1 || len(l.Roles) != 4 {
		t.Errorf("facts: %+v", l.Facts)
	}
}

func TestEveryKindOfKeyThatGoTUFWritesCounts(t *testing.T) {
	tr := newTree(t)
	tr.nextRoot(func() {
		for _, role := range roles[1:] {
			tr.addKey(role, newECDSA(t))
			tr.addKey(role, newRSA(t, 2048))
			tr.root.Signed.Roles[role].Threshold = 3
		}
	})
	tr.release()
	tr.accepted(tr.state())
}

func TestAShortRSAKeyDoesNotCount(t *testing.T) {
	tr := newTree(t)
	tr.nextRoot(func() {
		tr.root.Signed.Roles["targets"].KeyIDs, tr.signers["targets"] = nil, nil
		tr.addKey("targets", newRSA(t, 1024))
	})
	tr.release()
	refused(t, tr, tr.state(), trust.ErrSignature)
}

// refused has a host look at a region that must not be believed.
func refused(t *testing.T, tr *tree, s *trust.State, want error) {
	t.Helper()
	l, err := tr.refresh(s)
	if !errors.Is(err, want) || l != nil {
		t.Errorf("got %v, want: %v", err, want)
	}
}

// The cases of go-tuf's repository simulator (metadata/updater/updater_top_level_update_test.go), a row each.
func TestTheCasesOfTheSimulator(t *testing.T) {
	for _, c := range []struct {
		name   string
		known  bool // the host has looked at the region before
		change func(*tree)
		want   error // nil: believed
	}{
		{"the root has expired", false, func(tr *tree) { tr.nextRoot(func() { tr.root.Signed.Expires = today.Add(-time.Second) }) },
			trust.ErrExpired},
		{"a root between has expired", false, func(tr *tree) {
			tr.nextRoot(func() { tr.root.Signed.Expires = today.Add(-time.Hour) })
			tr.nextRoot(func() { tr.root.Signed.Expires = today.AddDate(1, 0, 0) })
		}, nil},
		{"a root is signed by none of the keys before it", false, func(tr *tree) {
			tr.root.Signed.Version++
			tr.rotate("root")
			tr.publishRoot()
		}, trust.ErrSignature},
		{"a root is not signed by its own keys", false, func(tr *tree) {
			before := tr.signers["root"]
			tr.root.Signed.Version++
			tr.rotate("root")
			tr.signers["root"] = before
			tr.publishRoot()
		}, trust.ErrSignature},
		{"a root has the number of the one before", false, func(tr *tree) {
			tr.objects["trust/2.root.json"] = tr.objects["trust/1.root.json"]
		}, trust.ErrReplayed},
		{"a root leaves a number out", false, func(tr *tree) {
			tr.root.Signed.Version = 3
			tr.objects["trust/2.root.json"] = signed(tr.t, tr.root, tr.signers["root"])
		}, trust.ErrReplayed},
		{"a root needs two keys from now on", false, func(tr *tree) {
			tr.nextRoot(func() { tr.addKey("root", newKey(tr.t)); tr.root.Signed.Roles["root"].Threshold = 2 })
		}, nil},
		{"the timestamp is not signed", false, func(tr *tree) { tr.signers["timestamp"] = nil; tr.publishTimestamp() }, trust.ErrSignature},
		{"the timestamp has expired", false, func(tr *tree) { tr.stamp.Signed.Expires = today.Add(-time.Second); tr.publishTimestamp() },
			trust.ErrExpired},
		{"the timestamp ends this very second", false, func(tr *tree) { tr.stamp.Signed.Expires = today; tr.publishTimestamp() },
			trust.ErrExpired},
		{"the timestamp goes back", true, func(tr *tree) { tr.stamp.Signed.Version = 4; tr.publishTimestamp() }, trust.ErrReplayed},
		{"the timestamp has the same number and another content", true, func(tr *tree) {
			tr.stamp.Signed.Meta["snapshot.json"].Version = 77
			tr.publishTimestamp()
		}, nil},
		{"the timestamp names an older snapshot", true, func(tr *tree) {
			tr.stamp.Signed.Version++
			tr.stamp.Signed.Meta["snapshot.json"].Version--
			tr.publishTimestamp()
		}, trust.ErrReplayed},
		{"the snapshot has another hash", false, func(tr *tree) {
			tr.stamp.Signed.Meta["snapshot.json"].Hashes["sha256"] = sha([]byte("other"))
			tr.publishTimestamp()
		}, trust.ErrMixed},
		{"the snapshot has another length", false, func(tr *tree) {
			tr.stamp.Signed.Meta["snapshot.json"].Length++
			tr.publishTimestamp()
		}, trust.ErrMixed},
		{"the snapshot is not signed", false, func(tr *tree) { tr.signers["snapshot"] = nil; tr.publishSnapshot() }, trust.ErrSignature},
		{"the snapshot has another number than the timestamp says", false, func(tr *tree) {
			b := tr.objects["trust/5.snapshot.json"]
			tr.stamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(6)
			tr.objects["trust/6.snapshot.json"] = b
			tr.publishTimestamp()
		}, trust.ErrMixed},
		{"the snapshot names older targets", true, func(tr *tree) {
			tr.snap.Signed.Version++
			tr.stamp.Signed.Version++
			tr.snap.Signed.Meta["targets.json"].Version--
			tr.publishSnapshot()
		}, trust.ErrReplayed},
		{"the snapshot has expired", false, func(tr *tree) { tr.snap.Signed.Expires = today.Add(-time.Second); tr.publishSnapshot() },
			trust.ErrExpired},
		{"targets has another hash", false, func(tr *tree) {
			tr.snap.Signed.Meta["targets.json"].Hashes["sha256"] = sha([]byte("other"))
			tr.publishSnapshot()
		}, trust.ErrMixed},
		{"targets is not signed", false, func(tr *tree) { tr.signers["targets"] = nil; tr.publish() }, trust.ErrSignature},
		{"targets has another number than the snapshot says", false, func(tr *tree) {
			tr.snap.Signed.Meta["targets.json"] = metadata.MetaFile(6)
			tr.objects["trust/6.targets.json"] = tr.objects["trust/5.targets.json"]
			tr.publishSnapshot()
		}, trust.ErrMixed},
		{"targets has expired", false, func(tr *tree) { tr.targets.Signed.Expires = today.Add(-time.Second); tr.publish() }, trust.ErrExpired},
		{"neither lengths nor hashes are said", false, func(tr *tree) {
			tr.snap.Signed.Meta["targets.json"] = metadata.MetaFile(5)
			b := signed(tr.t, tr.snap, tr.signers["snapshot"])
			tr.objects["trust/5.snapshot.json"] = b
			tr.stamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(5)
			tr.publishTimestamp()
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(t)
			tr.targets.Signed.Version, tr.snap.Signed.Version, tr.stamp.Signed.Version = 5, 5, 5
			tr.publish()
			s := tr.state()
			if c.known {
				tr.accepted(s)
			}
			tr.t = t
			c.change(tr)
			if c.want == nil {
				tr.accepted(s)
				return
			}
			refused(t, tr, s, c.want)
		})
	}
}

// A stolen key's high numbers end with the key.
func TestARotationEndsWhatAStolenKeySigned(t *testing.T) {
	for _, role := range []string{"timestamp", "snapshot"} {
		t.Run(role, func(t *testing.T) {
			tr := newTree(t)
			tr.targets.Signed.Version, tr.snap.Signed.Version, tr.stamp.Signed.Version = 5, 5, 5
			tr.publish()
			s := tr.state()
			tr.accepted(s)
			good := tr.copy()
			tr.stamp.Signed.Version, tr.snap.Signed.Version = 99999, 99999
			tr.stamp.Signed.UnrecognizedFields = map[string]any{"x-ssm-signed": "2026-12-05T00:00:00Z"}
			tr.publishSnapshot()
			tr.accepted(s)
			if s.Seen.IsZero() {
				t.Fatal("the signed time was not seen")
			}
			tr.objects = good
			tr.stamp.Signed.UnrecognizedFields = nil
			tr.stamp.Signed.Version, tr.snap.Signed.Version = 6, 6
			tr.publishSnapshot()
			refused(t, tr, s, trust.ErrReplayed)
			tr.nextRoot(func() { tr.rotate(role) })
			tr.publishSnapshot()
			tr.accepted(s)
			if !s.Seen.IsZero() {
				t.Error("the stolen key's time is believed still:", s.Seen)
			}
		})
	}
}

func TestAKeyUnderTwoNamesCountsOnce(t *testing.T) {
	tr := newTree(t)
	tr.nextRoot(func() {
		private := newECDSA(t)
		tr.root.Signed.Roles["targets"].KeyIDs, tr.signers["targets"] = nil, nil
		tr.addKey("targets", private)
		public, err := metadata.KeyFromPublicKey(private.Public())
		must(t, err)
		public.Type = metadata.KeyTypeECDSA_SHA2_P256_COMPAT // another name of the same
		must(t, tr.root.Signed.AddKey(public, "targets"))
		tr.root.Signed.Roles["targets"].Threshold = 2
	})
	tr.release()
	b := tr.objects["trust/2.targets.json"]
	ids := tr.root.Signed.Roles["targets"].KeyIDs
	if len(ids) != 2 {
		t.Fatal("two names expected:", ids)
	}
	both := strings.Replace(string(b), `{"keyid":"`+ids[0], `{"keyid":"`+ids[1]+`","sig":"`+sigOf(t, b)+`"},{"keyid":"`+ids[0], 1)
	tr.objects["trust/2.targets.json"] = []byte(both)
	tr.snap.Signed.Meta["targets.json"] = metadata.MetaFile(2)
	tr.publishSnapshot()
	refused(t, tr, tr.state(), trust.ErrSignature)
}

func sigOf(t *testing.T, b []byte) string {
	t.Helper()
	_, after, ok := strings.Cut(string(b), `"sig":"`)
	text, _, _ := strings.Cut(after, `"`)
	if !ok {
		t.Fatal("no signature")
	}
	return text
}

func TestTimeIsTheLaterOfTheClockAndWhatWasSigned(t *testing.T) {
	tr := newTree(t)
	s := tr.state()
	old := tr.copy()
	tr.stamp.Signed.UnrecognizedFields = map[string]any{"x-ssm-signed": today.AddDate(0, 0, 20).Format(time.RFC3339)}
	tr.stamp.Signed.Expires = today.AddDate(0, 0, 27)
	tr.release()
	tr.accepted(s)
	if !s.Seen.Equal(today.AddDate(0, 0, 20)) {
		t.Error("seen:", s.Seen)
	}
	s.Timestamp, s.Snapshot, s.Targets = nil, nil, nil // what a rollback of the disk takes; time stayed
	tr.objects = old                                   // good by the clock, which stands 20 days back
	refused(t, tr, s, trust.ErrExpired)
}

func TestWhatWasSignedAfterItsOwnEndIsRefused(t *testing.T) {
	tr := newTree(t)
	tr.stamp.Signed.UnrecognizedFields = map[string]any{"x-ssm-signed": "2099-01-01T00:00:00Z"}
	tr.publishTimestamp()
	refused(t, tr, tr.state(), trust.ErrFormat)
}

func TestNewRootsHaveABound(t *testing.T) {
	tr := newTree(t)
	for range trust.MaxRotations + 1 {
		tr.nextRoot(func() {})
	}
	s := tr.state()
	refused(t, tr, s, trust.ErrFormat)
	tr.accepted(s) // the next look goes on where this one stopped
}
