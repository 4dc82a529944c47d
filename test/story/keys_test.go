//go:build unix

package story_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
)

// words lock the private OpenPGP key.
const words = "correct horse battery"

// makeKeys writes keys into the script's folder:
//
//	private.asc public.asc   OpenPGP, locked with SSM_SIGN_PASSPHRASE=correct horse battery
//	expired.asc              OpenPGP, not locked, expired
//	root.pem                 an authority
//	chain.pem key.pem        its certificate for code signing
//	old.pem old.key          an expired one
//	web.pem web.key          one for web servers
//	old.pkg                  a package signed while old.pem was valid
func makeKeys(ts *testscript.TestScript, s *story, _ []string) {
	now := time.Now()
	put := func(name string, b []byte) { ts.Check(os.WriteFile(ts.MkAbs(name), b, 0o600)) }
	before := func(d time.Duration) func() time.Time { return func() time.Time { return now.Add(-d) } }

	config := &packet.Config{RSABits: 2048, Time: before(48 * time.Hour)}
	e, err := openpgp.NewEntity("Tests", "", "tests@example.com", config)
	ts.Check(err)
	put("public.asc", armored(ts, openpgp.PublicKeyType, e.Serialize))
	ts.Check(e.EncryptPrivateKeys([]byte(words), config))
	private := func(e *openpgp.Entity) []byte {
		return armored(ts, openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivateWithoutSigning(w, nil) })
	}
	put("private.asc", private(e))
	brief, err := openpgp.NewEntity("Brief", "", "brief@example.com", &packet.Config{RSABits: 2048, Time: before(48 * time.Hour),
		KeyLifetimeSecs: 3600})
	ts.Check(err)
	put("expired.asc", private(brief))

	n := testca.New(authorityFor{ts}, now)
	put("root.pem", n.Root())
	chain, key := n.RSA("Example Corp", testca.CodeSigning)
	put("chain.pem", chain)
	put("key.pem", key)
	web, webKey := n.ECDSA("Server", testca.ServerAuth)
	put("web.pem", web)
	put("web.key", webKey)
	old, oldKey := n.ECDSA("Old", testca.CodeSigning, testca.Valid(now.Add(-20*time.Hour), now.Add(-time.Hour)))
	put("old.pem", old)
	put("old.key", oldKey)
	signer, err := sign.Open(sign.Options{Cert: old, Key: oldKey, Time: now, Now: now.Add(-2 * time.Hour)})
	ts.Check(err)
	signatures, err := signer.Xar(context.Background())
	ts.Check(err)
	var b bytes.Buffer
	ts.Check(xar.Write(&b, xar.Archive{Time: now.Truncate(time.Second), Signatures: signatures,
		Files: []xar.File{{Name: "Distribution", Mode: 0o644, Time: now.Truncate(time.Second), Data: []byte("<installer-gui-script/>")}}}))
	put("old.pkg", b.Bytes())
}

func armored(ts *testscript.TestScript, kind string, write func(io.Writer) error) []byte {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	ts.Check(err)
	ts.Check(write(w))
	ts.Check(w.Close())
	return b.Bytes()
}

// authorityFor is a script as the certificate authority wants a test.
type authorityFor struct{ *testscript.TestScript }

func (authorityFor) Helper()            {}
func (a authorityFor) Cleanup(f func()) { a.Defer(f) }

// makeBucket makes another bucket in the script's region.
func makeBucket(ts *testscript.TestScript, s *story, args []string) {
	admin := s.region.Admin()
	c := s3.New(s3.Options{Region: s.region.Name(), BaseEndpoint: aws.String(s.region.URL()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(admin.AccessKeyID, admin.SecretAccessKey, "")})
	_, err := c.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &args[0]})
	ts.Check(err)
}
