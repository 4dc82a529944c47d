package originals

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Trust is what counts as proof of who made a package.
type Trust struct {
	Keys          sign.Trusted // OpenPGP keys that were named, and, for tests, certificates of authorities
	AllowUnsigned bool         // take a package from anywhere without a good signature
}

// signer is who signs Amazon's programs for Windows (docs/protocol/update.md, "Signature check").
const signer = "Amazon.com Services LLC"

// maxSignature bounds a detached signature, in bytes.
const maxSignature = 64 << 10

// Why a package is not taken.
var (
	ErrNoProof = fault.New(fault.Verify, "the package does not come from Amazon's own bucket, and no good signature says who made it",
		"name the key of its maker with --key FILE, or accept it with --allow-unsigned")
	ErrSigner = fault.New(fault.Verify, "the package is not signed by "+signer, "do not use it: fetch it from Amazon's own bucket")
)

// fromAmazon tells whether a bucket is Amazon's own of the region, read over https.
func fromAmazon(base, region string) bool {
	return strings.HasPrefix(strings.ToLower(base), "https://") && regions.AWSManifest(base+"/"+regions.ManifestKey, region)
}

// proof is what is known of a package before its signature is looked at.
type proof struct {
	listed bool // its SHA-256 is that of the manifest
	amazon bool // it comes from Amazon's own bucket, over https
}

// judge decides whether a package's file may be used, and says in one sentence what is known of its signature. sig is its detached
// signature; nil: there is none.
func (t Trust) judge(file string, p packing, known proof, sig []byte) (string, error) {
	if p.name == "exe" {
		return t.authenticode(file)
	}
	enough := known.amazon && known.listed
	if sig == nil {
		return t.unsigned(enough)
	}
	beside := file + ".sig"
	if err := host.WriteFile(beside, sig, 0o600); err != nil {
		return "", err
	}
	defer os.Remove(beside)
	report, err := pack.Verify(beside, t.now())
	found := sign.Signature{By: "an unknown key"}
	if len(report.Signatures) > 0 {
		found = report.Signatures[0]
	}
	switch {
	case err == nil && found.Trust == sign.ByKey:
		text := "signature good, by " + found.By + ", key " + found.Key
		if found.Note != "" {
			text += "; " + found.Note
		}
		return text, nil
	case err == nil, errors.Is(err, sign.ErrUntrusted):
		return t.unknown(found.Key, enough)
	}
	return "", err
}

// unknown is the verdict on a signature by a key that was not named. A caller who names keys wants one of them to fit.
func (t Trust) unknown(key string, enough bool) (string, error) {
	text := "signature not checked: no key for " + key
	switch {
	case t.AllowUnsigned, enough && len(t.Keys.Keys) == 0:
		return text, nil
	case len(t.Keys.Keys) > 0:
		return "", fmt.Errorf("%w: by key %s", sign.ErrUntrusted, key)
	}
	return "", fmt.Errorf("%w (it is signed by key %s)", ErrNoProof, key)
}

// unsigned is the verdict on a package beside which no signature lies.
func (t Trust) unsigned(enough bool) (string, error) {
	const text = "signature not checked: the source has none"
	switch {
	case t.AllowUnsigned, enough && len(t.Keys.Keys) == 0:
		return text, nil
	case len(t.Keys.Keys) > 0:
		return "", fmt.Errorf("%w: the source has no signature of it", sign.ErrUnsigned)
	}
	return "", ErrNoProof
}

// authenticode checks a package for Windows, from wherever it comes.
func (t Trust) authenticode(file string) (string, error) {
	trusted := t.now()
	trusted.Keys = nil
	report, err := pack.Verify(file, trusted)
	if err != nil {
		return "", err
	}
	for _, s := range report.Signatures {
		if s.Kind == "Authenticode" && s.By == signer && (s.Trust == sign.BySystem || s.Trust == sign.ByCA) {
			return "signature good, by " + s.By, nil
		}
	}
	return "", ErrSigner
}

func (t Trust) now() sign.Trusted {
	trusted := t.Keys
	if trusted.Now.IsZero() {
		trusted.Now = time.Now()
	}
	return trusted
}

// signature is the detached signature of a version's loose package; nil where the source has none.
func signature(ctx context.Context, client *bucket.Client, key string) ([]byte, error) {
	sig, err := client.Small(ctx, key+".sig", maxSignature)
	if errors.Is(err, bucket.ErrMissing) || errors.Is(err, bucket.ErrDenied) { // a bucket that may not be listed denies what is missing
		return nil, nil
	}
	return sig, err
}
