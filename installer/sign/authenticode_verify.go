//go:build !(windows && arm64)

package sign

import (
	"crypto/x509"
	"debug/pe"
	"errors"
	"fmt"

	"github.com/sassoftware/relic/v7/lib/authenticode"
	"github.com/sassoftware/relic/v7/signers/sigerrors"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

// program checks the signatures of a Windows program.
func program(f *File) error {
	if err := checkBounds(f); err != nil {
		return err
	}
	list, err := authenticode.VerifyPE(f.file, false)
	if errors.As(err, &sigerrors.NotSignedError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	for _, s := range list {
		if err := f.chained("Authenticode", "the program", s.TimestampedSignature, x509.ExtKeyUsageCodeSigning); err != nil {
			return err
		}
	}
	return nil
}

// checkBounds refuses a program whose place for signatures lies outside of it.
func checkBounds(f *File) error {
	p, err := pe.NewFile(f.file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	defer func() { _ = p.Close() }()
	var dir []pe.DataDirectory
	switch h := p.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		dir = h.DataDirectory[:min(h.NumberOfRvaAndSizes, 16)]
	case *pe.OptionalHeader64:
		dir = h.DataDirectory[:min(h.NumberOfRvaAndSizes, 16)]
	}
	if len(dir) > pe.IMAGE_DIRECTORY_ENTRY_SECURITY {
		d := dir[pe.IMAGE_DIRECTORY_ENTRY_SECURITY]
		if int64(d.VirtualAddress)+int64(d.Size) > f.size {
			return fmt.Errorf("%w: its end is missing", ErrBad)
		}
	}
	return nil
}

// msi checks the signature of an MSI.
func msi(f *File) error {
	c, err := cfb.Open(f.file, f.size) // the library that digests it trusts what it reads
	if err == nil {
		_, err = c.Check()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	s, err := authenticode.VerifyMSI(f.file, false)
	if errors.As(err, &sigerrors.NotSignedError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	return f.chained("Authenticode", "the MSI", s.TimestampedSignature, x509.ExtKeyUsageCodeSigning)
}
