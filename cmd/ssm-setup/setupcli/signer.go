package setupcli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// errSigner is the original's, with its spelling.
var errSigner = errors.New("cerificate identity is not valid")

// checkSigner checks who signed a package for Windows: the one that -signer names, or the signer of this program. Its chain
// must lead to a root that this system trusts.
func (s *run) checkSigner(archive string) error {
	want := s.Signer
	if want == "" {
		own, err := pack.Verify(s.self, s.trusted)
		if want = signerOf(own); err != nil || want == "" {
			s.log.warn("the signature is not checked: no -signer is given, and this program is not signed by a party that this system trusts; " +
				"the checksum is that of the manifest")
			return nil
		}
	}
	report, err := pack.Verify(archive, s.trusted)
	if err == nil {
		err = signedBy(report, want)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errSignature, filepath.Base(archive), err)
	}
	s.log.info("signature of %s is good, by %s", filepath.Base(archive), want)
	return nil
}

// believed tells whether a signature's chain leads to a root that counts.
func believed(sig sign.Signature) bool {
	return sig.Kind == "Authenticode" && (sig.Trust == sign.BySystem || sig.Trust == sign.ByCA)
}

// signerOf is who signed a program; empty where no signature counts.
func signerOf(r sign.Report) string {
	for _, sig := range r.Signatures {
		if believed(sig) {
			return sig.By
		}
	}
	return ""
}

// signedBy fails unless a file was signed by that name, and its chain counts.
func signedBy(r sign.Report, want string) error {
	err := fmt.Errorf("%w: it is not signed", errSigner)
	for _, sig := range r.Signatures {
		switch {
		case sig.Kind != "Authenticode":
		case sig.By != want:
			err = fmt.Errorf("%w: it is signed by %s, not by %s", errSigner, sig.By, want)
		case !believed(sig):
			err = fmt.Errorf("%w: it says it is signed by %s, but no root that this system trusts vouches for that: %s", errSigner, want, sig.Note)
		default:
			return nil
		}
	}
	return err
}
