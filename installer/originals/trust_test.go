package originals_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

var now = time.Now()

// What counts, by where a package comes from, which key signed it and which keys were named.
func TestAPackageIsTakenByTheOneRuleOfTrust(t *testing.T) {
	year := uint32(365 * 24 * 60 * 60)
	good, wrong := key(t, "maker", now.Add(-time.Hour), 0), key(t, "stranger", now.Add(-time.Hour), 0)
	old := key(t, "maker of before", now.AddDate(-3, 0, 0), year)
	for name, c := range map[string]struct {
		base  string
		sign  int // 0: nothing, 1: good, 2: old in its time, 3: old after it
		trust originals.Trust
		want  string // of the signature
		fault fault.Kind
	}{
		"Amazon, no key":                    {amazon, 1, originals.Trust{}, "signature not checked: no key for ", ""},
		"Amazon, no signature":              {amazon, 0, originals.Trust{}, "signature not checked: the source has none", ""},
		"Amazon, the key":                   {amazon, 1, trusting(t, good), "signature good, by maker", ""},
		"Amazon, another key":               {amazon, 1, trusting(t, wrong), "", fault.Verify},
		"Amazon, a key and no signature":    {amazon, 0, trusting(t, good), "", fault.Verify},
		"elsewhere, no key":                 {other, 1, originals.Trust{}, "", fault.Verify},
		"elsewhere, no signature":           {other, 0, originals.Trust{}, "", fault.Verify},
		"elsewhere, the key":                {other, 1, trusting(t, good), "signature good, by maker", ""},
		"elsewhere, one of several":         {other, 1, trusting(t, wrong, good), "signature good, by maker", ""},
		"elsewhere, another key":            {other, 1, trusting(t, wrong), "", fault.Verify},
		"elsewhere, the word":               {other, 1, originals.Trust{AllowUnsigned: true}, "signature not checked: no key for ", ""},
		"elsewhere, the word, no signature": {other, 0, originals.Trust{AllowUnsigned: true}, "signature not checked: the source has none", ""},
		"an expired key, signed in time":    {other, 2, trusting(t, old), "the key has expired since", ""},
		"an expired key, signed after":      {other, 3, trusting(t, old), "", fault.Refused},
		"plain http of Amazon's name":       {strings.Replace(amazon, "https", "http", 1), 1, originals.Trust{}, "", fault.Verify},
		"Amazon's bucket of another region": {strings.ReplaceAll(amazon, "eu-west-1", "us-east-1"), 1, originals.Trust{}, "", fault.Verify},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			switch c.sign {
			case 0:
				w.offer(c.base, nil, now, "3.3.1.0")
			case 1:
				w.offer(c.base, good, now, "3.3.1.0")
			case 2:
				w.offer(c.base, old, now.AddDate(-2, -6, 0), "3.3.1.0")
			case 3:
				late := key(t, "maker of before", now.AddDate(-3, 0, 0), 0) // the same key, before it was told to expire
				late.PrimaryKey, late.PrivateKey = old.PrimaryKey, old.PrivateKey
				late.Subkeys = nil
				w.offer(c.base, late, now.Add(-time.Minute), "3.3.1.0")
			}
			r, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(c.base), Trust: c.trust})
			if c.fault != "" {
				if err == nil || fault.Of(err) != c.fault {
					t.Fatalf("%v (%s)", err, fault.Of(err))
				}
				if w.db != "" || len(w.commands) > 0 || exists(w.home.Own(installer.OwnOriginal)) || exists(filepath.Dir(w.home.Data())) {
					t.Errorf("a refused package left %v, %v", w.commands, w.kept())
				}
				return
			}
			if err != nil || !strings.Contains(r.Signature, c.want) {
				t.Fatalf("%q, %v", r.Signature, err)
			}
			if w.has() != "3.3.1.0" || r.Agent != "original" {
				t.Errorf("%s is installed: %+v", w.has(), r)
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Bytes that are not what is listed, signed or named are refused, whatever the caller allows.
func TestAPackageThatIsAnotherOneIsRefused(t *testing.T) {
	maker := key(t, "maker", now.Add(-time.Hour), 0)
	const archive = "/amazon-ssm-agent/3.3.1.0/amazon-ssm-agent-ubuntu-amd64.tar.gz"
	const loose = "/3.3.1.0/debian_amd64/amazon-ssm-agent.deb"
	for name, spoil := range map[string]func(*world){
		"an archive with another checksum": func(w *world) { w.buckets[amazon+archive] = append(w.buckets[amazon+archive], 0) },
		"a signature of other bytes":       func(w *world) { w.buckets[amazon+loose+".sig"] = sigOf(w, maker, "other bytes") },
		"something that is no signature":   func(w *world) { w.buckets[amazon+loose+".sig"] = []byte("none") },
		"another version in it": func(w *world) {
			w.replace(amazon, "3.3.1.0", map[string]string{"amazon-ssm-agent.deb": "amazon-ssm-agent 3.3.9.0-1"})
		},
		"another package in it": func(w *world) {
			w.replace(amazon, "3.3.1.0", map[string]string{"amazon-ssm-agent.deb": "sudo 3.3.1.0-1"})
		},
		"no package in it": func(w *world) { w.replace(amazon, "3.3.1.0", map[string]string{"amazon-ssm-agent.rpm": "x"}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.offer(amazon, maker, now, "3.3.1.0")
			spoil(w)
			_, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon), Trust: trusting(t, maker)})
			if err == nil || fault.Of(err) != fault.Verify || w.db != "" || exists(w.home.Own(installer.OwnOriginal)) {
				t.Errorf("%v (%s), %v", err, fault.Of(err), w.commands)
			}
		})
	}
}

// Where a mirror has the loose package only, its signature is all that counts.
func TestALoosePackageNeedsAGoodSignature(t *testing.T) {
	maker := key(t, "maker", now.Add(-time.Hour), 0)
	w := newWorld(t)
	w.offer(amazon, maker, now, "3.3.1.0")
	delete(w.buckets, amazon+"/amazon-ssm-agent/3.3.1.0/amazon-ssm-agent-ubuntu-amd64.tar.gz")
	if _, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon)}); fault.Of(err) != fault.Verify || w.db != "" {
		t.Errorf("without a key: %v", err)
	}
	r, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon), Trust: trusting(t, maker)})
	if err != nil || w.has() != "3.3.1.0" || !strings.Contains(r.Signature, "signature good") {
		t.Errorf("with it: %+v, %v", r, err)
	}
}

// A kept package is for root alone, and hashed again before it is used.
func TestAKeptPackageThatWasChangedIsNotUsed(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0", "3.3.2.0")
	w.install(t, "3.3.1.0")
	if _, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range w.kept() {
		path := filepath.Join(w.home.Own(installer.OwnOriginal), "packages", name)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
		b, err := os.ReadFile(path)
		must(t, err)
		if bytes.Contains(b, []byte("3.3.1.0")) {
			must(t, os.WriteFile(path, append(b, '!'), 0o600))
		}
	}
	if _, err := w.agent().Rollback(t.Context()); fault.Of(err) != fault.Verify || w.has() != "3.3.2.0" {
		t.Errorf("%s runs: %v", w.has(), err)
	}
}
