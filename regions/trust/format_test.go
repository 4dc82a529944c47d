package trust_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/regions/trust"
)

func TestMetadataOfAnotherShapeIsRefused(t *testing.T) {
	good := string(newTree(t).objects["trust/timestamp.json"])
	for name, b := range map[string]string{
		"a page":                 "<html>log in</html>",
		"nothing":                "",
		"a list":                 "[" + good + "]",
		"cut off":                good[:len(good)/2],
		"more behind it":         good + "{}",
		"a name twice":           last(good, `"version":1`, `"version":9,"version":1`),
		"a number as a text":     last(good, `"version":1`, `"version":"1"`),
		"a fraction":             last(good, `"version":1`, `"version":1.5`),
		"an exponent":            last(good, `"version":1`, `"version":1e0`),
		"no version":             last(good, `"version":1`, `"Version":1`),
		"version zero":           last(good, `"version":1`, `"version":0`),
		"a number beyond 64 bit": last(good, `"version":1`, `"version":99999999999999999999`),
		"another type":           strings.Replace(good, `"_type":"timestamp"`, `"_type":"snapshot"`, 1),
		"another specification":  strings.Replace(good, `"spec_version":"1.0.31"`, `"spec_version":"2.0.0"`, 1),
		"a deep nest":            last(good, `"version":1`, `"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`,"version":1`),
		"bytes that are no text": strings.Replace(good, `"timestamp"`, "\"time\xff\"", 1),
		"signatures as a text":   `{"signatures":"x","signed":{}}`,
		"a signature not in hex": strings.Replace(good, `"sig":"`, `"sig":"zz`, 1),
		"a bad time":             strings.Replace(good, `"expires":"2026`, `"expires":"26`, 1),
		"too large":              last(good, `"version":1`, `"x":"`+strings.Repeat("x", trust.MaxTimestamp)+`","version":1`),
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			tr.objects["trust/timestamp.json"] = []byte(b)
			s := tr.state()
			if _, err := s.Refresh(context.Background(), func(_ context.Context, key string, _ int64) ([]byte, error) {
				return tr.read(context.Background(), key, 1<<30) // a server that keeps no bound
			}, today); !errors.Is(err, trust.ErrFormat) {
				t.Error("got", err)
			}
		})
	}
}

// last replaces the last place of a text.
func last(s, old, with string) string {
	at := strings.LastIndex(s, old)
	return s[:at] + with + s[at+len(old):]
}

func TestTooMuchOfAThingIsRefused(t *testing.T) {
	for name, change := range map[string]func(*tree){
		"keys": func(tr *tree) {
			tr.nextRoot(func() {
				for range 70 {
					tr.addKey("targets", newKey(tr.t))
				}
			})
		},
		"signatures": func(tr *tree) {
			one := fmt.Sprintf(`{"keyid":"%%d","sig":"00"},`)
			var many strings.Builder
			for n := range 100 {
				fmt.Fprintf(&many, one, n)
			}
			b := string(tr.objects["trust/timestamp.json"])
			tr.objects["trust/timestamp.json"] = []byte(strings.Replace(b, `"signatures":[`, `"signatures":[`+many.String(), 1))
		},
		"listed files": func(tr *tree) {
			var list strings.Builder
			for n := range 100_001 {
				fmt.Fprintf(&list, `,"%06d":{"hashes":{},"length":1}`, n)
			}
			signed := `{"_type":"targets","expires":"2027-11-29T12:00:00Z","spec_version":"1.0.31","targets":{` + list.String()[1:] + `},"version":1}`
			sig, err := tr.signers["targets"][0].SignMessage(strings.NewReader(signed))
			must(tr.t, err)
			tr.objects["trust/1.targets.json"] = fmt.Appendf(nil, `{"signatures":[{"keyid":"%s","sig":"%x"}],"signed":%s}`,
				tr.root.Signed.Roles["targets"].KeyIDs[0], sig, signed)
			tr.snap.Signed.Meta["targets.json"] = metadata.MetaFile(1)
			tr.publishSnapshot()
		},
		"named files": func(tr *tree) {
			for n := range 1025 {
				tr.snap.Signed.Meta[fmt.Sprint(n)] = metadata.MetaFile(1)
			}
			tr.publishSnapshot()
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			change(tr)
			refused(t, tr, tr.state(), trust.ErrFormat)
		})
	}
}

func TestDelegationsAreRefusedByName(t *testing.T) {
	tr := newTree(t)
	tr.targets.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{},
		Roles: []metadata.DelegatedRole{{Name: "other", Threshold: 1, Paths: []string{"*"}}}}
	tr.publish()
	_, err := tr.refresh(tr.state())
	if !errors.Is(err, trust.ErrFormat) || !strings.Contains(err.Error(), "delegates") {
		t.Error("got", err)
	}
}

func TestWhatIsNotListedWholeDoesNotCount(t *testing.T) {
	tr := newTree(t)
	tr.list("amazon-ssm-agent/9.1.0.0/no-unpacked.tar.gz", []byte("x"), "")
	tr.list("amazon-ssm-agent/9.1.0.0/no-unpacked.deb", []byte("x"), "")
	tr.list("../outside", []byte("x"), "")
	tr.list("/absolute", []byte("x"), "")
	tr.list("amazon-ssm-agent/9.1.0.0/sha512.deb", []byte("x"), "")
	tr.targets.Signed.Targets["amazon-ssm-agent/9.1.0.0/sha512.deb"].Hashes = metadata.Hashes{"sha512": make([]byte, 64)}
	tr.publish()
	l := tr.accepted(tr.state())
	for key, want := range map[string]bool{"amazon-ssm-agent/9.1.0.0/no-unpacked.tar.gz": false, "../outside": false, "/absolute": false,
		"amazon-ssm-agent/9.1.0.0/sha512.deb": false, "amazon-ssm-agent/9.1.0.0/no-unpacked.deb": true} {
		if _, got := l.Find(key); got != want {
			t.Errorf("%s counts: %v", key, got)
		}
	}
}

func TestAKeyOfAnUnknownKindHurtsNothingAndCountsNothing(t *testing.T) {
	tr := newTree(t)
	tr.nextRoot(func() {
		must(t, tr.root.Signed.AddKey(&metadata.Key{Type: "sphincs", Scheme: "sphincs-2030", Value: metadata.KeyVal{PublicKey: "x"}}, "targets"))
	})
	tr.accepted(tr.state())
	tr.nextRoot(func() { tr.root.Signed.Roles["targets"].Threshold = 2 })
	refused(t, tr, tr.state(), trust.ErrSignature)
}

// FuzzMetadata feeds every role's reader; what it accepts must be signed, and canonical forms must be stable.
func FuzzMetadata(f *testing.F) {
	tr := newTree(f)
	tr.nextRoot(func() { tr.rotate("root"); tr.addKey("root", newECDSA(f)) })
	names := []string{"trust/2.root.json", "trust/timestamp.json", "trust/1.snapshot.json", "trust/1.targets.json"}
	for n, name := range names {
		f.Add(n, tr.objects[name])
		f.Add(n, []byte(`{"signatures":[],"signed":{"_type":"root","x":[1,{"y":null}],"s":"\u0000\"\\"}}`))
	}
	good := tr.copy()
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		tr := &tree{t: t, objects: make(map[string][]byte)}
		for k, v := range good {
			tr.objects[k] = v
		}
		name := names[((which%len(names))+len(names))%len(names)]
		tr.objects[name] = b
		s := &trust.State{Root: good["trust/1.root.json"]}
		l, err := tr.refresh(s)
		if (l == nil) == (err == nil) {
			t.Fatal("neither a list nor an error, or both")
		}
		if _, err := s.Facts(); err != nil {
			t.Fatal("the state's root is no root any more:", err)
		}
		if _, err := trust.ParseRoot(b); err == nil && name != names[0] && string(b) != string(good[names[0]]) {
			_, _ = tr.refresh(&trust.State{Root: b})
		}
	})
}
