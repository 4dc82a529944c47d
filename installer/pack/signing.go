package pack

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// Signing is how a build signs; what is nil is not signed. The functions may be called at the same time. See installer/sign.
type Signing struct {
	OpenPGP      func(io.Reader) ([]byte, error) // a binary detached signature: deb, rpm, and files FILE.sig of all packages
	Authenticode func(path string) error         // signs a program or MSI where it lies
	Xar          func() ([]xar.Signature, error) // of a pkg
}

// SignatureSuffix is behind a file's name in the name of its detached OpenPGP signature.
const SignatureSuffix = ".sig"

// Proof is the signature that an installer looks for before it installs a package.
type Proof string

// The proofs.
const (
	NoProof         Proof = ""             // none: the checksum of the manifest must do
	DetachedOpenPGP Proof = "openpgp"      // FILE.sig beside the package (docs/protocol/update.md, "Signature check")
	Authenticode    Proof = "authenticode" // in the file
)

// Signed says how the packages of a format are signed, and how that is checked.
type Signed struct {
	Installers Proof
	Content    sign.Content // how its own signatures are found and checked; zero: it has none

	finish func(Signing) func(path string) error // what signs the finished file where it lies; nil: write does, or nothing
}

// authenticode is a finish.
func (s Signing) authenticode() func(path string) error { return s.Authenticode }

// finisher is what signs a finished file of a format before it gets its name; nil where nothing does.
func (s Signing) finisher(f Format) func(path string) error {
	if f.Signed.finish == nil {
		return nil
	}
	return f.Signed.finish(s)
}

// Verify checks the signatures of a file, see [sign.Verify]: of every format in the table, of FILE.sig and of SHA256SUMS.
func Verify(path string, t sign.Trusted) (sign.Report, error) { return sign.Verify(path, t, kinds()) }

func kinds() []sign.Kind {
	var list []sign.Kind
	for _, f := range formats {
		if f.Signed.Content.Check != nil {
			list = append(list, sign.Kind{Name: f.Name, Content: f.Signed.Content})
		}
	}
	return list
}

// Beside writes FILE.sig, or removes one that belongs to an earlier file of that name.
func (s Signing) Beside(path string) error {
	if s.OpenPGP == nil {
		if err := os.Remove(path + SignatureSuffix); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sig, err := s.OpenPGP(f)
	if err != nil {
		return err
	}
	out, err := host.Create(path+SignatureSuffix, 0o644)
	if err != nil {
		return err
	}
	defer out.Discard()
	if _, err := out.Write(sig); err != nil {
		return err
	}
	return out.Place()
}
