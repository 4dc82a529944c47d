package sign

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/installer/pack/xar"
)

// The library behind Authenticode and pkg signatures does not compile for Windows on ARM64 (its key ring is missing there). On
// that one platform only OpenPGP signs and verifies; the rest says so.
var errNoX509 = fmt.Errorf("signatures with X.509 certificates: %w on Windows for ARM64", errors.ErrUnsupported)

type certificate struct{ leaf *x509.Certificate }

var codeSigning, appleInstaller asn1.ObjectIdentifier

func openCertificate(Options, []byte, []byte) (*certificate, error) { return nil, errNoX509 }

func readCertificates([]byte) ([]*x509.Certificate, error) { return nil, errNoX509 }

func (*certificate) may(asn1.ObjectIdentifier) bool { return false }

// Authenticode signs a program or an msi in place; not on this platform.
func (*Signer) Authenticode(context.Context, string) error { return errNoX509 }

// Xar are the signatures of a pkg; none on this platform.
func (*Signer) Xar(context.Context) ([]xar.Signature, error) { return nil, errNoX509 }

func program(*look) error { return errNoX509 }
func msi(*look) error     { return errNoX509 }
func pkg(*look) error     { return errNoX509 }
